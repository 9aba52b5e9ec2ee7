#include "decode.hpp"
#include "prose.hpp"
#include "sections.hpp"
#include "words.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace research {
namespace {

bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_end_mark(char c) noexcept { return c == '.' || c == '!' || c == '?'; }

/// After these a sentence never ends.
constexpr auto inner_abbreviations = std::to_array<std::string_view>(
    {"adj",  "approx", "art",  "ca",  "ch",  "chap", "cf",  "dr", "e.g", "ed",  "eq",  "fig",
     "figs", "gen",    "gov",  "hon", "i.e", "mr",   "mrs", "ms", "mt",  "no",  "nos", "p",
     "para", "pp",     "prof", "rev", "sec", "sect", "st",  "v",  "viz", "vol", "vs"});
/// After these one ends if a capital follows.
constexpr auto ending_abbreviations = std::to_array<std::string_view>(
    {"a.m", "al", "co", "corp", "etc", "inc", "jr", "ltd", "p.m", "sr"});
/// "Exhibit A." may end a sentence, "J." in a name does not.
constexpr auto lettered = std::to_array<std::string_view>(
    {"annex", "appendix", "article", "attachment", "exhibit", "part", "schedule", "section"});

bool contains(const auto& list, std::string_view word) noexcept {
  return std::ranges::find(list, word) != list.end();
}

/// The word with its inner points that ends before `end`: "U.S" of "the U.S.".
std::string_view word_before(std::string_view text, std::size_t end) noexcept {
  std::size_t begin = end;
  const auto inside = [&](char c) {
    return is_upper(c) || is_lower(c) || is_digit(c) || c == '.' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  while (begin > 0 && inside(text[begin - 1])) --begin;
  return text.substr(begin, end - begin);
}

/// The bytes of a closing quotation mark or bracket at `at`, or 0.
std::size_t closing_at(std::string_view text, std::size_t at) noexcept {
  if (at >= text.size()) return 0;
  constexpr std::string_view plain = "\"')]";
  if (plain.find(text[at]) != std::string_view::npos) return 1;
  const Character c = character_at(text, at);
  return c.code == 0x2019 || c.code == 0x201d || c.code == 0xbb ? c.bytes : 0;
}

/// Whether the point at `at` belongs to the word before it. `begin` is the sentence's first byte.
bool is_inner_point(std::string_view text, std::size_t begin, std::size_t at, char next) {
  const std::string_view word = word_before(text.substr(begin), at - begin);
  const std::string small = folded(word);
  if (word.empty()) return false;
  // "2. You may", "iv. The": the number or letter of an item.
  const bool first = word.data() == text.data() + begin;
  const bool numeral = is_digit(word.front()) ||
                       small.find_first_not_of("ivx") == std::string::npos || word.size() == 1;
  if (first && numeral) return true;
  if (contains(inner_abbreviations, small))
    return (small != "no" && small != "v") || is_digit(next);
  if (contains(ending_abbreviations, small)) return !is_upper(next);
  if (word.size() == 1 && is_upper(word.front())) {
    std::size_t before = static_cast<std::size_t>(word.data() - text.data());
    while (before > begin && text[before - 1] == ' ') --before;
    return !contains(lettered, folded(word_before(text.substr(begin), before - begin)));
  }
  // "U.S. GOVERNMENT", "C.F.R. 2.101": letters with points between them.
  return word.size() >= 3 && word[1] == '.' && is_upper(word.front());
}

/// Where the bracket that opens at `at` closes, if that is near.
std::size_t bracket_end(std::string_view text, std::size_t at) noexcept {
  constexpr std::size_t reach = 400;
  int depth = 0;
  for (std::size_t i = at; i < text.size() && i < at + reach; ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth == 0) return i;
  }
  return at;
}

bool is_complete(std::string_view sentence) {
  sentence.remove_prefix(item_mark(sentence));
  std::size_t end = sentence.size();
  while (end > 0 && (sentence[end - 1] == '"' || sentence[end - 1] == ')')) --end;
  if (sentence.ends_with("\xe2\x80\x9d")) end = sentence.size() - 3;
  const bool ended = end > 0 && is_end_mark(sentence[end - 1]);
  return ended && end > 1 && !is_lower(sentence.front());
}

}  // namespace

std::vector<std::string> split_sentences(std::string_view text) {
  std::vector<std::string> sentences;
  std::size_t begin = 0;
  const auto close = [&](std::size_t end) {
    if (end > begin) sentences.emplace_back(text.substr(begin, end - begin));
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(' && i > begin) i = bracket_end(text, i);
    if (!is_end_mark(text[i])) continue;
    std::size_t end = i + 1;
    while (end < text.size() && is_end_mark(text[end])) ++end;
    while (const std::size_t bytes = closing_at(text, end)) end += bytes;
    if (end < text.size() && text[end] != ' ') continue;
    const char next = end + 1 < text.size() ? text[end + 1] : '\0';
    const bool inner =
        is_lower(next) || (text[i] == '.' && end == i + 1 && is_inner_point(text, begin, i, next));
    if (next != '\0' && inner) continue;
    close(end);
    begin = std::min(end + 1, text.size());
    i = end;
  }
  close(text.size());
  return sentences;
}

std::vector<Sentence> sentences_of(const DocumentText& document, const Outline& outline) {
  std::vector<Sentence> sentences;
  for (std::size_t s = 0; s < outline.sections.size(); ++s) {
    const std::string_view body = body_of(document, outline.sections[s]);
    for (const std::string& paragraph : paragraphs_of(body, document.markup)) {
      for (std::string& sentence : split_sentences(paragraph)) {
        const bool complete = is_complete(sentence);
        sentences.push_back({std::move(sentence), s, complete});
      }
    }
  }
  return sentences;
}

}  // namespace research
