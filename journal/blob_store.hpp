/// The blobs of a journal, for the process that writes it.
///
/// What this is: large content in files of its own beside the journal's generations, which share
/// it, each under the SHA-256 of its content (docs/journal_format.md, "Blobs").
/// What it promises: equal content is stored once. What `put` or a writer's `finish` gave in
/// durability `full` is there after a crash or a loss of power. A full disk is `storage_full` and
/// leaves nothing behind. Content of any size in bounded memory, through writers and readers; but a
/// hundred bytes are kept for each blob that was put, so that nobody removes it.
/// What it does not: know who refers to a blob, or keep out a second process: it belongs to whoever
/// holds the journal open for writing.
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "journal/blob_directory.hpp"
#include "journal/blob_format.hpp"
#include "journal/blob_id.hpp"
#include "journal/blob_shelves.hpp"
#include "journal/blobs.hpp"
#include "journal/store.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

namespace perdure::journal {

struct BlobStoreOptions {
  /// What content is cut into: a power of two from 4 KiB to 4 MiB. Each chunk is compressed, and
  /// read, as a whole.
  std::uint32_t chunk_bytes = kBlobChunkBytes;
};

/// Thread: any.
class BlobStore final : public Blobs {
  struct Private {};

 public:
  /// Of the journal in that directory, which exists. Makes no directory before there is a blob;
  /// removes what an earlier process left unfinished. Errors: as file_error; `misuse`: the options.
  [[nodiscard]] static Result<std::unique_ptr<BlobStore>> open(std::filesystem::path journal,
                                                               BlobStoreOptions options = {});
  /// For `open` only.
  BlobStore(Private, std::unique_ptr<BlobShelves> shelves, BlobStoreOptions options);

  /// Not even written when this process has put it lately.
  [[nodiscard]] Result<BlobRef> put(core::ByteView content, Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<BlobSink>> begin(Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<BlobSource>> open(const BlobRef& ref) const override;
  [[nodiscard]] Result<core::Bytes> get(const BlobRef& ref, std::uint64_t limit) const override {
    return directory().get(ref, limit);
  }

  /// To read, list and check what is there.
  [[nodiscard]] const BlobDirectory& directory() const noexcept { return shelves_->directory(); }

  /// Removes blobs that nothing refers to, written `age_min` ago or earlier by the calendar. What
  /// this process has written, or was asked to write, stays, since its record may be on the way.
  /// `is_referenced` is asked without locks held, and may speak of any moment since the store was
  /// opened. Readers that have a removed blob open go on. Errors: as file_error; what was removed
  /// before stays so.
  [[nodiscard]] Result<BlobRemoval> remove_unreferenced(
      const std::function<bool(const BlobId&)>& is_referenced, std::chrono::microseconds age_min,
      core::Clock& clock) {
    return shelves_->remove_unreferenced(is_referenced, age_min, clock);
  }

 private:
  /// Of contents that were put lately: what says that it is worth while to ask for the id first.
  static constexpr std::size_t kHints = 4096;

  const std::unique_ptr<BlobShelves> shelves_;
  const BlobStoreOptions options_;
  std::array<std::atomic<std::uint64_t>, kHints> hints_{};
};

}  // namespace perdure::journal
