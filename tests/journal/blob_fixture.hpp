/// What the tests of blobs share: content of several kinds, a store on disk, and its files.
#pragma once

#include "core/random.hpp"
#include "journal/blob_store.hpp"
#include "tests/journal/store_fixture.hpp"
#include "tests/journal/wal_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace perdure::journal {

inline constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 40U;

/// What does not shrink, what shrinks well, and both in one, by turns of a few kilobytes.
enum class Content : std::uint8_t { noise, words, mixed };

inline core::Bytes content_of(Content kind, std::size_t size, std::uint64_t seed) {
  core::SeededRandom random(seed);
  core::Bytes bytes(size);
  if (kind != Content::words) random.fill(bytes);
  if (kind == Content::noise) return bytes;
  constexpr std::size_t kTurn = 5000;
  const std::string words = "step " + std::to_string(seed) + " of many; ";
  for (std::size_t i = 0; i < size; ++i)
    if (kind == Content::words || i / kTurn % 2 == 0)
      bytes[i] = static_cast<std::byte>(words[i % words.size()]);
  return bytes;
}

/// Whatever the blob's reader gives, in pieces of `piece` bytes.
inline Result<core::Bytes> streamed(BlobReader& reader, std::size_t piece) {
  core::Bytes all;
  core::Bytes part(piece);
  for (;;) {
    PERDURE_TRY(const std::size_t count, reader.read(part));
    if (count == 0) return all;
    all.insert(all.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(count));
  }
}

class BlobTest : public testing::Test {
 protected:
  /// Chunks of 4 KiB: a few kilobytes are several of them.
  explicit BlobTest(std::uint32_t chunk_bytes = kBlobChunkBytesMin) : options_{chunk_bytes} {
    open();
  }
  void open() {
    store_.reset();
    store_ = BlobStore::open(directory_.path(), options_).value();
  }
  BlobRef put(core::ByteView content, Durability durability = Durability::full) {
    return store_->put(content, durability).value();
  }
  [[nodiscard]] const BlobDirectory& blobs() const { return store_->directory(); }
  [[nodiscard]] Result<core::Bytes> get(const BlobRef& ref) const {
    return blobs().get(ref, kNoLimit);
  }
  [[nodiscard]] std::filesystem::path file(const BlobRef& ref) const {
    return blobs().place().file(ref.id);
  }
  /// Other bytes under the name. A new file: to overwrite one makes some file systems sync.
  void replace(const BlobRef& ref, std::string_view bytes) const {
    std::filesystem::remove(file(ref));
    set_bytes(file(ref), bytes);
  }
  [[nodiscard]] std::filesystem::path unfinished() const { return blobs().place().unfinished(); }
  [[nodiscard]] std::vector<BlobId> listed() const {
    std::vector<BlobId> ids;
    EXPECT_TRUE(blobs().for_each([&](const ListedBlob& blob) -> Result<void> {
      ids.push_back(blob.id);
      return success();
    }));
    std::ranges::sort(ids);
    return ids;
  }
  /// Everything that the check finds wrong, a line each.
  [[nodiscard]] std::string damages() const {
    std::string lines;
    EXPECT_TRUE(blobs().check_all([&](const CheckedBlob& blob) -> Result<void> {
      if (blob.damage) lines += blob.damage->to_string() + "\n";
      return success();
    }));
    return lines;
  }
  [[nodiscard]] static std::size_t files_in(const std::filesystem::path& directory) {
    if (!std::filesystem::exists(directory)) return 0;
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(directory), {}));
  }
  /// An error of `code` that says `words` and names the blob's file.
  void expect_error(const Error& error, Code code, std::string_view words,
                    const BlobRef& ref) const {
    EXPECT_EQ(error.code, code) << error.message;
    EXPECT_NE(error.message.find(words), std::string::npos) << error.message;
    EXPECT_NE(error.message.find(file(ref).string()), std::string::npos) << error.message;
  }

  TemporaryDirectory directory_;
  BlobStoreOptions options_;
  std::unique_ptr<BlobStore> store_;
};

}  // namespace perdure::journal
