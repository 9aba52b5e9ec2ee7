/// Writing one blob.
///
/// What this is: content that comes in pieces, on its way into a file without a name, which gets
/// its name when all of it is there.
/// What it promises: when `finish` has given the reference the blob is as durable as was asked for.
/// Memory for two chunks, and 24 bytes for each chunk that was written. What is abandoned, or
/// fails, leaves nothing; where the process dies, the next store that is opened removes it.
/// What it does not: know the id before the end, so content that is there already is written, and
/// let go of then. BlobStore::put is wiser.
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/blob_format.hpp"
#include "journal/blob_hash.hpp"
#include "journal/blob_id.hpp"
#include "journal/blob_shelves.hpp"
#include "journal/blob_zstd.hpp"
#include "journal/blobs.hpp"
#include "journal/descriptor.hpp"
#include "journal/store.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

namespace perdure::journal {

/// Thread: one at a time; several writers at once.
class BlobWriter final : public BlobSink {
  struct Private {};

 public:
  struct Options {
    Durability durability = Durability::full;
    std::uint32_t chunk_bytes = kBlobChunkBytes;
  };
  /// `shelves` outlives it. Errors: as file_error; `storage_failed` after a sync failed.
  [[nodiscard]] static Result<std::unique_ptr<BlobWriter>> begin(BlobShelves& shelves,
                                                                 Options options);
  /// For `begin` only.
  BlobWriter(Private, BlobShelves& shelves, std::filesystem::path path, Options options);
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;
  ~BlobWriter() override;

  /// More of the content. Errors: `storage_full`, `storage_failed`; then nothing can be done with
  /// this writer, and each call says the same.
  [[nodiscard]] Result<void> append(core::ByteView piece) override;
  /// All of it was there. Errors: as `append`, and those of BlobShelves::publish; `misuse` when it
  /// was called before.
  [[nodiscard]] Result<BlobRef> finish() override;
  /// `append` and `finish`, without room for a part of a chunk.
  [[nodiscard]] Result<BlobRef> finish_with(core::ByteView rest);

 private:
  Result<void> check_usable() const;
  Result<void> kept(Result<void> result);
  Result<void> take(core::ByteView piece);
  Result<void> write_chunk(core::ByteView content);
  Result<BlobRef> write_end(core::ByteView rest);
  void start_writing() noexcept;
  void let_go() noexcept;

  BlobShelves& shelves_;
  const std::filesystem::path path_;
  const Options options_;
  std::optional<Descriptor> file_;  ///< Empty when there is nothing more to write.
  ContentHash hash_;
  ChunkCompressor compressor_;
  std::unique_ptr<std::byte[]> chunk_;  ///< The beginning of the next one.
  std::size_t chunk_size_ = 0;
  BlobHeader header_;
  std::uint64_t place_ = kBlobHeaderBytes;
  std::uint64_t started_ = 0;  ///< Up to here the system was asked to write.
  core::Bytes rows_;
  std::optional<Error> failed_;
};

}  // namespace perdure::journal
