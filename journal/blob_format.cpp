#include "journal/blob_format.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

namespace perdure::journal {
namespace {

constexpr std::uint32_t kVersion = 1;

/// As it stands in the file, little-endian like the machines that Perdure runs on.
struct RawHeader {
  std::array<char, 12> magic;
  std::uint32_t version;
  std::array<std::byte, BlobId::kBytes> id;
  std::uint64_t bytes;
  std::uint64_t index;
  std::uint32_t chunk_bytes;
  std::uint32_t flags;
  std::uint64_t index_checksum;
  std::uint64_t checksum;  ///< Of all that is in front of it.
};
static_assert(sizeof(RawHeader) == kBlobHeaderBytes && std::endian::native == std::endian::little);
constexpr std::array<char, 12> kMagic{'p', 'e', 'r', 'd', 'u', 'r', 'e', '-', 'b', 'l', 'o', 'b'};

struct RawRow {
  std::uint64_t place;
  std::uint32_t stored;
  std::uint32_t form;
  std::uint64_t checksum;
};
static_assert(sizeof(RawRow) == kBlobRowBytes);

std::uint64_t checksum_of(const RawHeader& header) noexcept {
  return core::checksum(std::as_bytes(std::span(&header, 1)).first(offsetof(RawHeader, checksum)));
}

Error damaged(std::string what) { return {Code::corrupt, std::move(what)}; }

/// Whether chunks and rows are as many as the file has room for, and no more.
bool fits(const BlobHeader& header, std::uint64_t file_bytes) {
  if (header.index < kBlobHeaderBytes || header.index > file_bytes) return false;
  // No overflow: there is a chunk for each 4096 bytes at most.
  return file_bytes - header.index == header.chunks() * kBlobRowBytes;
}

}  // namespace

std::size_t BlobHeader::bytes_of(std::uint64_t number) const noexcept {
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(chunk_bytes, bytes - number * chunk_bytes));
}

RawBlobHeader encode(const BlobHeader& header) noexcept {
  RawHeader raw{.magic = kMagic,
                .version = kVersion,
                .id = header.id.bytes,
                .bytes = header.bytes,
                .index = header.index,
                .chunk_bytes = header.chunk_bytes,
                .flags = 0,
                .index_checksum = header.index_checksum,
                .checksum = 0};
  raw.checksum = checksum_of(raw);
  return std::bit_cast<RawBlobHeader>(raw);
}

RawBlobRow encode(const BlobRow& row) noexcept {
  return std::bit_cast<RawBlobRow>(RawRow{.place = row.place,
                                          .stored = row.stored,
                                          .form = static_cast<std::uint32_t>(row.form),
                                          .checksum = row.checksum});
}

Result<BlobHeader> decode_blob_header(core::ByteView bytes, std::uint64_t file_bytes) {
  if (bytes.size() < kBlobHeaderBytes) return damaged("it is cut off");
  RawHeader raw{};
  std::memcpy(&raw, bytes.data(), sizeof raw);
  if (raw.magic != kMagic) return damaged("it is not a blob");
  if (raw.version > kVersion)
    return Error{Code::newer_format, "it is a blob of version " + std::to_string(raw.version) +
                                         ", this Perdure reads version " +
                                         std::to_string(kVersion)};
  if (raw.version != kVersion || raw.checksum != checksum_of(raw))
    return damaged("its header is damaged");
  if (raw.flags != 0)
    return Error{Code::newer_format, "it has flags (" + std::to_string(raw.flags) +
                                         ") that this Perdure does not know"};
  const BlobHeader header{.id = {raw.id},
                          .bytes = raw.bytes,
                          .index = raw.index,
                          .chunk_bytes = raw.chunk_bytes,
                          .index_checksum = raw.index_checksum};
  if (header.chunk_bytes < kBlobChunkBytesMin || header.chunk_bytes > kBlobChunkBytesMax ||
      !std::has_single_bit(header.chunk_bytes))
    return damaged("its chunks have " + std::to_string(header.chunk_bytes) + " bytes");
  if (!fits(header, file_bytes))
    return damaged("it has " + std::to_string(file_bytes) +
                   " bytes, which is not what its header says: it is cut off, or was added to");
  return header;
}

Result<BlobRow> decode_blob_row(const RawBlobRow& raw, const BlobHeader& header,
                                std::uint64_t number) {
  const auto read = std::bit_cast<RawRow>(raw);
  const auto wrong = [&](std::string_view what) {
    return damaged("the row of chunk " + std::to_string(number) + " " + std::string(what));
  };
  if (read.form > static_cast<std::uint32_t>(BlobForm::zstd))
    return Error{Code::newer_format, "chunk " + std::to_string(number) + " has the form " +
                                         std::to_string(read.form) +
                                         ", which this Perdure does not know"};
  const BlobRow row{.place = read.place,
                    .stored = read.stored,
                    .form = static_cast<BlobForm>(read.form),
                    .checksum = read.checksum};
  const std::size_t content = header.bytes_of(number);
  if (row.form == BlobForm::raw ? row.stored != content : row.stored == 0 || row.stored >= content)
    return wrong("has a size that can't be");
  if (row.place < kBlobHeaderBytes || row.place > header.index ||
      header.index - row.place < row.stored)
    return wrong("leads out of the file");
  return row;
}

std::uint64_t with_row(std::uint64_t index_checksum, const RawBlobRow& row) noexcept {
  return core::checksum(row, index_checksum);
}

}  // namespace perdure::journal
