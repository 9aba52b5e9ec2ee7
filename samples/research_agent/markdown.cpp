#include "markdown.hpp"

#include <algorithm>
#include <utility>

namespace research {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_alnum(char c) noexcept { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

/// Characters, not bytes: what stands in a column.
std::size_t width_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// An underscore between letters means nothing; elsewhere it may begin emphasis.
bool is_inner_underscore(std::string_view text, std::size_t at) noexcept {
  return text[at] == '_' && at > 0 && at + 1 < text.size() && is_alnum(text[at - 1]) &&
         is_alnum(text[at + 1]);
}

/// A word that would begin a list, a heading or a rule if a line began with it.
std::string guarded(std::string_view word) {
  constexpr std::string_view marks = "-+#=";
  const std::size_t digits = std::min(word.find_first_not_of("0123456789"), word.size());
  if (digits > 0 && digits + 1 == word.size() && (word[digits] == '.' || word[digits] == ')')) {
    return std::string(word.substr(0, digits)) + "\\" + std::string(word.substr(digits));
  }
  const bool only_marks = !word.empty() && marks.find(word.front()) != std::string_view::npos &&
                          std::ranges::all_of(word, [&](char c) { return c == word.front(); });
  return only_marks ? "\\" + std::string(word) : std::string(word);
}

std::string padded(const std::string& cell, std::size_t width, Align align) {
  const std::string blanks(width - std::min(width, width_of(cell)), ' ');
  return align == Align::left ? cell + blanks : blanks + cell;
}

}  // namespace

std::string escaped(std::string_view text) {
  constexpr std::string_view special = "\\`*_[]<>|~&$";
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      result += ' ';
      continue;
    }
    const bool means_something = special.find(text[i]) != std::string_view::npos;
    if (means_something && !is_inner_underscore(text, i)) result += '\\';
    result += text[i];
  }
  return result;
}

std::string wrapped(std::string_view markdown, std::string_view first, std::string_view rest) {
  std::string result(first);
  std::size_t column = width_of(first);
  bool line_start = true;
  while (!markdown.empty()) {
    const std::size_t end = std::min(markdown.find(' '), markdown.size());
    const std::string_view word = markdown.substr(0, end);
    markdown.remove_prefix(std::min(end + 1, markdown.size()));
    if (word.empty()) continue;
    if (!line_start && column + 1 + width_of(word) > wrap_columns) {
      result.append("\n").append(rest);
      column = width_of(rest);
      line_start = true;
    }
    const std::string shown = line_start ? guarded(word) : std::string(word);
    if (!line_start) result += ' ';
    result += shown;
    column += width_of(shown) + (line_start ? 0 : 1);
    line_start = false;
  }
  return result + "\n";
}

std::string grouped(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string counted(std::uint64_t n, std::string_view noun) {
  return grouped(n) + " " + std::string(noun) + (n == 1 ? "" : "s");
}

void Table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::markdown() const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = std::max<std::size_t>(3, width_of(columns_[c].title));
    for (const auto& row : rows_) width = std::max(width, width_of(row[c]));
    widths.push_back(width);
  }
  std::string result = "|";
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    result += " " + padded(columns_[c].title, widths[c], columns_[c].align) + " |";
  }
  result += "\n|";
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const bool right = columns_[c].align == Align::right;
    result += " " + std::string(widths[c] - (right ? 1 : 0), '-') + (right ? ":" : "") + " |";
  }
  result += "\n";
  for (const auto& row : rows_) {
    result += "|";
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      result += " " + padded(row[c], widths[c], columns_[c].align) + " |";
    }
    result += "\n";
  }
  return result;
}

}  // namespace research
