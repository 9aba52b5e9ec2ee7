#include "decode.hpp"

#include <array>
#include <utility>

namespace research {
namespace pd = perdure;
namespace {

/// Windows-1252 from 0x80 to 0x9f; the five that it leaves undefined become U+FFFD.
constexpr std::array<char32_t, 32> windows_1252{
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};

constexpr char32_t replacement = 0xfffd;

unsigned byte_at(std::string_view text, std::size_t position) noexcept {
  return static_cast<unsigned char>(text[position]);
}

std::string from_windows_1252(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + bytes.size() / 8);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned byte = byte_at(bytes, i);
    append_utf8(text, byte >= 0x80 && byte < 0xa0 ? windows_1252[byte - 0x80] : char32_t{byte});
  }
  return text;
}

bool is_control(unsigned byte) noexcept { return byte < 0x20 || byte == 0x7f; }

/// What a control character means for the text: a line's end, a blank, or nothing.
void append_control(std::string& text, unsigned byte) {
  if (byte == '\n' || byte == '\f' || byte == '\v') text += '\n';
  if (byte == '\t') text += "    ";
}

std::string without_controls(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned byte = byte_at(bytes, i);
    if (byte == '\r') {
      text += '\n';
      if (i + 1 < bytes.size() && bytes[i + 1] == '\n') ++i;
    } else if (is_control(byte)) {
      append_control(text, byte);
    } else {
      text += bytes[i];
    }
  }
  return text;
}

std::string without_trailing_blanks(std::string_view text) {
  std::string result;
  result.reserve(text.size() + 1);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    line = line.substr(0, line.find_last_not_of(' ') + 1);
    result.append(line).push_back('\n');
  }
  return result;
}

pd::Result<void> check_is_text(std::string_view bytes) {
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) {
    return pd::Error{pd::Code::refused,
                     "is in UTF-16. Convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW."};
  }
  // A few stray control characters happen in text; one in a hundred does not.
  constexpr std::size_t few = 2;
  std::size_t strange = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned byte = byte_at(bytes, i);
    const bool usual = byte == '\n' || byte == '\r' || byte == '\t' || byte == '\f';
    if (byte == 0) strange += few + bytes.size();
    if (is_control(byte) && !usual) ++strange;
  }
  if (strange > few && strange * 100 > bytes.size()) {
    return pd::Error{pd::Code::refused,
                     "is not text. Move it out of the folder, or save it as plain text."};
  }
  return pd::success();
}

}  // namespace

Character character_at(std::string_view text, std::size_t position) noexcept {
  const unsigned lead = byte_at(text, position);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || position + length > text.size()) return {replacement, 1};
  char32_t code = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned byte = byte_at(text, position + i);
    if ((byte & 0xc0) != 0x80) return {replacement, 1};
    code = (code << 6) | (byte & 0x3f);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (overlong || surrogate || code > 0x10ffff) return {replacement, 1};
  return {code, length};
}

bool is_utf8(std::string_view bytes) noexcept {
  for (std::size_t i = 0; i < bytes.size();) {
    const Character character = character_at(bytes, i);
    if (character.code == replacement && character.bytes == 1) return false;
    i += character.bytes;
  }
  return true;
}

void append_utf8(std::string& text, char32_t code) {
  const auto add = [&text](char32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xc0 | (code >> 6));
    add(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    add(0xe0 | (code >> 12));
    add(0x80 | ((code >> 6) & 0x3f));
    add(0x80 | (code & 0x3f));
  } else {
    add(0xf0 | (code >> 18));
    add(0x80 | ((code >> 12) & 0x3f));
    add(0x80 | ((code >> 6) & 0x3f));
    add(0x80 | (code & 0x3f));
  }
}

pd::Result<std::string> decode_text(std::string_view bytes) {
  PERDURE_TRY(check_is_text(bytes));
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  const std::string text = is_utf8(bytes) ? std::string(bytes) : from_windows_1252(bytes);
  return without_trailing_blanks(without_controls(text));
}

}  // namespace research
