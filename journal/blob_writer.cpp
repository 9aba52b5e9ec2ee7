#include "journal/blob_writer.hpp"

#include "journal/blob_file.hpp"
#include "journal/file_system.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace perdure::journal {
namespace {

/// The first page is written last.
constexpr std::uint64_t kPage = 4096;

}  // namespace

BlobWriter::BlobWriter(Private, BlobShelves& shelves, std::filesystem::path path, Options options)
    : shelves_(shelves),
      path_(std::move(path)),
      options_(options),
      file_(std::in_place, path_, O_WRONLY | O_CREAT | O_EXCL),
      started_(kPage) {
  header_.chunk_bytes = options_.chunk_bytes;
}

Result<std::unique_ptr<BlobWriter>> BlobWriter::begin(BlobShelves& shelves, Options options) {
  PERDURE_TRY(auto path, shelves.name_for_unfinished(options.durability));
  auto writer = std::make_unique<BlobWriter>(Private{}, shelves, std::move(path), options);
  if (writer->file_->number() >= 0) return writer;
  const int why = writer->file_->failure();
  writer->file_.reset();
  return file_error(writer->path_, "made", why);
}

BlobWriter::~BlobWriter() { let_go(); }

/// Its room is free afterwards, unless it has the blob's name by now: then nothing stands under its
/// own.
void BlobWriter::let_go() noexcept {
  if (!file_) return;
  file_.reset();
  ::unlink(path_.c_str());
}

Result<void> BlobWriter::check_usable() const {
  if (failed_) return *failed_;
  return success();
}

Result<void> BlobWriter::kept(Result<void> result) {
  if (result) return result;
  failed_ = result.error();
  let_go();
  return result;
}

Result<void> BlobWriter::append(core::ByteView piece) {
  PERDURE_TRY(check_usable());
  return kept(take(piece));
}

Result<void> BlobWriter::take(core::ByteView piece) {
  const std::size_t whole = options_.chunk_bytes;
  while (!piece.empty()) {
    if (chunk_size_ == 0 && piece.size() >= whole) {
      PERDURE_TRY(write_chunk(piece.first(whole)));
      piece = piece.subspan(whole);
      continue;
    }
    if (!chunk_) chunk_ = std::make_unique_for_overwrite<std::byte[]>(whole);
    const std::size_t part = std::min(piece.size(), whole - chunk_size_);
    std::memcpy(chunk_.get() + chunk_size_, piece.data(), part);
    chunk_size_ += part;
    piece = piece.subspan(part);
    if (chunk_size_ < whole) continue;
    chunk_size_ = 0;
    PERDURE_TRY(write_chunk({chunk_.get(), whole}));
  }
  return success();
}

Result<void> BlobWriter::write_chunk(core::ByteView content) {
  const std::optional<core::ByteView> frame = compressor_.shrink(content);
  const core::ByteView stored = frame.value_or(content);
  PERDURE_TRY(write_file_at(*file_, path_, place_, stored));
  const RawBlobRow row = encode(BlobRow{.place = place_,
                                        .stored = static_cast<std::uint32_t>(stored.size()),
                                        .form = frame ? BlobForm::zstd : BlobForm::raw,
                                        .checksum = core::checksum(stored)});
  rows_.insert(rows_.end(), row.begin(), row.end());
  header_.index_checksum = with_row(header_.index_checksum, row);
  header_.bytes += content.size();
  place_ += stored.size();
  start_writing();
  // While the disk writes.
  hash_.add(content);
  return success();
}

/// Has the system begin to write whole pages, so that the sync at the end finds little to do.
void BlobWriter::start_writing() noexcept {
  const std::uint64_t end = place_ / kPage * kPage;
  if (options_.durability == Durability::none || end <= started_) return;
  // Only advice: whether it is written is asked by the sync.
  (void)::sync_file_range(file_->number(), static_cast<off64_t>(started_),
                          static_cast<off64_t>(end - started_), SYNC_FILE_RANGE_WRITE);
  started_ = end;
}

/// `rest`: less than a chunk.
Result<BlobRef> BlobWriter::write_end(core::ByteView rest) {
  if (!rest.empty()) PERDURE_TRY(write_chunk(rest));
  PERDURE_TRY(header_.id, hash_.finish());
  header_.index = place_;
  PERDURE_TRY(write_file_at(*file_, path_, header_.index, rows_));
  PERDURE_TRY(write_file_at(*file_, path_, 0, encode(header_)));
  const BlobRef ref{header_.id, header_.bytes};
  PERDURE_TRY(shelves_.publish(path_, *file_, ref, options_.durability));
  return ref;
}

Result<BlobRef> BlobWriter::finish() { return finish_with({}); }

Result<BlobRef> BlobWriter::finish_with(core::ByteView rest) {
  PERDURE_TRY(check_usable());
  const std::size_t whole = options_.chunk_bytes;
  if (const std::size_t begun = chunk_size_ != 0 ? rest.size() : rest.size() / whole * whole;
      begun != 0) {
    PERDURE_TRY(append(rest.first(begun)));
    rest = rest.subspan(begun);
  }
  if (chunk_size_ != 0) rest = {chunk_.get(), std::exchange(chunk_size_, 0)};
  Result<BlobRef> ref = write_end(rest);
  let_go();
  failed_ = ref ? Error{Code::misuse, "this blob is finished: begin another one"} : ref.error();
  return ref;
}

}  // namespace perdure::journal
