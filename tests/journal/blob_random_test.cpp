// Random content in random pieces, random ranges, and random damage: what is given is right.
#include "tests/journal/blob_fixture.hpp"

#include <optional>

namespace perdure::journal {
namespace {

Content kind_by(std::uint64_t number) { return static_cast<Content>(number % 3); }

/// Mostly small, some of many chunks, some at a chunk's end.
std::size_t size_by(Dice& dice) {
  switch (dice.below(4)) {
    case 0: return dice.below(200);
    case 1: return dice.below(5) * 4096 + dice.below(3) - (dice.below(2) == 0 ? 0 : 1) + 1;
    case 2: return dice.below(20'000);
    default: return dice.below(150'000);
  }
}

class BlobRandomTest : public BlobTest {
 protected:
  Result<BlobRef> put_in_pieces(core::ByteView content, Dice& dice) {
    PERDURE_TRY(const auto writer, store_->begin(Durability::none));
    while (!content.empty()) {
      const std::size_t piece = std::min<std::size_t>(content.size(), 1 + dice.below(9000));
      PERDURE_TRY(writer->append(content.first(piece)));
      content = content.subspan(piece);
    }
    return writer->finish();
  }
};

TEST_F(BlobRandomTest, WhateverIsPutInWhateverPiecesIsReadInWhateverRanges) {
  Dice dice(1);
  for (std::uint64_t round = 0; round < 300; ++round) {
    options_.chunk_bytes = kBlobChunkBytesMin << dice.below(6);
    open();
    const core::Bytes content = content_of(kind_by(dice.below(3)), size_by(dice), dice.below(100));
    const BlobRef ref = put_in_pieces(content, dice).value();
    ASSERT_EQ(put(content, Durability::none), ref) << "however it was cut";
    ASSERT_EQ(get(ref).value(), content);
    const auto reader = blobs().open(ref).value();
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t offset = dice.below(content.size() + 10);
      core::Bytes part(dice.below(10'000));
      const std::size_t count = reader->read_at(offset, part).value();
      const std::size_t left = offset < content.size() ? content.size() - offset : 0;
      ASSERT_EQ(count, std::min(left, part.size()));
      ASSERT_TRUE(std::equal(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(count),
                             content.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(
                                                   offset, content.size()))));
    }
    ASSERT_EQ(streamed(*reader, 1 + dice.below(10'000)).value(), content);
  }
  EXPECT_EQ(damages(), "");
}

/// Flips, cuts, additions and pieces of the file at other places of it.
void damage(std::string& bytes, Dice& dice) {
  const std::size_t size = bytes.size();
  const std::size_t at = dice.below(size);
  switch (dice.below(6)) {
    case 0:
    case 1:
    case 2: bytes[at] = static_cast<char>(bytes[at] ^ (1 << dice.below(8))); break;
    case 3: bytes.resize(at); break;
    case 4: bytes += dice.text(1 + dice.below(100)); break;
    default: {
      const std::size_t length = 1 + dice.below(std::min<std::size_t>(size, 6000));
      bytes.replace(at, length, bytes.substr(dice.below(size), length));
      bytes.resize(size, '\0');
    }
  }
}

TEST_F(BlobRandomTest, OfADamagedFileNothingWrongIsEverGiven) {
  Dice dice(7);
  int damaged = 0;
  for (std::uint64_t each = 0; each < 12; ++each) {
    const core::Bytes content = content_of(kind_by(each), 1 + dice.below(40'000), each);
    const BlobRef ref = put(content, Durability::none);
    const std::string good = bytes_of(file(ref));
    for (int round = 0; round < 400; ++round) {
      std::string bytes = good;
      for (std::uint64_t i = dice.below(2) + 1; i > 0 && !bytes.empty(); --i) damage(bytes, dice);
      if (bytes == good) continue;
      replace(ref, bytes);
      const auto whole = get(ref);
      ASSERT_FALSE(whole) << "there is no byte of the file that does not matter";
      ASSERT_TRUE(whole.error().code == Code::corrupt || whole.error().code == Code::newer_format);
      ASSERT_NE(whole.error().message.find(file(ref).string()), std::string::npos);
      ++damaged;
      const auto reader = blobs().open(ref);
      if (!reader) continue;
      // What can be read of it is right.
      for (std::uint64_t offset = 0; offset < content.size(); offset += 1000) {
        core::Bytes part(1000);
        const auto count = reader.value()->read_at(offset, part);
        if (count)
          ASSERT_TRUE(std::equal(part.begin(),
                                 part.begin() + static_cast<std::ptrdiff_t>(count.value()),
                                 content.begin() + static_cast<std::ptrdiff_t>(offset)));
      }
      ASSERT_FALSE(reader.value()->check());
    }
  }
  EXPECT_GT(damaged, 4000);
}

/// Small sizes that a header may claim whatever the file is, with checksums that hold: nothing is
/// allocated for them.
TEST_F(BlobRandomTest, AClaimIsNotAllocated) {
  const std::uint64_t claimed = std::uint64_t{1} << 38U;
  BlobHeader header;
  header.bytes = claimed;
  header.chunk_bytes = kBlobChunkBytesMax;
  header.index = kBlobHeaderBytes + header.chunks();
  // A file with a row for each chunk; of the chunks there is a byte each.
  std::string rows;
  for (std::uint64_t i = 0; i < header.chunks(); ++i) {
    const RawBlobRow row = encode(BlobRow{kBlobHeaderBytes + i, 1, BlobForm::zstd, 0});
    header.index_checksum = with_row(header.index_checksum, row);
    rows += core::as_text(row);
  }
  const BlobRef ref{header.id, claimed};
  std::filesystem::create_directories(file(ref).parent_path());
  set_bytes(file(ref),
            std::string(core::as_text(encode(header))) + std::string(header.chunks(), 'x') + rows);
  const auto reader = blobs().open(ref);
  ASSERT_TRUE(reader) << reader.error().message;
  const auto whole = blobs().get(ref, ~std::uint64_t{0});
  ASSERT_FALSE(whole);
  expect_error(whole.error(), Code::corrupt, "chunk 0", ref);
}

}  // namespace
}  // namespace perdure::journal
