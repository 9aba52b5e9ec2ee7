// A gigabyte goes through a few megabytes of memory.
#include "tests/journal/blob_fixture.hpp"

#include <cstring>
#include <fstream>

namespace perdure::journal {
namespace {

constexpr std::uint64_t kBytes = std::uint64_t{1} << 30U;
constexpr std::size_t kPiece = std::size_t{300} << 10U;

/// The most memory that this process ever had, in kibibytes.
std::uint64_t most_memory_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:") {
      std::uint64_t kib = 0;
      status >> kib;
      return kib;
    }
  return 0;
}

class BlobLargeTest : public BlobTest {
 protected:
  BlobLargeTest() : BlobTest(kBlobChunkBytes) {}
  /// Each 300 KiB of the content differ from the others in their first bytes; `noise` parts of 16
  /// don't shrink.
  void make_piece(std::uint64_t number, std::uint64_t noise, core::Bytes& piece) const {
    piece = number % 16 < noise ? noise_ : words_;
    std::memcpy(piece.data(), &number, sizeof number);
  }
  void goes_through(std::uint64_t bytes, std::uint64_t noise) {
    core::Bytes piece;
    make_piece(0, noise, piece);
    core::Bytes part(kPiece);
    const std::uint64_t before = most_memory_kib();
    ASSERT_GT(before, 0U);
    const auto writer = store_->begin(Durability::none).value();
    for (std::uint64_t i = 0; i * kPiece < bytes; ++i) {
      make_piece(i, noise, piece);
      ASSERT_TRUE(writer->append(piece));
    }
    const BlobRef ref = writer->finish().value();
    const auto reader = blobs().open(ref).value();
    std::uint64_t i = 0;
    for (; reader->read(part).value() != 0; ++i) {
      make_piece(i, noise, piece);
      ASSERT_EQ(std::memcmp(part.data(), piece.data(), kPiece), 0) << i;
    }
    ASSERT_EQ(i * kPiece, ref.bytes);
    ASSERT_GE(ref.bytes, bytes);
    ASSERT_TRUE(reader->check());
    EXPECT_LT(most_memory_kib() - before, 8U << 10U);
  }

  const core::Bytes words_ = content_of(Content::words, kPiece, 1);
  const core::Bytes noise_ = content_of(Content::noise, kPiece, 1);
};

TEST_F(BlobLargeTest, AGigabyteThatShrinks) { goes_through(kBytes, 0); }
TEST_F(BlobLargeTest, ASixteenthOfItThatDoesNot) { goes_through(kBytes / 16, 16); }
TEST_F(BlobLargeTest, AGigabyteOfBoth) { goes_through(kBytes, 1); }

}  // namespace
}  // namespace perdure::journal
