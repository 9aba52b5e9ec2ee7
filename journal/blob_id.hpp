/// What a blob is called.
///
/// What this is: the id of a blob, which is the SHA-256 of its content, and the reference that a
/// record holds instead of a large payload.
/// What it promises: equal content has equal ids, and nobody makes other content with that id.
/// What it does not: say where the blob lies (blob_place.hpp).
#pragma once

#include "core/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace perdure::journal {

struct BlobId {
  static constexpr std::size_t kBytes = 32;
  std::array<std::byte, kBytes> bytes{};
  friend auto operator<=>(const BlobId&, const BlobId&) = default;
};

/// 64 lower-case hexadecimal digits, as in file names.
[[nodiscard]] std::string to_string(const BlobId& id);
/// Of exactly such a text; empty for any other.
[[nodiscard]] std::optional<BlobId> parse_blob_id(std::string_view text);

/// For hash tables: ids are as good as random.
struct BlobIdHash {
  std::size_t operator()(const BlobId& id) const noexcept;
};

/// What a record holds of a blob.
struct BlobRef {
  BlobId id;
  std::uint64_t bytes = 0;  ///< Of the content.
  friend bool operator==(const BlobRef&, const BlobRef&) = default;
};

}  // namespace perdure::journal
