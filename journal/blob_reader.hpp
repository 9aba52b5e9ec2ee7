/// Reading one blob.
///
/// What this is: the content of a blob's file, as a stream or from any place, a chunk at a time.
/// What it promises: what is given is what was written, or there is an error that names the file,
/// the place and what to do: each chunk is held against its checksum before anything of it is
/// given. Memory for two chunks at most, whatever the file says. Nothing is mapped or written.
/// What it does not: hold what it gives against the id; `check` does, and BlobDirectory::get.
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/blob_format.hpp"
#include "journal/blob_zstd.hpp"
#include "journal/blobs.hpp"
#include "journal/descriptor.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

namespace perdure::journal {

/// Thread: one at a time.
class BlobReader final : public BlobSource {
  struct Private {};

 public:
  /// Looks at the header and the index. Errors: `not_found`; `corrupt` (also where it is another
  /// blob's); `newer_format`; as file_error.
  [[nodiscard]] static Result<std::unique_ptr<BlobReader>> open(const std::filesystem::path& file,
                                                                const BlobId& id);
  /// For `open` only.
  BlobReader(Private, const std::filesystem::path& file);

  /// Of the content, and of the file.
  [[nodiscard]] std::uint64_t bytes() const noexcept override { return header_.bytes; }
  [[nodiscard]] std::uint64_t stored_bytes() const noexcept { return file_bytes_; }

  /// The next bytes of the content: as many as `out` has room for, or all that are left; 0 at the
  /// end. Errors: `corrupt`, as file_error; then `out` holds anything, and the stream stands where
  /// it stood.
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> out) override;
  /// The same from `offset` on, which the stream does not notice. Behind the end there is nothing.
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::byte> out) override;

  /// Reads every chunk as it is stored and holds it against its checksum. Errors: as `read`.
  [[nodiscard]] Result<void> check_chunks();
  /// Reads all of the content and holds it against the id as well. Errors: as `read`.
  [[nodiscard]] Result<void> check() override;

  /// `corrupt`, naming the file, what is wrong at byte `place` of it, and the remedy.
  [[nodiscard]] Error damaged(std::uint64_t place, std::string_view what) const;
  /// For syncs, and to know this very file again.
  [[nodiscard]] const Descriptor& file() const noexcept { return file_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  Result<void> check_header(const BlobId& id);
  Result<void> check_index();
  Result<BlobRow> row(std::uint64_t number);
  Result<void> stored(std::uint64_t number, const BlobRow& row, std::span<std::byte> out);
  Result<void> chunk(std::uint64_t number, std::span<std::byte> out);
  Result<core::ByteView> kept_chunk(std::uint64_t number);
  std::span<std::byte> room(std::unique_ptr<std::byte[]>& buffer) const;

  const std::filesystem::path path_;
  const Descriptor file_;
  std::uint64_t file_bytes_ = 0;
  BlobHeader header_;
  std::uint64_t at_ = 0;
  ChunkExpander expander_;
  std::unique_ptr<std::byte[]> frame_;
  std::unique_ptr<std::byte[]> content_;
  std::optional<std::uint64_t> kept_;  ///< The chunk that `content_` is.
};

}  // namespace perdure::journal
