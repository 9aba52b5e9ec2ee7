#include "journal/blob_reader.hpp"

#include "journal/blob_file.hpp"
#include "journal/blob_hash.hpp"
#include "journal/file_system.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace perdure::journal {
namespace {

constexpr std::string_view kRemedy =
    ". Restore it from a backup of the journal; what refers to it can't be read without";

}  // namespace

// Not blocking: what stands there may be no file but a pipe.
BlobReader::BlobReader(Private, const std::filesystem::path& file)
    : path_(file), file_(file, O_RDONLY | O_NONBLOCK) {}

Result<std::unique_ptr<BlobReader>> BlobReader::open(const std::filesystem::path& file,
                                                     const BlobId& id) {
  auto reader = std::make_unique<BlobReader>(Private{}, file);
  if (reader->file_.number() < 0) {
    const int why = reader->file_.failure();
    if (why == ENOENT)
      return Error{Code::not_found,
                   "there is no blob '" + file.string() + "'" + std::string(kRemedy)};
    return file_error(file, "opened", why);
  }
  PERDURE_TRY(reader->check_header(id));
  PERDURE_TRY(reader->check_index());
  return reader;
}

Error BlobReader::damaged(std::uint64_t place, std::string_view what) const {
  return {Code::corrupt, "'" + path_.string() + "' is damaged at byte " + std::to_string(place) +
                             ": " + std::string(what) + std::string(kRemedy)};
}

Result<void> BlobReader::check_header(const BlobId& id) {
  struct stat status{};
  if (::fstat(file_.number(), &status) != 0) return file_error(path_, "read", errno);
  if (!S_ISREG(status.st_mode)) return damaged(0, "it is not a file");
  file_bytes_ = static_cast<std::uint64_t>(status.st_size);
  RawBlobHeader raw{};
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(raw.size(), file_bytes_));
  PERDURE_TRY(const bool is_there, read_file_at(file_, path_, 0, std::span(raw).first(size)));
  const auto header =
      decode_blob_header(core::ByteView(raw).first(is_there ? size : 0), file_bytes_);
  if (!header && header.error().code == Code::newer_format)
    return Error{Code::newer_format,
                 "'" + path_.string() + "': " + header.error().message + ": use a newer one"};
  if (!header) return damaged(0, header.error().message);
  header_ = header.value();
  if (header_.id != id) return damaged(16, "it is the blob " + to_string(header_.id));
  return success();
}

/// The chunks are back to back, and the index is what the header says. A few rows at a time, since
/// the file may be of any size.
Result<void> BlobReader::check_index() {
  std::array<std::byte, 128 * kBlobRowBytes> rows{};
  std::uint64_t checksum = 0;
  std::uint64_t place = kBlobHeaderBytes;
  bool is_dense = true;
  for (std::uint64_t number = 0; number < header_.chunks();) {
    const std::uint64_t begin = header_.index + number * kBlobRowBytes;
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(rows.size(), file_bytes_ - begin));
    PERDURE_TRY(const bool is_there,
                read_file_at(file_, path_, begin, std::span(rows).first(size)));
    if (!is_there) return damaged(begin, "it was cut off meanwhile");
    for (std::size_t at = 0; at < size; at += kBlobRowBytes, ++number) {
      RawBlobRow raw{};
      std::memcpy(raw.data(), rows.data() + at, raw.size());
      checksum = with_row(checksum, raw);
      // Any number of it may be wrong before the checksum says that it is none.
      std::uint32_t stored = 0;
      std::uint64_t begins = 0;
      std::memcpy(&begins, raw.data(), sizeof begins);
      std::memcpy(&stored, raw.data() + sizeof begins, sizeof stored);
      is_dense = is_dense && begins == place;
      place += stored;
    }
  }
  if (checksum != header_.index_checksum)
    return damaged(header_.index, "the checksum of its index is wrong");
  if (!is_dense || place != header_.index)
    return damaged(header_.index, "its chunks are not back to back");
  return success();
}

