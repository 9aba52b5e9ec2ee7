/// What the codec's tests share.
///
/// What this is: payloads from values and errors from payloads, in one expression each.
/// What it does not: test anything by itself.
#pragma once

#include <perdure/codec.hpp>

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "journal/payload_json.hpp"

namespace perdure::testing_codec {

template <class T>
Bytes payload(const T& value) {
  Result<Bytes> bytes = encode(value);
  EXPECT_TRUE(bytes.has_value()) << (bytes.has_value() ? "" : bytes.error().message);
  return bytes.has_value() ? bytes.value() : Bytes{};
}

/// `value` after it was a payload.
template <class T>
T round_trip(const T& value) {
  Result<T> back = decode<T>(payload(value));
  EXPECT_TRUE(back.has_value()) << (back.has_value() ? "" : back.error().message);
  return back.has_value() ? std::move(back).value() : T{};
}

/// A `To` read from what `value` is stored as.
template <class To, class From>
To read_as(const From& value) {
  Result<To> back = decode<To>(payload(value));
  EXPECT_TRUE(back.has_value()) << (back.has_value() ? "" : back.error().message);
  return back.has_value() ? std::move(back).value() : To{};
}

/// The message of the error that reading `bytes` as a `T` gives; empty if there is none.
template <class T>
std::string decode_error(ByteView bytes) {
  const Result<T> result = decode<T>(bytes);
  if (result.has_value()) return "";
  EXPECT_EQ(result.error().code, Code::undecodable);
  return result.error().message;
}

/// The same for a `To` from what `value` is stored as.
template <class To, class From>
std::string read_error(const From& value) {
  return decode_error<To>(payload(value));
}

template <class T>
std::string encode_error(const T& value, Code code) {
  const Result<Bytes> result = encode(value);
  if (result.has_value()) return "";
  EXPECT_EQ(result.error().code, code);
  return result.error().message;
}

inline std::string hex(const Bytes& bytes) { return core::to_hex(bytes); }

inline std::string json(ByteView bytes) {
  const Result<std::string> text = journal::payload_to_json(bytes);
  return text.has_value() ? text.value() : "error: " + text.error().message;
}

inline Bytes from_json(std::string_view text) {
  const Result<Bytes> bytes = journal::json_to_payload(text);
  EXPECT_TRUE(bytes.has_value()) << (bytes.has_value() ? "" : bytes.error().message);
  return bytes.has_value() ? bytes.value() : Bytes{};
}

inline Bytes raw(std::initializer_list<int> bytes) {
  Bytes result;
  for (const int byte : bytes) result.push_back(static_cast<std::byte>(byte));
  return result;
}

}  // namespace perdure::testing_codec
