#include "headings.hpp"

#include "prose.hpp"
#include "words.hpp"

#include <algorithm>

namespace research {
namespace {

constexpr std::size_t title_bytes_max = 80;
constexpr std::size_t title_words_max = 10;

bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

/// Where the line after `at` begins, or the document's end.
std::size_t after_line(const std::vector<Line>& lines, std::size_t at) {
  return lines[at].begin + lines[at].text.size();
}

/// At least three letters, and no small ones.
bool is_all_capitals(std::string_view line) noexcept {
  return std::ranges::count_if(line, is_upper) >= 3 && std::ranges::none_of(line, is_lower);
}

/// Whether a phrase is written like a title: at least half of its words begin with capitals, and
/// three quarters of the longer ones.
bool is_title_case(std::string_view text) {
  const std::vector<Token> tokens = tokens_of(text);
  std::size_t small = 0;
  std::size_t small_or_short = 0;
  for (const Token& token : tokens) {
    if (!is_lower(token.text.front())) continue;
    ++small_or_short;
    if (token.text.size() >= 4) ++small;
  }
  if (small_or_short * 2 > tokens.size()) return false;
  return !tokens.empty() && !is_lower(tokens.front().text.front()) &&
         (small == 0 || tokens.size() >= 4 * small);
}

/// The number at the start of a line: "7." or "2.1" with the title after it.
struct Numbered {
  std::size_t depth = 0;
  unsigned number = 0;
  std::string_view label;
  std::string_view rest;
};

std::optional<Numbered> numbered(std::string_view line) {
  Numbered result;
  std::size_t i = 0;
  while (i < line.size() && is_digit(line[i])) {
    unsigned number = 0;
    const std::size_t begin = i;
    for (; i < line.size() && is_digit(line[i]); ++i) {
      number = number * 10 + static_cast<unsigned>(line[i] - '0');
    }
    if (i - begin > 2) return {};  // A year or a street, not a section.
    if (result.depth++ == 0) result.number = number;
    if (i >= line.size() || line[i] != '.') break;
    ++i;
  }
  const bool dotted = i > 0 && line[i - 1] == '.';
  if (result.depth == 0 || (result.depth == 1 && !dotted)) return {};
  if (i >= line.size() || line[i] != ' ') return {};
  result.label = line.substr(0, dotted ? i - 1 : i);
  result.rest = trimmed(line.substr(i));
  if (result.rest.empty()) return {};
  return result;
}

std::string with_label(std::string_view label, std::string_view title) {
  return std::string(label) + ". " + std::string(title);
}

/// The first words of a paragraph, for one that has a number but no title.
std::string first_words(std::string_view text) {
  constexpr std::size_t words = 7;
  const std::vector<Token> tokens = tokens_of(text);
  if (tokens.size() <= words) return std::string(text);
  const Token& last = tokens[words - 1];
  return std::string(text.substr(0, last.begin + last.text.size())) + " …";
}

/// A numbered block: the number, and a title that is a line of its own, that runs into the text, or
/// that is missing.
std::optional<Heading> numbered_heading(const std::vector<Line>& lines, Block block) {
  const Line& line = lines[block.first];
  const std::optional<Numbered> found = numbered(line.text);
  if (!found) return {};
  Heading heading;
  heading.level = static_cast<std::uint32_t>(found->depth);
  heading.begin = line.begin;
  if (found->depth == 1) heading.number = found->number;

  const bool alone = block.last - block.first == 1;
  const bool closed = found->rest.ends_with('.') || is_all_capitals(found->rest);
  const std::string first = split_sentences(found->rest).front();
  const bool one_sentence = first.size() == found->rest.size();
  if ((alone || closed) && one_sentence && looks_like_title(found->rest) &&
      is_title_case(found->rest)) {
    std::string_view title = found->rest;
    if (title.ends_with('.')) title.remove_suffix(1);
    heading.title = with_label(found->label, title);
    heading.body = after_line(lines, block.first);
    return heading;
  }
  if (found->depth > 1) return {};  // "1.1. In the text" is a paragraph of its section.
  const std::size_t rest_begin =
      line.begin + static_cast<std::size_t>(found->rest.data() - line.text.data());
  const std::string_view run_in = std::string_view(first).substr(0, first.size() - 1);
  const bool has_run_in =
      !one_sentence && first.ends_with('.') && looks_like_title(run_in) && is_title_case(run_in);
  heading.title =
      with_label(found->label, has_run_in ? std::string(run_in) : first_words(found->rest));
  heading.body = has_run_in ? rest_begin + first.size() : rest_begin;
  return heading;
}

std::optional<Heading> underlined_heading(const std::vector<Line>& lines, std::size_t at,
                                          std::size_t last) {
  if (at + 1 >= last || is_rule(lines[at].text) || !is_rule(lines[at + 1].text)) return {};
  const char mark = lines[at + 1].text.front();
  if ((mark != '=' && mark != '-' && mark != '~') || lines[at].text.size() > title_bytes_max) {
    return {};
  }
  Heading heading;
  heading.title = std::string(lines[at].text);
  heading.level = mark == '=' ? 1 : mark == '-' ? 2 : 3;
  heading.begin = lines[at].begin;
  heading.body = after_line(lines, at + 1);
  return heading;
}

/// Up to three lines in capitals that are no sentence.
std::optional<Heading> capitals_heading(const std::vector<Line>& lines, Block block) {
  const std::size_t count = block.last - block.first;
  if (count > 3 || (count > 1 && lines[block.last - 1].text.ends_with('.'))) return {};
  Heading heading;
  heading.begin = lines[block.first].begin;
  for (std::size_t i = block.first; i < block.last; ++i) {
    const std::string_view line = lines[i].text;
    if (!is_all_capitals(line) || line.size() > title_bytes_max ||
        count_words(line) > title_words_max) {
      return {};
    }
    if (!heading.title.empty()) heading.title += ' ';
    heading.title += line;
  }
  heading.body = after_line(lines, block.last - 1);
  return heading;
}

/// A short line on its own: "Preamble", "Definitions:", "How to Apply These Terms".
std::optional<Heading> lone_heading(const std::vector<Line>& lines, Block block) {
  std::string_view line = lines[block.first].text;
  if (block.last - block.first != 1) return {};
  // "APPENDIX: How to apply …" is a title although it ends like a sentence.
  const std::size_t colon = line.find(':');
  const bool announced = colon != std::string_view::npos && colon + 1 < line.size() &&
                         is_all_capitals(line.substr(0, colon));
  if (announced && line.ends_with('.')) line.remove_suffix(1);
  if (line.ends_with(':') && count_words(line) <= 3) line.remove_suffix(1);
  const bool plain = line.find_first_of("<>(){}@,;/\\=") == std::string_view::npos;
  if (!plain || line.ends_with('.') || !looks_like_title(line)) return {};
  if (!announced && !is_title_case(line)) return {};
  Heading heading;
  heading.title = std::string(line);
  heading.begin = lines[block.first].begin;
  heading.body = after_line(lines, block.first);
  return heading;
}

}  // namespace

bool is_rule(std::string_view line) noexcept {
  constexpr std::string_view marks = "-=_*~#";
  if (line.size() < 3 || marks.find(line.front()) == std::string_view::npos) return false;
  return std::ranges::all_of(line, [&](char c) { return c == line.front(); });
}

bool looks_like_title(std::string_view line) {
  if (line.empty() || line.size() > title_bytes_max || count_words(line) > title_words_max) {
    return false;
  }
  const std::size_t words = count_words(line);
  constexpr std::string_view sentence_ends = ",;:!?";
  const bool ends_like_sentence = sentence_ends.find(line.back()) != std::string_view::npos;
  return words > 0 && !ends_like_sentence && !is_lower(line.front()) && line.front() != '<' &&
         line.front() != '"';
}

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) end = text.size();
    const std::string_view whole = text.substr(begin, end - begin);
    const std::size_t indent = std::min(whole.find_first_not_of(' '), whole.size());
    lines.push_back({trimmed(whole), begin + indent, indent});
    begin = end + 1;
  }
  return lines;
}

