#include "core/bytes.hpp"

#include <gtest/gtest.h>

#include <array>

namespace perdure::core {
namespace {

/// Checksums are written to journals: these numbers never change. The first is XXH3's published
/// value for no bytes, the others are xxhash 0.8.1's; the last is long enough for XXH3's long form.
TEST(Bytes, ChecksumIsXxh3ForEver) {
  EXPECT_EQ(checksum({}), 0x2d06800538d394c2U);
  EXPECT_EQ(checksum(as_bytes("perdure")), 0xa5a535dcc752e0a6U);
  EXPECT_EQ(checksum(as_bytes("perdure"), 7), 0x5b3a2765681596bbU);
  std::string text;
  for (unsigned i = 0; i < 1000; ++i) text.push_back(static_cast<char>((i * 7) % 256));
  EXPECT_EQ(checksum(as_bytes(text)), 0x10ad30264426c830U);
}

TEST(Bytes, Hash128IsXxh3ForEver) {
  EXPECT_EQ(hash128({}), (Hash128{0x99aa06d3014798d8U, 0x6001c324468d497fU}));
  EXPECT_EQ(hash128(as_bytes("trip/alice-lisbon")),
            (Hash128{0xdf27e2a5731c0bb5U, 0x5bd430493d82f795U}));
  EXPECT_EQ(hash128(as_bytes("trip/alice-lisbon"), 1),
            (Hash128{0xc31e111c8a313f5fU, 0x4715d98b03d10a00U}));
}

TEST(Bytes, AChecksumSeesEveryFlippedBit) {
  Bytes bytes(300, std::byte{0x5a});
  const std::uint64_t whole = checksum(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto flip = static_cast<std::byte>(1U << (bit % 8));
    bytes[bit / 8] ^= flip;
    EXPECT_NE(checksum(bytes), whole) << "bit " << bit;
    bytes[bit / 8] ^= flip;
  }
  EXPECT_EQ(checksum(bytes), whole);
}

TEST(Bytes, TextAndBytesAreTwoViewsOfTheSame) {
  const std::string text("a\0b", 3);
  const ByteView bytes = as_bytes(text);
  ASSERT_EQ(bytes.size(), 3U);
  EXPECT_EQ(bytes[1], std::byte{0});
  EXPECT_EQ(as_text(bytes), text);
  EXPECT_EQ(as_text(bytes).data(), text.data());
}

TEST(Bytes, HexHasTwoDigitsAByte) {
  EXPECT_EQ(to_hex({}), "");
  const std::array bytes{std::byte{0x00}, std::byte{0x9f}, std::byte{0xff}};
  EXPECT_EQ(to_hex(bytes), "009fff");
}

}  // namespace
}  // namespace perdure::core
