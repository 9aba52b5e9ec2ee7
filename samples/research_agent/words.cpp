#include "words.hpp"

#include "decode.hpp"

#include <algorithm>
#include <array>

namespace research {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Outside ASCII a character is a letter unless it is among the ranges of signs: Latin-1 signs,
/// general punctuation, arrows, mathematical and box drawing signs, CJK punctuation, private use.
bool is_letter(char32_t code) noexcept {
  if (code < 0x80) {
    const char32_t lower = code | 0x20;
    return (lower >= 'a' && lower <= 'z') || (code >= '0' && code <= '9');
  }
  if (code < 0xc0) return code == 0xaa || code == 0xb5 || code == 0xba;
  if (code == 0xd7 || code == 0xf7) return false;
  if (code >= 0x2000 && code < 0x2c00) return code >= 0x2100 && code < 0x2150;
  if (code >= 0x3000 && code < 0x3005) return false;
  return code < 0xe000 || (code >= 0xf900 && code < 0xfffd) || code >= 0x10000;
}

bool is_apostrophe(char32_t code) noexcept { return code == '\'' || code == 0x2019; }

/// One past the last byte of the word that begins at `begin`.
std::size_t word_end(std::string_view text, std::size_t begin) noexcept {
  std::size_t end = begin;
  for (std::size_t i = begin; i < text.size();) {
    const Character c = character_at(text, i);
    // An apostrophe belongs to the word only between letters, so it must not end it.
    if (is_letter(c.code))
      end = i + c.bytes;
    else if (!is_apostrophe(c.code) || end != i)
      break;
    i += c.bytes;
  }
  return end;
}

constexpr auto stop_words = std::to_array<std::string_view>({
    "about",      "above",   "after",    "again",     "against",  "all",     "also",    "although",
    "am",         "among",   "an",       "and",       "any",      "are",     "aren't",  "as",
    "at",         "be",      "because",  "been",      "before",   "being",   "below",   "between",
    "both",       "but",     "by",       "can",       "can't",    "cannot",  "could",   "did",
    "didn't",     "do",      "does",     "doesn't",   "doing",    "don't",   "down",    "during",
    "each",       "either",  "else",     "etc",       "even",     "every",   "few",     "for",
    "from",       "further", "had",      "has",       "have",     "having",  "he",      "her",
    "here",       "hereby",  "herein",   "hereunder", "hers",     "herself", "him",     "himself",
    "his",        "how",     "however",  "if",        "in",       "into",    "is",      "isn't",
    "it",         "its",     "itself",   "just",      "less",     "let",     "like",    "may",
    "me",         "might",   "more",     "most",      "must",     "my",      "neither", "no",
    "nor",        "not",     "now",      "of",        "off",      "on",      "once",    "one",
    "only",       "or",      "other",    "otherwise", "our",      "ours",    "out",     "over",
    "own",        "per",     "same",     "shall",     "she",      "should",  "since",   "so",
    "some",       "such",    "than",     "that",      "the",      "their",   "theirs",  "them",
    "themselves", "then",    "there",    "therefore", "thereof",  "these",   "they",    "this",
    "those",      "though",  "through",  "thus",      "to",       "too",     "two",     "under",
    "unless",     "until",   "up",       "upon",      "us",       "very",    "was",     "we",
    "were",       "what",    "whatever", "when",      "where",    "whether", "which",   "while",
    "who",        "whom",    "whose",    "why",       "will",     "with",    "within",  "without",
    "would",      "you",     "your",     "yours",     "yourself",
});
static_assert(std::ranges::is_sorted(stop_words));

bool is_vowel(std::string_view word, std::size_t i) noexcept {
  constexpr std::string_view vowels = "aeiou";
  if (vowels.find(word[i]) != std::string_view::npos) return true;
  return word[i] == 'y' && i > 0 && !is_vowel(word, i - 1);
}

bool has_vowel(std::string_view word) noexcept {
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (is_vowel(word, i)) return true;
  }
  return false;
}