Result<BlobRow> BlobReader::row(std::uint64_t number) {
  const std::uint64_t place = header_.index + number * kBlobRowBytes;
  RawBlobRow raw{};
  PERDURE_TRY(const bool is_there, read_file_at(file_, path_, place, raw));
  if (!is_there) return damaged(place, "it was cut off meanwhile");
  auto row = decode_blob_row(raw, header_, number);
  if (row) return row;
  if (row.error().code == Code::newer_format)
    return Error{Code::newer_format,
                 "'" + path_.string() + "': " + row.error().message + ": use a newer one"};
  return damaged(place, row.error().message);
}

std::span<std::byte> BlobReader::room(std::unique_ptr<std::byte[]>& buffer) const {
  const std::size_t size = header_.bytes_of(0);
  if (!buffer) buffer = std::make_unique_for_overwrite<std::byte[]>(size);
  return {buffer.get(), size};
}

/// The bytes of a chunk as they are in the file; `out` has room for exactly those.
Result<void> BlobReader::stored(std::uint64_t number, const BlobRow& row,
                                std::span<std::byte> out) {
  PERDURE_TRY(const bool is_there, read_file_at(file_, path_, row.place, out));
  if (!is_there) return damaged(row.place, "it was cut off meanwhile");
  if (core::checksum(out) == row.checksum) return success();
  return damaged(row.place, "the checksum of chunk " + std::to_string(number) + " is wrong");
}

/// The content of a chunk; `out` has room for exactly that.
Result<void> BlobReader::chunk(std::uint64_t number, std::span<std::byte> out) {
  PERDURE_TRY(const BlobRow where, row(number));
  if (where.form == BlobForm::raw) return stored(number, where, out);
  const std::span<std::byte> frame = room(frame_).first(where.stored);
  PERDURE_TRY(stored(number, where, frame));
  PERDURE_TRY(const bool is_right, expander_.expand(frame, out));
  if (is_right) return success();
  return damaged(where.place, "chunk " + std::to_string(number) + " is no zstd frame of " +
                                  std::to_string(out.size()) + " bytes");
}

Result<core::ByteView> BlobReader::kept_chunk(std::uint64_t number) {
  const std::span<std::byte> content = room(content_).first(header_.bytes_of(number));
  if (kept_ != number) {
    kept_.reset();
    PERDURE_TRY(chunk(number, content));
    kept_ = number;
  }
  return core::ByteView(content);
}

Result<std::size_t> BlobReader::read_at(std::uint64_t offset, std::span<std::byte> out) {
  if (offset >= header_.bytes) return std::size_t{0};
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), header_.bytes - offset));
  for (std::size_t done = 0; done < size;) {
    const std::uint64_t number = (offset + done) / header_.chunk_bytes;
    const auto within = static_cast<std::size_t>((offset + done) % header_.chunk_bytes);
    const std::size_t content = header_.bytes_of(number);
    const std::size_t wanted = std::min(size - done, content - within);
    const std::span<std::byte> target = out.subspan(done, wanted);
    if (wanted == content && kept_ != number) {
      PERDURE_TRY(chunk(number, target));
    } else {
      PERDURE_TRY(const core::ByteView kept, kept_chunk(number));
      std::ranges::copy(kept.subspan(within, wanted), target.begin());
    }
    done += wanted;
  }
  return size;
}

Result<std::size_t> BlobReader::read(std::span<std::byte> out) {
  PERDURE_TRY(const std::size_t size, read_at(at_, out));
  at_ += size;
  return size;
}

Result<void> BlobReader::check_chunks() {
  for (std::uint64_t number = 0; number < header_.chunks(); ++number) {
    PERDURE_TRY(const BlobRow where, row(number));
    PERDURE_TRY(stored(number, where, room(frame_).first(where.stored)));
  }
  return success();
}

Result<void> BlobReader::check() {
  ContentHash hash;
  for (std::uint64_t number = 0; number < header_.chunks(); ++number) {
    PERDURE_TRY(const core::ByteView content, kept_chunk(number));
    hash.add(content);
  }
  PERDURE_TRY(const BlobId id, hash.finish());
  if (id == header_.id) return success();
  return damaged(kBlobHeaderBytes,
                 "it holds other content than its id says, that of " + to_string(id));
}

}  // namespace perdure::journal