std::vector<Block> blocks_of(const std::vector<Line>& lines) {
  std::vector<Block> blocks;
  bool open = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool blank = lines[i].text.empty();
    if (!blank && !open) blocks.push_back({i, i});
    open = !blank;
    if (open) blocks.back().last = i + 1;
  }
  return blocks;
}

std::optional<Heading> plain_heading(const std::vector<Line>& lines, Block block) {
  if (auto heading = underlined_heading(lines, block.first, block.last)) return heading;
  if (is_rule(lines[block.first].text)) return {};
  if (auto heading = numbered_heading(lines, block)) return heading;
  if (auto heading = capitals_heading(lines, block)) return heading;
  return lone_heading(lines, block);
}

std::optional<Heading> markdown_heading(const std::vector<Line>& lines, std::size_t at) {
  const Line& line = lines[at];
  const std::size_t marks = std::min(line.text.find_first_not_of('#'), line.text.size());
  if (line.indent < 4 && marks >= 1 && marks <= 6 && marks < line.text.size() &&
      line.text[marks] == ' ') {
    std::string_view title = trimmed(line.text.substr(marks));
    const std::size_t end = title.find_last_not_of('#');
    // Closing marks count only after a blank: "# C#" is about C#.
    if (end == std::string_view::npos) return {};
    if (end + 1 < title.size() && title[end] == ' ') title = trimmed(title.substr(0, end));
    return Heading{std::string(title), static_cast<std::uint32_t>(marks), line.begin,
                   after_line(lines, at)};
  }
  const bool after_blank = at == 0 || lines[at - 1].text.empty();
  if (!after_blank || line.indent >= 4) return {};
  return underlined_heading(lines, at, lines.size());
}

}  // namespace research
