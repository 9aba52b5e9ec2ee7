/// The bytes of a blob's file.
///
/// What this is: header and rows as docs/journal_format.md has them ("Blobs"), and what is wrong
/// with those that are not so.
/// What it promises: what `decode` gives of a header fits a file of that size, so that no number in
/// it leads outside, and none was believed before its checksum.
/// What it does not: read files.
///
///     offset 0     header: whose content it is, how much, and where the index is
///     offset 88    chunks of the content, back to back, each as it is or as a zstd frame
///     index        a row for each chunk: where it is, and its checksum; the file's end
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/blob_id.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace perdure::journal {

inline constexpr std::size_t kBlobHeaderBytes = 88;
inline constexpr std::size_t kBlobRowBytes = 24;
/// What a writer cuts content into. Readers need about twice as much memory.
inline constexpr std::uint32_t kBlobChunkBytes = 1U << 20U;
/// What a reader accepts, powers of two.
inline constexpr std::uint32_t kBlobChunkBytesMin = 1U << 12U;
inline constexpr std::uint32_t kBlobChunkBytesMax = 1U << 22U;

struct BlobHeader {
  BlobId id;
  std::uint64_t bytes = 0;  ///< Of the content.
  std::uint64_t index = 0;  ///< Where the rows begin, behind the last chunk.
  std::uint32_t chunk_bytes = kBlobChunkBytes;
  std::uint64_t index_checksum = 0;

  [[nodiscard]] std::uint64_t chunks() const noexcept {
    return bytes / chunk_bytes + (bytes % chunk_bytes != 0 ? 1 : 0);
  }
  /// Of the content in chunk `number`.
  [[nodiscard]] std::size_t bytes_of(std::uint64_t number) const noexcept;
};

enum class BlobForm : std::uint32_t { raw = 0, zstd = 1 };

struct BlobRow {
  std::uint64_t place = 0;
  std::uint32_t stored = 0;  ///< Bytes in the file.
  BlobForm form = BlobForm::raw;
  std::uint64_t checksum = 0;  ///< XXH3-64 of these.
};

using RawBlobHeader = std::array<std::byte, kBlobHeaderBytes>;
using RawBlobRow = std::array<std::byte, kBlobRowBytes>;

[[nodiscard]] RawBlobHeader encode(const BlobHeader& header) noexcept;
[[nodiscard]] RawBlobRow encode(const BlobRow& row) noexcept;

/// `bytes` are the first of a file of `file_bytes`, as many as there are up to kBlobHeaderBytes.
/// Errors: `corrupt`, `newer_format`; the message says what, as in "it ...", not in which file.
[[nodiscard]] Result<BlobHeader> decode_blob_header(core::ByteView bytes, std::uint64_t file_bytes);
/// The row of chunk `number`. Errors: as above.
[[nodiscard]] Result<BlobRow> decode_blob_row(const RawBlobRow& raw, const BlobHeader& header,
                                              std::uint64_t number);
/// The index's checksum with one more row; that of no rows is 0.
[[nodiscard]] std::uint64_t with_row(std::uint64_t index_checksum, const RawBlobRow& row) noexcept;

}  // namespace perdure::journal