/// Porter's m: how often a run of vowels is followed by a run of consonants.
int measure(std::string_view word) noexcept {
  int result = 0;
  for (std::size_t i = 1; i < word.size(); ++i) {
    if (is_vowel(word, i - 1) && !is_vowel(word, i)) ++result;
  }
  return result;
}

bool ends_in_double_consonant(std::string_view word) noexcept {
  const std::size_t n = word.size();
  return n >= 2 && word[n - 1] == word[n - 2] && !is_vowel(word, n - 1);
}

/// Porter's *o: consonant, vowel, consonant, the last not w, x or y.
bool ends_in_short_syllable(std::string_view word) noexcept {
  const std::size_t n = word.size();
  if (n < 3 || is_vowel(word, n - 3) || !is_vowel(word, n - 2) || is_vowel(word, n - 1)) {
    return false;
  }
  constexpr std::string_view excepted = "wxy";
  return excepted.find(word[n - 1]) == std::string_view::npos;
}

/// Step 1a: plurals.
void strip_plural(std::string& word) {
  if (word.ends_with("sses") || word.ends_with("ies")) {
    word.resize(word.size() - 2);
  } else if (word.ends_with('s') && !word.ends_with("ss")) {
    word.pop_back();
  }
}

/// What step 1b does after it took "-ed" or "-ing" away.
void mend_after_strip(std::string& word) {
  if (word.ends_with("at") || word.ends_with("bl") || word.ends_with("iz")) {
    word += 'e';
  } else if (ends_in_double_consonant(word) && word.back() != 'l' && word.back() != 's' &&
             word.back() != 'z') {
    word.pop_back();
  } else if (measure(word) == 1 && ends_in_short_syllable(word)) {
    word += 'e';
  }
}

/// Step 1b: past tense and present participle.
void strip_tense(std::string& word) {
  const std::string_view all = word;
  if (all.ends_with("eed")) {
    if (measure(all.substr(0, all.size() - 3)) > 0) word.pop_back();
    return;
  }
  for (const std::string_view suffix : {std::string_view("ed"), std::string_view("ing")}) {
    if (!all.ends_with(suffix)) continue;
    if (has_vowel(all.substr(0, all.size() - suffix.size()))) {
      word.resize(word.size() - suffix.size());
      mend_after_strip(word);
    }
    return;
  }
}

}  // namespace

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    if (!is_letter(c.code)) {
      i += c.bytes;
      continue;
    }
    const std::size_t end = word_end(text, i);
    tokens.push_back({text.substr(i, end - i), i});
    i = end;
  }
  return tokens;
}

std::size_t count_words(std::string_view text) { return tokens_of(text).size(); }

std::string folded(std::string_view word) {
  std::string result;
  for (std::size_t i = 0; i < word.size();) {
    const Character c = character_at(word, i);
    char32_t code = c.code == 0x2019 ? char32_t{'\''} : c.code;
    const bool latin_capital = code >= 0xc0 && code <= 0xde && code != 0xd7;
    if ((code >= 'A' && code <= 'Z') || latin_capital) code += 0x20;
    append_utf8(result, code);
    i += c.bytes;
  }
  if (result.ends_with("'s")) result.resize(result.size() - 2);
  return result;
}

bool is_stop_word(std::string_view word) noexcept {
  if (word.size() < 2 || std::ranges::all_of(word, is_digit)) return true;
  return std::ranges::binary_search(stop_words, word);
}

std::string stem(std::string_view word) {
  std::string result(word);
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  if (word.size() < 3 || !std::ranges::all_of(word, is_lower)) return result;
  strip_plural(result);
  strip_tense(result);
  // Step 1c: a final y after a vowel somewhere before it.
  if (result.ends_with('y') && has_vowel(std::string_view(result).substr(0, result.size() - 1))) {
    result.back() = 'i';
  }
  return result;
}

std::vector<std::string> stems_of(std::string_view text) {
  std::vector<std::string> stems;
  for (const Token& token : tokens_of(text)) {
    const std::string word = folded(token.text);
    if (!is_stop_word(word)) stems.push_back(stem(word));
  }
  return stems;
}

}  // namespace research
