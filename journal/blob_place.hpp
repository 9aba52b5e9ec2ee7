/// Where the blobs of a journal lie.
///
/// What this is: the names below the journal's directory.
/// What it does not: touch files.
///
///     trips.journal/
///       blobs/
///         ba/78…ad     the blob whose id begins with ba: the other 62 digits. A shelf for each
///                      first byte.
///         new/1        being written; what is left of those of an earlier process means nothing
#pragma once

#include "journal/blob_id.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace perdure::journal {

/// Thread: any.
class BlobPlace {
 public:
  static constexpr std::string_view kName = "blobs";
  static constexpr std::string_view kUnfinished = "new";
  static constexpr std::size_t kShelves = 256;

  explicit BlobPlace(std::filesystem::path journal);

  [[nodiscard]] const std::filesystem::path& journal() const noexcept { return journal_; }
  [[nodiscard]] const std::filesystem::path& root() const noexcept { return root_; }
  [[nodiscard]] std::filesystem::path unfinished() const { return root_ / kUnfinished; }
  [[nodiscard]] std::filesystem::path shelf(std::size_t number) const;
  [[nodiscard]] std::filesystem::path file(const BlobId& id) const;

  [[nodiscard]] static std::size_t shelf_of(const BlobId& id) noexcept {
    return std::to_integer<std::size_t>(id.bytes[0]);
  }
  /// The number of the shelf of that name; empty where it is none's.
  [[nodiscard]] static std::optional<std::size_t> shelf_named(std::string_view name);
  /// The id of the file of that name on shelf `number`; empty where it is none's.
  [[nodiscard]] static std::optional<BlobId> blob_named(std::size_t number, std::string_view name);

 private:
  std::filesystem::path journal_;
  std::filesystem::path root_;
};

}  // namespace perdure::journal
