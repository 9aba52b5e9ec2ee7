#include "journal/blob_store.hpp"

#include "journal/blob_hash.hpp"
#include "journal/blob_writer.hpp"

#include <bit>
#include <string>
#include <utility>

namespace perdure::journal {

BlobStore::BlobStore(Private, std::unique_ptr<BlobShelves> shelves, BlobStoreOptions options)
    : shelves_(std::move(shelves)), options_(options) {}

Result<std::unique_ptr<BlobStore>> BlobStore::open(std::filesystem::path journal,
                                                   BlobStoreOptions options) {
  if (!std::has_single_bit(options.chunk_bytes) || options.chunk_bytes < kBlobChunkBytesMin ||
      options.chunk_bytes > kBlobChunkBytesMax)
    return Error{Code::misuse, "chunk_bytes is " + std::to_string(options.chunk_bytes) +
                                   ": give a power of two from " +
                                   std::to_string(kBlobChunkBytesMin) + " to " +
                                   std::to_string(kBlobChunkBytesMax)};
  PERDURE_TRY(auto shelves, BlobShelves::open(std::move(journal)));
  return std::make_unique<BlobStore>(Private{}, std::move(shelves), options);
}

Result<std::unique_ptr<BlobSink>> BlobStore::begin(Durability durability) {
  PERDURE_TRY(std::unique_ptr<BlobSink> writer,
              BlobWriter::begin(*shelves_,
                                {.durability = durability, .chunk_bytes = options_.chunk_bytes}));
  return writer;
}

Result<std::unique_ptr<BlobSource>> BlobStore::open(const BlobRef& ref) const {
  PERDURE_TRY(std::unique_ptr<BlobSource> reader, directory().open(ref));
  return reader;
}

Result<BlobRef> BlobStore::put(core::ByteView content, Durability durability) {
  // The id takes ten times as long as this, and is made while the disk writes: it is only asked for
  // first where the content is probably there. 0 is no hint.
  const std::uint64_t hint = core::checksum(content) | 1U;
  std::atomic<std::uint64_t>& place = hints_[(hint >> 1U) % kHints];
  if (place.load(std::memory_order_relaxed) == hint) {
    PERDURE_TRY(const BlobId id, ContentHash::of(content));
    const BlobRef ref{id, content.size()};
    PERDURE_TRY(const bool is_there, shelves_->has(ref, durability));
    if (is_there) return ref;
  }
  PERDURE_TRY(const auto writer,
              BlobWriter::begin(*shelves_,
                                {.durability = durability, .chunk_bytes = options_.chunk_bytes}));
  PERDURE_TRY(const BlobRef ref, writer->finish_with(content));
  place.store(hint, std::memory_order_relaxed);
  return ref;
}

}  // namespace perdure::journal
