#include "wording.hpp"

#include "words.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace research {
namespace {

/// FNV-1a over the words with a blank after each.
std::uint64_t hash_of(const std::vector<std::string>& words, std::size_t begin) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (std::size_t i = begin; i < begin + run_words; ++i) {
    for (const char c : words[i]) mix(static_cast<unsigned char>(c));
    mix(' ');
  }
  return hash;
}

}  // namespace

WordRuns word_runs(std::string_view text) {
  std::vector<std::string> words;
  for (const Token& token : tokens_of(text)) words.push_back(folded(token.text));
  WordRuns runs;
  for (std::size_t i = 0; i + run_words <= words.size(); ++i) runs.push_back(hash_of(words, i));
  std::ranges::sort(runs);
  runs.erase(std::ranges::unique(runs).begin(), runs.end());
  return runs;
}

std::uint32_t shared_wording(const WordRuns& a, const WordRuns& b) {
  const std::size_t smaller = std::min(a.size(), b.size());
  if (smaller == 0) return 0;
  WordRuns both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  return static_cast<std::uint32_t>(both.size() * 1000 / smaller);
}

}  // namespace research
