/// Blobs: content that is too large to be a value in memory.
///
/// What this is: `Blob`, a value that stands for content of any size, to be passed on, returned and
/// kept as any other; `BlobWriter` and `BlobReader`, by which step bodies and programs write and
/// read the content piece by piece, in bounded memory.
/// What it promises: equal content is equal blobs, stored once, compressed where that pays. When
/// `BlobWriter::finish` has returned the content is as durable as the journal's records are, so a
/// step that returns the blob can't be recorded without it. What is read is what was written, or an
/// error: each piece is held against a checksum.
/// What it does not: lie in the tables or the log: blobs are files beside them, which a backup of
/// the journal must take along. Nothing removes them yet.
///
/// Values need none of this: a message, result, reply or state above
/// `RuntimeOptions::blob_threshold_bytes` is stored as a blob by itself, and read as a value.
#pragma once

#include <perdure/codec.hpp>
#include <perdure/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace perdure {
inline namespace v0 {

/// Content of any size, by its name. Thread: as any value.
class Blob {
 public:
  /// No content.
  Blob() = default;
  /// Bytes of the content.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// The SHA-256 of the content, 64 lower-case hexadecimal digits; empty for no content.
  [[nodiscard]] const std::string& id() const noexcept { return id_; }
  friend bool operator==(const Blob&, const Blob&) = default;

  /// As it was recorded. Whether there is such content shows when it is opened.
  Blob(std::string id, std::uint64_t size) : id_(std::move(id)), size_(size) {}

 private:
  std::string id_;
  std::uint64_t size_ = 0;
};

/// A map with a field `perdure.blob`, by which tools find blobs in any payload.
template <>
struct Codec<Blob> {
  static void write(Writer& writer, const Blob& value);
  static Result<void> read(const Reader& reader, Blob& value);
  static constexpr std::string_view type_name() { return "blob"; }
  /// See json_schema.hpp.
  static std::string json_schema();
};

namespace detail {

/// One of no content is null, so an optional one could not say which of the two is meant.
template <>
inline constexpr bool may_be_null<Blob> = true;

/// See BlobWriter.
class BlobSink {
 public:
  virtual ~BlobSink() = default;
  [[nodiscard]] virtual Result<void> append(ByteView piece) = 0;
  [[nodiscard]] virtual Result<Blob> finish() = 0;
};
/// See BlobReader.
class BlobSource {
 public:
  virtual ~BlobSource() = default;
  [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
  [[nodiscard]] virtual Result<std::size_t> read(std::span<std::byte> out) = 0;
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset,
                                                    std::span<std::byte> out) = 0;
};
/// Where blobs are. Thread: any.
class BlobAccess {
 public:
  [[nodiscard]] virtual Result<std::unique_ptr<BlobSink>> create_blob() = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<BlobSource>> open_blob(const Blob& blob) = 0;

 protected:
  ~BlobAccess() = default;
};

}  // namespace detail

/// Content that comes in pieces. One that goes without `finish` leaves nothing. Must not outlive
/// the runtime. Movable. Thread: one at a time.
class BlobWriter {
 public:
  /// For Step and Runtime.
  explicit BlobWriter(std::unique_ptr<detail::BlobSink> sink) noexcept : sink_(std::move(sink)) {}

  /// More of the content. Errors: `storage_full`, `storage_failed`; then nothing can be done with
  /// this writer, and each call says the same.
  [[nodiscard]] Result<void> append(ByteView piece) { return sink_->append(piece); }
  [[nodiscard]] Result<void> append(std::string_view piece) {
    return sink_->append(std::as_bytes(std::span(piece.data(), piece.size())));
  }
  /// All of it was there. Errors: as `append`; `misuse` when it was called before.
  [[nodiscard]] Result<Blob> finish() { return sink_->finish(); }

 private:
  std::unique_ptr<detail::BlobSink> sink_;
};

/// The content of a blob, as a stream or from any place. Must not outlive the runtime. Movable.
/// Thread: one at a time.
class BlobReader {
 public:
  /// For Step and Runtime.
  explicit BlobReader(std::unique_ptr<detail::BlobSource> source) noexcept
      : source_(std::move(source)) {}

  /// Bytes of the content.
  [[nodiscard]] std::uint64_t size() const noexcept { return source_->size(); }
  /// The next bytes: as many as `out` has room for, or all that are left; 0 at the end. Errors:
  /// `corrupt`, `storage_failed`; then `out` holds anything, and the stream stands where it stood.
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> out) { return source_->read(out); }
  /// The same from `offset` on, which the stream does not notice. Behind the end there is nothing.
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) {
    return source_->read_at(offset, out);
  }

 private:
  std::unique_ptr<detail::BlobSource> source_;
};

namespace detail {

/// For Step and Runtime. Errors: as file errors; `not_found`, `corrupt`, `newer_format`.
[[nodiscard]] inline Result<BlobWriter> create_blob(BlobAccess& access) {
  PERDURE_TRY(std::unique_ptr<BlobSink> sink, access.create_blob());
  return BlobWriter(std::move(sink));
}
[[nodiscard]] inline Result<BlobReader> open_blob(BlobAccess& access, const Blob& blob) {
  PERDURE_TRY(std::unique_ptr<BlobSource> source, access.open_blob(blob));
  return BlobReader(std::move(source));
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
