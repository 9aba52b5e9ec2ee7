/// Who comes to which name among the blobs, and what is durable.
///
/// What this is: the directories of a journal's blobs while a process writes them, and the order of
/// renames, syncs and removals in them.
/// What it promises: a name is given to a whole and (in durability `full`) synced file only, and
/// acknowledged when the name is durable too. That a file is there proves neither: another thread
/// may have renamed it a moment ago, and a process that died may have synced nothing. So a file
/// that this process did not make is read and synced before anybody is told that the content is
/// there; one that is damaged is replaced.
/// What it does not: write content (blob_writer.hpp). Keep out another process: the journal's lock
/// does.
///
/// Invariants:
/// - what was acknowledged in this life of the process is in `known`, and is never removed;
/// - a name is given, and a file removed, only under its shelf's mutex;
/// - after a sync of something named failed, nothing is acknowledged any more.
#pragma once

#include <perdure/result.hpp>

#include "core/clock.hpp"
#include "journal/blob_directory.hpp"
#include "journal/blob_id.hpp"
#include "journal/blob_place.hpp"
#include "journal/blob_reader.hpp"
#include "journal/descriptor.hpp"
#include "journal/store.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace perdure::journal {

struct BlobRemoval {
  std::uint64_t removed = 0;
  std::uint64_t removed_bytes = 0;  ///< Of files.
  std::uint64_t kept_young = 0;     ///< Not referred to, but not old enough.
  std::uint64_t kept_known = 0;     ///< Not referred to, but written or asked for by this process.
};

/// Thread: any.
class BlobShelves {
 public:
  /// Makes nothing. Removes what an earlier process left unfinished. Errors: as file_error.
  [[nodiscard]] static Result<std::unique_ptr<BlobShelves>> open(std::filesystem::path journal);
  explicit BlobShelves(BlobDirectory directory) : directory_(std::move(directory)) {}

  [[nodiscard]] const BlobDirectory& directory() const noexcept { return directory_; }

  /// A name for a file to be written; makes the directories at first. Errors: as file_error;
  /// `storage_failed` after a sync failed.
  [[nodiscard]] Result<std::filesystem::path> name_for_unfinished(Durability durability);
  /// Whether the content is there, as durable as asked for. Errors: as `name_for_unfinished`, and
  /// `newer_format`.
  [[nodiscard]] Result<bool> has(const BlobRef& ref, Durability durability);
  /// Gives `file`, which is whole, its name; or leaves it where it is if the content is there.
  /// Errors: as `has`; `storage_full`, `storage_failed`: `file` may have got its name and is not
  /// acknowledged.
  [[nodiscard]] Result<void> publish(const std::filesystem::path& path, const Descriptor& file,
                                     const BlobRef& ref, Durability durability);
  /// Removes blobs for which `is_referenced` is false, that were written `age_min` ago or earlier,
  /// and that this process has neither written nor been asked to. Errors: as file_error; what was
  /// removed before is.
  [[nodiscard]] Result<BlobRemoval> remove_unreferenced(
      const std::function<bool(const BlobId&)>& is_referenced, std::chrono::microseconds age_min,
      core::Clock& clock);

 private:
  /// What this process knows of a blob.
  struct Known {
    bool sound = false;    ///< It was written here, or read.
    bool durable = false;  ///< With its name.
  };
  struct Shelf {
    std::mutex mutex;
    std::unordered_map<BlobId, Known, BlobIdHash> known;
  };
  struct Found;

  Result<void> check_working() const;
  Error ends_writing(Error error);
  Result<void> synced(Result<void> result);
  Result<void> make_root(Durability durability);
  Result<Found> find(const BlobRef& ref, Durability durability);
  Result<Found> examine(const BlobRef& ref);
  Result<bool> give_name(const std::filesystem::path& path, const BlobId& id, const Found& found);
  Result<void> make_durable(const BlobId& id, const Descriptor* file);
  Result<void> remove_if_old(const ListedBlob& blob, core::WallTime newest, BlobRemoval& removal);
  Shelf& shelf(const BlobId& id) { return shelves_[BlobPlace::shelf_of(id)]; }
  [[nodiscard]] const BlobPlace& place() const noexcept { return directory_.place(); }

  const BlobDirectory directory_;
  std::atomic<std::uint64_t> unfinished_ = 0;
  std::atomic<bool> made_ = false;
  std::atomic<bool> durable_ = false;
  std::atomic<bool> failed_ = false;
  std::array<Shelf, BlobPlace::kShelves> shelves_;
};

}  // namespace perdure::journal
