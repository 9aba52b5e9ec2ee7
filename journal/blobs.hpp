/// The Blobs seam: content that is too large for the tables.
///
/// What this is: what the journal needs of whoever keeps blobs, to write and to read them.
/// What it promises: content is found under its SHA-256 and its size, and what is given of it is
/// what was put, or an error. What `put` or `finish` returned in durability `full` survives power
/// loss, so a record that refers to it may be written then.
/// What it does not: know who refers to a blob.
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/blob_id.hpp"
#include "journal/store.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace perdure::journal {

/// Content that comes in pieces. One that goes without `finish` leaves nothing. Thread: one at a
/// time; several at once.
class BlobSink {
 public:
  virtual ~BlobSink() = default;
  /// More of the content. Errors: `storage_full`, `storage_failed`, as file_error; then nothing can
  /// be done with this sink, and each call says the same.
  [[nodiscard]] virtual Result<void> append(core::ByteView piece) = 0;
  /// All of it was there. Errors: as `append`; `misuse` when it was called before.
  [[nodiscard]] virtual Result<BlobRef> finish() = 0;
};

/// The content of one blob, as a stream or from any place. Thread: one at a time.
class BlobSource {
 public:
  virtual ~BlobSource() = default;
  /// Of the content.
  [[nodiscard]] virtual std::uint64_t bytes() const noexcept = 0;
  /// The next bytes of the content: as many as `out` has room for, or all that are left; 0 at the
  /// end. Errors: `corrupt`, as file_error; then `out` holds anything, and the stream stands where
  /// it stood.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<std::byte> out) = 0;
  /// The same from `offset` on, which the stream does not notice. Behind the end there is nothing.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset,
                                                    std::span<std::byte> out) = 0;
  /// Reads all of the content and holds it against the id. Errors: as `read`.
  [[nodiscard]] virtual Result<void> check() = 0;
};

/// What `get` says of a blob above its limit.
[[nodiscard]] Error too_large_to_get(const BlobRef& ref, std::uint64_t limit);

/// Thread: any.
class Blobs {
 public:
  virtual ~Blobs() = default;
  /// Stores `content`, if it is not there. Errors: `storage_full`: nothing is changed, free room
  /// and go on; `storage_failed`: nothing can be written any more where it was a sync; as
  /// file_error; `misuse` where they are for reading.
  [[nodiscard]] virtual Result<BlobRef> put(core::ByteView content, Durability durability) = 0;
  /// For content that comes in pieces. The sink must not outlive the blobs. Errors: as `put`.
  [[nodiscard]] virtual Result<std::unique_ptr<BlobSink>> begin(Durability durability) = 0;
  /// Errors: `not_found`; `corrupt`, also where it has not as many bytes as the reference says;
  /// `newer_format`; as file_error.
  [[nodiscard]] virtual Result<std::unique_ptr<BlobSource>> open(const BlobRef& ref) const = 0;
  /// The whole content, which is held against the id too. Errors: `too_large` where it has more
  /// than `limit` bytes; those of `open`.
  [[nodiscard]] virtual Result<core::Bytes> get(const BlobRef& ref, std::uint64_t limit) const = 0;
};

}  // namespace perdure::journal
