#include "journal/codec_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace perdure::journal::words {
namespace {

constexpr std::size_t kPrinted = 64;

template <class T>
std::string shortest(T value) {
  std::array<char, 64> room{};
  const auto end = std::to_chars(room.data(), room.data() + room.size(), value);
  return {room.data(), end.ptr};
}

}  // namespace

std::string join(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

std::string what_is(const Reader& reader) {
  switch (reader.kind()) {
    case PayloadKind::null: return "nothing (null)";
    case PayloadKind::boolean: return "true or false";
    case PayloadKind::integer: {
      std::int64_t value = 0;
      static_cast<void>(reader.integer(value, std::numeric_limits<std::int64_t>::min(),
                                       std::numeric_limits<std::int64_t>::max()));
      return "the integer " + std::to_string(value);
    }
    case PayloadKind::natural: {
      std::uint64_t value = 0;
      static_cast<void>(reader.natural(value, std::numeric_limits<std::uint64_t>::max()));
      return "the integer " + std::to_string(value);
    }
    case PayloadKind::number: {
      double value = 0;
      static_cast<void>(reader.number(value));
      return "the number " + decimal(value);
    }
    case PayloadKind::text: return "text";
    case PayloadKind::list: return "a list";
    case PayloadKind::map: return "a map";
    case PayloadKind::bytes: return "bytes";
    case PayloadKind::damaged: break;
  }
  return "damaged bytes";
}

std::string integer_between(std::int64_t least, std::int64_t most) {
  switch (most) {
    case std::numeric_limits<std::int8_t>::max(): return "an 8-bit integer (-128 to 127)";
    case std::numeric_limits<std::int16_t>::max(): return "a 16-bit integer (-32768 to 32767)";
    case std::numeric_limits<std::int32_t>::max(): return "a 32-bit integer";
    case std::numeric_limits<std::int64_t>::max(): return "a 64-bit integer";
    default: break;
  }
  return join({"an integer from ", std::to_string(least), " to ", std::to_string(most)});
}

std::string natural_up_to(std::uint64_t most) {
  switch (most) {
    case std::numeric_limits<std::uint8_t>::max(): return "an unsigned 8-bit integer (0 to 255)";
    case std::numeric_limits<std::uint16_t>::max():
      return "an unsigned 16-bit integer (0 to 65535)";
    case std::numeric_limits<std::uint32_t>::max(): return "an unsigned 32-bit integer";
    case std::numeric_limits<std::uint64_t>::max(): return "an unsigned 64-bit integer";
    default: break;
  }
  return "an integer from 0 to " + std::to_string(most);
}

std::string printable(std::string_view text) {
  std::string result(text.substr(0, kPrinted));
  std::replace_if(
      result.begin(), result.end(),
      [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte >= 0x7F;
      },
      '?');
  if (text.size() > kPrinted) result += "...";
  return result;
}

bool same_in_decimal(float narrow, double wide) { return shortest(narrow) == shortest(wide); }

std::string decimal(double value) {
  std::string text = shortest(value);
  // "3" would read back as an integer; "inf" and "nan" are the caller's.
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

}  // namespace perdure::journal::words
