#include "core/ids.hpp"

#include <span>

namespace perdure {
inline namespace v0 {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kLength = 26;

int digit_of(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'I' || c == 'L') return 1;
  if (c == 'O') return 0;
  const auto at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::string to_string(const RunId& id) {
  // 26 digits of 5 bits hold 130 bits: two zero bits stand before the 128.
  std::string text(kLength, '0');
  for (std::size_t i = 0; i < kLength; ++i) {
    unsigned digit = 0;
    for (std::size_t bit = i * 5; bit < i * 5 + 5; ++bit) {
      digit <<= 1U;
      if (bit < 2) continue;
      const std::size_t at = bit - 2;
      digit |= (std::to_integer<unsigned>(id.bytes[at / 8]) >> (7 - at % 8)) & 1U;
    }
    text[i] = kAlphabet[digit];
  }
  return text;
}

Result<RunId> RunId::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return Error{Code::misuse,
                 "'" + std::string(text.substr(0, 64)) + "' is no run id: " + std::string(why) +
                     " (a run id has 26 characters, e.g. " + "01JD3Z5V7Q8R9S0T1V2W3X4Y5Z)"};
  };
  if (text.size() != kLength) return wrong("it has " + std::to_string(text.size()) + " characters");
  RunId id;
  for (std::size_t i = 0; i < kLength; ++i) {
    const int digit = digit_of(text[i]);
    if (digit < 0) return wrong("character " + std::to_string(i + 1) + " is not of base 32");
    if (i == 0 && digit > 7) return wrong("it is above 128 bits");
    for (std::size_t k = 0; k < 5; ++k) {
      const std::size_t bit = i * 5 + k;
      if (bit < 2) continue;
      const std::size_t at = bit - 2;
      if (((static_cast<unsigned>(digit) >> (4 - k)) & 1U) != 0)
        id.bytes[at / 8] |= std::byte{static_cast<unsigned char>(1U << (7 - at % 8))};
    }
  }
  return id;
}

}  // namespace v0

namespace core {

RunId draw_run_id(Clock& clock, Random& random) {
  RunId id;
  random.fill(std::span(id.bytes).subspan(6));
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock.wall().time_since_epoch());
  auto rest = static_cast<std::uint64_t>(now.count());
  for (std::size_t i = 6; i-- > 0; rest >>= 8U)
    id.bytes[i] = std::byte{static_cast<unsigned char>(rest & 255U)};
  return id;
}

}  // namespace core
}  // namespace perdure
