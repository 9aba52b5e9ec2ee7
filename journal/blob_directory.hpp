/// The blobs of a journal, for whoever reads.
///
/// What this is: blobs by their references, a list of them, and the check of all.
/// What it promises: nothing is changed, and no right to write is needed; a journal without blobs
/// has none. May be used while another process writes.
/// What it does not: know which blobs are referred to.
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "journal/blob_id.hpp"
#include "journal/blob_place.hpp"
#include "journal/blob_reader.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace perdure::journal {

/// A blob as a directory shows it; nothing of it was read.
struct ListedBlob {
  BlobId id;
  std::uint64_t stored_bytes = 0;  ///< Of the file.
  core::WallTime written;          ///< When the file was, by the machine's clock.
};

/// A file among the blobs that was read from end to end.
struct CheckedBlob {
  std::filesystem::path file;
  std::optional<BlobId> id;  ///< Empty for what is no blob by its name.
  std::uint64_t bytes = 0;   ///< Of the content; 0 where even the header is wrong.
  std::uint64_t stored_bytes = 0;
  std::optional<Error> damage;  ///< `corrupt`, `newer_format`, or that it can't be read.
};

/// Thread: any.
class BlobDirectory {
 public:
  /// Of the journal in that directory.
  explicit BlobDirectory(std::filesystem::path journal) : place_(std::move(journal)) {}

  /// Errors: `not_found`; `corrupt`, also where it has not as many bytes as the reference says;
  /// `newer_format`; as file_error.
  [[nodiscard]] Result<std::unique_ptr<BlobReader>> open(const BlobRef& ref) const;
  /// The whole content, which is held against the id too. Errors: `too_large` where it has more
  /// than `limit` bytes; those of `open`.
  [[nodiscard]] Result<core::Bytes> get(const BlobRef& ref, std::uint64_t limit) const;

  /// Every blob, in the order of ids within a shelf or not; one that comes or goes meanwhile may be
  /// missing. Ends with the first error of `take`. Errors: as file_error, and those of `take`.
  [[nodiscard]] Result<void> for_each(
      const std::function<Result<void>(const ListedBlob&)>& take) const;
  /// Reads one blob from end to end. Errors: those of `open`; `corrupt`.
  [[nodiscard]] Result<void> check(const BlobRef& ref) const;
  /// Reads every blob from end to end and hands each to `take`, with what is wrong with it; and
  /// what lies among the blobs and is none. Errors: as `for_each`.
  [[nodiscard]] Result<void> check_all(
      const std::function<Result<void>(const CheckedBlob&)>& take) const;

  [[nodiscard]] const BlobPlace& place() const noexcept { return place_; }

 private:
  BlobPlace place_;
};

}  // namespace perdure::journal
