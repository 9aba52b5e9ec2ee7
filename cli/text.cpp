#include "cli/text.hpp"

#include <algorithm>
#include <array>

namespace perdure::cli {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t N>
bool within(const std::array<Range, N>& ranges, char32_t code) noexcept {
  const auto above = std::ranges::upper_bound(ranges, code, {}, &Range::first);
  return above != ranges.begin() && code <= std::prev(above)->last;
}

/// Control characters, and marks that reorder or part the text around them.
constexpr std::array kUnsafe = {
    Range{0x0000, 0x001F}, Range{0x007F, 0x009F}, Range{0x061C, 0x061C},
    Range{0x200E, 0x200F}, Range{0x2028, 0x202E}, Range{0x2060, 0x206F},
    Range{0xFEFF, 0xFEFF}, Range{0xFFF9, 0xFFFB}, Range{0xE0000, 0xE007F}};

/// They stand on the character before them.
constexpr std::array kCombining = {
    Range{0x0300, 0x036F}, Range{0x0483, 0x0489}, Range{0x0591, 0x05BD},  Range{0x064B, 0x065F},
    Range{0x1AB0, 0x1AFF}, Range{0x1DC0, 0x1DFF}, Range{0x200B, 0x200D},  Range{0x20D0, 0x20FF},
    Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}, Range{0xE0100, 0xE01EF}};

/// Two columns, by the blocks of Unicode's EastAsianWidth.txt that matter.
constexpr std::array kWide = {
    Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0x33FF},
    Range{0x3400, 0x4DBF},   Range{0x4E00, 0x9FFF},   Range{0xA000, 0xA4CF},
    Range{0xA960, 0xA97F},   Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},
    Range{0xFE30, 0xFE6F},   Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},
    Range{0x1F300, 0x1F64F}, Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1F9FF},
    Range{0x20000, 0x3FFFD}};

std::size_t width_of(char32_t code) noexcept {
  if (code < 0x300) return 1;
  if (within(kCombining, code)) return 0;
  return within(kWide, code) ? 2 : 1;
}

std::string hex(char32_t code, std::size_t digits) {
  std::string text;
  for (; code != 0 || text.size() < digits; code >>= 4U)
    text.insert(text.begin(), "0123456789abcdef"[code & 15U]);
  return text;
}

std::string escaped(const Character& character) {
  if (!character.valid) return "\\x" + hex(character.code, 2);
  switch (character.code) {
    case U'\n': return "\\n";
    case U'\r': return "\\r";
    case U'\t': return "\\t";
    default: break;
  }
  if (character.code < 0x100) return "\\x" + hex(character.code, 2);
  return "\\u{" + hex(character.code, 4) + "}";
}

}  // namespace

Character character_at(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const Character invalid{lead, 1, false};
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || length > text.size() - at) return invalid;
  char32_t code = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return invalid;
    code = (code << 6U) | (byte(at + i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
    return invalid;
  return {code, length, true};
}

bool is_unsafe(char32_t code) noexcept { return within(kUnsafe, code); }

std::string safe_line(std::string_view text, std::size_t columns) {
  std::string line;
  std::size_t width = 0;
  // How much of the line leaves room for the ellipsis.
  std::size_t keep = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (character.valid && !is_unsafe(character.code)) {
      line += text.substr(at, character.bytes);
      width += width_of(character.code);
    } else {
      const std::string escape = escaped(character);
      line += escape;
      width += escape.size();
    }
    at += character.bytes;
    if (width > columns) {
      line.resize(keep);
      return columns == 0 ? line : line + "…";
    }
    if (width < columns) keep = line.size();
  }
  return line;
}

std::vector<std::string> safe_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (true) {
    const std::size_t end = text.find('\n');
    lines.push_back(safe_line(text.substr(0, end)));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::string first_line(std::string_view text, std::size_t columns) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return safe_line(text, columns);
  return safe_line(std::string(text.substr(0, end)) + " …", columns);
}

std::size_t columns_of(std::string_view line) noexcept {
  std::size_t width = 0;
  for (std::size_t at = 0; at < line.size();) {
    const Character character = character_at(line, at);
    width += width_of(character.code);
    at += character.bytes;
  }
  return width;
}

}  // namespace perdure::cli
