/// What the tests of values share: a value sealed under a key, and read again.
#pragma once

#include "journal/session_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>

namespace perdure::journal {

inline const Key kKey = Key{}.add(std::uint64_t{7}).add(std::uint32_t{1});

template <class T>
core::Bytes sealed(const T& value, RecordNumber number = 42, const Key& key = kKey) {
  core::Bytes bytes(kEnvelopeBytes);
  encode_body(value, bytes);
  seal(key.view(), bytes, T::kKind, number);
  return bytes;
}

template <class T>
T reload(RecordBuffer& buffer, const T& value) {
  const Result<void> loaded = buffer.load(kKey.view(), sealed(value));
  EXPECT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(buffer.kind(), T::kKind);
  EXPECT_EQ(buffer.number(), 42U);
  return buffer.as<T>().value();
}

inline bool same(core::ByteView a, core::ByteView b) { return std::ranges::equal(a, b); }
inline bool same(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b) {
  return std::ranges::equal(a, b);
}

inline bool same(const PayloadView& a, const PayloadView& b) {
  return a.blob() == b.blob() && same(a.inlined(), b.inlined());
}

inline const std::array<std::uint32_t, 3> kPath{3, 0, 1};

}  // namespace perdure::journal
