#include "cli/json.hpp"

#include "cli/text.hpp"

namespace perdure::cli {
namespace {

std::string unit(char32_t code) {
  std::string text = "\\u0000";
  for (std::size_t i = text.size(); i-- > 2; code >>= 4U) text[i] = "0123456789abcdef"[code & 15U];
  return text;
}

/// `\u202e`, or two of them for what lies above the 16 bits that JSON's escapes have.
std::string escape(char32_t code) {
  if (code < 0x10000) return unit(code);
  return unit(0xD800 + ((code - 0x10000) >> 10U)) + unit(0xDC00 + ((code - 0x10000) & 0x3FFU));
}

std::string escape_in_string(char32_t code) {
  switch (code) {
    case U'"': return "\\\"";
    case U'\\': return "\\\\";
    case U'\n': return "\\n";
    case U'\r': return "\\r";
    case U'\t': return "\\t";
    default: return is_unsafe(code) ? escape(code) : std::string();
  }
}

/// Most of every text: nothing to look up.
bool is_plain(char character) noexcept {
  return character >= 0x20 && character < 0x7F && character != '"' && character != '\\';
}

/// What stands instead of a character, by `escape_of`; empty: the character itself.
template <class EscapeOf>
void append_escaped(std::string& out, std::string_view text, EscapeOf escape_of) {
  // Runs of what needs no escape are copied together.
  std::size_t copied = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (is_plain(text[at])) {
      ++at;
      continue;
    }
    const Character character = character_at(text, at);
    const std::string instead = character.valid ? escape_of(character.code) : std::string("\ufffd");
    if (!instead.empty()) {
      out += text.substr(copied, at - copied);
      out += instead;
      copied = at + character.bytes;
    }
    at += character.bytes;
  }
  out += text.substr(copied);
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  append_escaped(quoted, text, &escape_in_string);
  return quoted + '"';
}

std::string safe_json(std::string_view text) {
  std::string line;
  // Valid JSON has raw control characters only between its tokens.
  append_escaped(line, text, [](char32_t code) {
    if (code == U'\n' || code == U'\r' || code == U'\t') return std::string(" ");
    return is_unsafe(code) ? escape(code) : std::string();
  });
  return line;
}

std::string JsonObject::line() const {
  std::string text = "{";
  for (const auto& [name, value] : fields_) {
    if (text.size() > 1) text += ',';
    text += json_string(name);
    text += ':';
    text += value;
  }
  return text + '}';
}

}  // namespace perdure::cli
