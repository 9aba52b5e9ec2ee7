#include "core/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace perdure::core {
namespace {

/// A step's path, as little-endian numbers.
constexpr std::array kPlace{std::byte{3}, std::byte{0}, std::byte{0}, std::byte{0},
                            std::byte{1}, std::byte{0}, std::byte{0}, std::byte{0}};

/// The published outputs of SplitMix64 seeded with 0 and with 1234567.
TEST(Random, SplitMixIsTheOneThatWasPublished) {
  const std::array<std::uint64_t, 3> from_0{0xe220a8397b1dcdafU, 0x6e789e6aa1b965f4U,
                                            0x06c45d188009454fU};
  const std::array<std::uint64_t, 3> from_1234567{6457827717110365317U, 3203168211198807973U,
                                                  9817491932198370423U};
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(split_mix((i + 1) * kSplitMixStep), from_0[i]);
    EXPECT_EQ(split_mix(1234567 + (i + 1) * kSplitMixStep), from_1234567[i]);
  }
}

/// Handlers drew these numbers before they were suspended: they never change, under any compiler.
TEST(Random, DrawsAreTheSameForEver) {
  EXPECT_EQ(draw_at(42, kPlace, 0), 0x294739c26c99162bU);
  EXPECT_EQ(draw_at(42, kPlace, 1), 0x4b59d5b78e4fe684U);
  EXPECT_EQ(draw_at(42, kPlace, 2), 0x409c88b11b72dff0U);
  EXPECT_EQ(draw_at(0, {}, 0), 0x59b0ed710b28abeeU);
  EXPECT_EQ(draw_at(~std::uint64_t{0}, kPlace, ~std::uint64_t{0}), 0x407b8407d082c8c7U);
}

TEST(Random, DrawsDifferBySeedPlaceAndNumber) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (std::size_t length = 0; length <= kPlace.size(); length += 4)
      for (std::uint64_t draw = 0; draw < 100; ++draw)
        seen.insert(draw_at(seed, ByteView(kPlace).first(length), draw));
  EXPECT_EQ(seen.size(), 10U * 3U * 100U);
}

TEST(Random, ASeededStreamIsReproducible) {
  SeededRandom one(99);
  SeededRandom same(99);
  SeededRandom other(100);
  EXPECT_EQ(one.next(), 0x42f3a9364c476be3U);
  EXPECT_EQ(one.next(), 0x081ab918879d69a4U);
  EXPECT_EQ(same.next(), 0x42f3a9364c476be3U);
  EXPECT_NE(other.next(), 0x42f3a9364c476be3U);
  std::array<std::byte, 11> bytes{};
  std::array<std::byte, 11> again{};
  SeededRandom(5).fill(bytes);
  SeededRandom(5).fill(again);
  EXPECT_EQ(bytes, again);
}

TEST(Random, TheSystemsFillsAllOfAnyLength) {
  SystemRandom random;
  random.fill({});
  // All 300 bytes: each is set to something else than before in some of 20 fillings.
  std::array<bool, 300> changed{};
  for (int i = 0; i < 20; ++i) {
    std::array<std::byte, 300> bytes{};
    random.fill(bytes);
    for (std::size_t at = 0; at < bytes.size(); ++at)
      changed[at] = changed[at] || bytes[at] != std::byte{0};
  }
  for (const bool one : changed) EXPECT_TRUE(one);
  EXPECT_NE(random.next(), random.next());
}

}  // namespace
}  // namespace perdure::core
