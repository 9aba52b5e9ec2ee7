#include "journal/row_key.hpp"

#include "journal/json_text.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

namespace perdure {
inline namespace v0 {
namespace detail {
namespace {

// The first byte of an element says what it is. docs/journal_format.md has the list.
constexpr unsigned kZero = 0x10;  // An integer of n bytes has the tag n above or below it.
constexpr unsigned kIntegerBytes = 8;
constexpr unsigned kFalse = 0x20;
constexpr unsigned kTrue = 0x21;
constexpr unsigned kText = 0x28;
constexpr unsigned kRun = 0x30;
constexpr std::byte kEnd{0};        // Of a text; a zero byte in it
constexpr std::byte kEscaped{255};  // has this behind it.

std::byte byte_of(unsigned value) { return std::byte{static_cast<unsigned char>(value)}; }

/// What stands at the beginning of `bytes`.
std::string_view name_of(ByteView bytes) {
  if (bytes.empty()) return "nothing";
  const auto tag = std::to_integer<unsigned>(bytes.front());
  if (tag >= kZero - kIntegerBytes && tag <= kZero + kIntegerBytes) return "an integer";
  if (tag == kFalse || tag == kTrue) return "a bool";
  if (tag == kText) return "text";
  if (tag == kRun) return "a run's id";
  return "no key";
}

}  // namespace

void append_key(Bytes& to, const KeyInteger& number) {
  const unsigned bytes = static_cast<unsigned>(std::bit_width(number.magnitude) + 7) / 8;
  to.push_back(byte_of(number.is_negative ? kZero - bytes : kZero + bytes));
  // Of negative numbers the complement, so that the larger magnitude comes first.
  const std::uint64_t shown = number.is_negative ? ~number.magnitude : number.magnitude;
  for (unsigned i = bytes; i-- > 0;) to.push_back(byte_of((shown >> (8U * i)) & 0xFFU));
}

void append_key(Bytes& to, std::string_view text) {
  to.push_back(byte_of(kText));
  for (const char c : text) {
    to.push_back(byte_of(static_cast<unsigned char>(c)));
    if (c == '\0') to.push_back(kEscaped);
  }
  to.push_back(kEnd);
}

void append_key(Bytes& to, const RunId& run) {
  to.push_back(byte_of(kRun));
  to.insert(to.end(), run.bytes.begin(), run.bytes.end());
}

void append_key_flag(Bytes& to, bool flag) { to.push_back(byte_of(flag ? kTrue : kFalse)); }

Error KeySource::wrong(std::string_view wanted) const {
  return Error{Code::undecodable, "a row's key holds " + std::string(name_of(left_)) + " where " +
                                      std::string(wanted) +
                                      " belongs: the table was written with another type of key"};
}

Result<KeyInteger> KeySource::integer() {
  if (name_of(left_) != "an integer") return wrong("an integer");
  const auto tag = std::to_integer<unsigned>(left_.front());
  KeyInteger number{tag < kZero, 0};
  const unsigned bytes = number.is_negative ? kZero - tag : tag - kZero;
  if (left_.size() - 1 < bytes) return wrong("a whole integer");
  for (const std::byte byte : left_.subspan(1, bytes)) {
    const auto value = std::to_integer<unsigned>(byte);
    number.magnitude = number.magnitude << 8U | (number.is_negative ? value ^ 0xFFU : value);
  }
  // There is one way to write a number, and the least is -2^63.
  const bool is_shortest = bytes == 0 || number.magnitude >> (8U * (bytes - 1)) != 0;
  if (!is_shortest || (number.is_negative && number.magnitude > std::uint64_t{1} << 63U))
    return wrong("an integer as Perdure writes it");
  left_ = left_.subspan(1 + bytes);
  return number;
}

Result<std::string> KeySource::text() {
  if (name_of(left_) != "text") return wrong("text");
  std::string text;
  for (std::size_t at = 1; at < left_.size(); ++at) {
    text.push_back(static_cast<char>(left_[at]));
    if (left_[at] != kEnd) continue;
    if (at + 1 < left_.size() && left_[at + 1] == kEscaped) {
      ++at;
      continue;
    }
    text.pop_back();
    left_ = left_.subspan(at + 1);
    return text;
  }
  return wrong("text with an end");
}

Result<RunId> KeySource::run() {
  RunId run;
  if (name_of(left_) != "a run's id" || left_.size() - 1 < run.bytes.size())
    return wrong("a run's id");
  std::ranges::copy(left_.subspan(1, run.bytes.size()), run.bytes.begin());
  left_ = left_.subspan(1 + run.bytes.size());
  return run;
}

Result<bool> KeySource::flag() {
  if (name_of(left_) != "a bool") return wrong("a bool");
  const bool flag = left_.front() == byte_of(kTrue);
  left_ = left_.subspan(1);
  return flag;
}

Error key_too_long() {
  return Error{Code::undecodable,
               "a row's key has more elements than the table's type of key: it was written with "
               "another one"};
}

Error key_out_of_range() {
  return Error{Code::undecodable,
               "a row's key holds a number that is out of the range of the table's type of key: "
               "it was written with another one"};
}

}  // namespace detail
}  // namespace v0

namespace journal {

std::optional<std::vector<KeyElement>> parse_row_key(core::ByteView key) {
  std::vector<KeyElement> elements;
  detail::KeySource from(key);
  const auto take = [&](auto element) {
    if (element.has_error()) return false;
    elements.emplace_back(std::move(element).assume_value());
    return true;
  };
  while (!from.at_end())
    if (!take(from.integer()) && !take(from.text()) && !take(from.run()) && !take(from.flag()))
      return std::nullopt;
  if (elements.empty()) return std::nullopt;
  return elements;
}

std::string row_key_json(core::ByteView key) {
  struct Show {
    std::string& out;
    void operator()(bool flag) const { out += flag ? "true" : "false"; }
    void operator()(const detail::KeyInteger& number) const {
      out += (number.is_negative ? "-" : "") + std::to_string(number.magnitude);
    }
    void operator()(const std::string& text) const { append_quoted(out, text); }
    void operator()(const RunId& run) const { append_quoted(out, to_string(run)); }
  };
  std::string json;
  const auto elements = parse_row_key(key);
  if (!elements) {
    append_quoted(json, core::to_hex(key));
    return json;
  }
  for (const KeyElement& element : *elements) {
    if (!json.empty()) json += ',';
    std::visit(Show{json}, element);
  }
  return elements->size() == 1 ? json : "[" + json + "]";
}

}  // namespace journal
}  // namespace perdure
