#include "terms.hpp"

#include "words.hpp"

#include <algorithm>
#include <optional>

namespace research {
namespace {

/// A pair of words is a term from so many occurrences on.
constexpr std::uint32_t pair_count_min = 3;

struct WeighedTerm {
  Term term;
  std::uint64_t weight = 0;
};

/// The word in lower case, unless it is a name: all capitals stay.
std::string spelled(std::string_view word) {
  const auto small = [](char c) { return c >= 'a' && c <= 'z'; };
  std::string text =
      word.size() <= 5 && std::ranges::none_of(word, small) ? std::string(word) : folded(word);
  if (text.ends_with("'s") || text.ends_with("'S")) text.resize(text.size() - 2);
  return text;
}

bool share_a_word(const Term& a, const Term& b) noexcept {
  const auto has = [&](StemId id) { return id != no_stem && (id == b.first || id == b.second); };
  return has(a.first) || has(a.second);
}

}  // namespace

Corpus::Corpus(const std::vector<Study>& studies)
    : counts_(studies.size()), spellings_(studies.size()) {
  for (std::size_t i = 0; i < studies.size(); ++i) {
    count(studies[i].document.text, counts_[i], spellings_[i]);
    for (const auto& [term, times] : counts_[i]) ++spread_[term];
  }
}

void Corpus::count(const std::string& text, TermCounts& counts, Spellings& spellings) {
  struct Word {
    StemId id = no_stem;
    std::string spelling;
    std::size_t end = 0;
  };
  std::optional<Word> before;
  for (const Token& token : tokens_of(text)) {
    const std::string word = folded(token.text);
    if (is_stop_word(word)) {
      before.reset();
      continue;
    }
    Word now{vocabulary_.id_of(stem(word)), spelled(token.text), token.begin + token.text.size()};
    ++counts[{now.id, no_stem}];
    ++spellings[{now.id, no_stem}][now.spelling];
    // Only blanks and line feeds may part the two words of a pair, no full stop or comma.
    const bool adjacent = before && text.find_first_not_of(" \n", before->end) == token.begin;
    if (adjacent && before->id != now.id) {
      ++counts[{before->id, now.id}];
      ++spellings[{before->id, now.id}][before->spelling + " " + now.spelling];
    }
    before = std::move(now);
  }
  std::erase_if(counts, [](const auto& entry) {
    return entry.first.second != no_stem && entry.second < pair_count_min;
  });
}

std::uint32_t Corpus::spread(const Term& term) const {
  const auto found = spread_.find(term);
  return found == spread_.end() ? 0 : found->second;
}

Exact Corpus::rarity(const Term& term) const {
  const std::uint32_t having = std::max<std::uint32_t>(spread(term), 1);
  return exact_log2(having + documents()) - exact_log2(having);
}

Exact Corpus::weight(const Term& term, std::uint32_t count) const {
  // At most 33 times 8 in units of 2^-20, before the shift 2^49.
  return (exact_log2(2 * std::uint64_t{count}) * rarity(term)) >> exact_bits;
}

std::string Corpus::spelling(std::size_t document, const Term& term) const {
  const auto found = spellings_[document].find(term);
  if (found == spellings_[document].end()) return {};
  const auto& spellings = found->second;
  // The map is in bytewise order, and the first of the most frequent is taken.
  return std::ranges::max_element(spellings, {}, [](const auto& entry) { return entry.second; })
      ->first;
}

std::vector<std::string> key_terms(const Corpus& corpus, std::size_t document, std::size_t count) {
  std::vector<WeighedTerm> terms;
  for (const auto& [term, times] : corpus.counts(document)) {
    if (times < 2 && corpus.counts(document).size() > 100) continue;
    std::uint64_t weight = corpus.weight(term, times);
    // A pair says more than its words do one by one.
    if (term.second != no_stem) weight = weight * 5 / 4;
    terms.push_back({term, weight});
  }
  std::ranges::sort(terms, [](const WeighedTerm& a, const WeighedTerm& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.term < b.term;
  });
  std::vector<Term> taken;
  std::vector<std::string> result;
  for (const WeighedTerm& entry : terms) {
    if (result.size() == count) break;
    const auto overlaps = [&](const Term& other) { return share_a_word(entry.term, other); };
    if (std::ranges::any_of(taken, overlaps)) continue;
    taken.push_back(entry.term);
    result.push_back(corpus.spelling(document, entry.term));
  }
  return result;
}

}  // namespace research
