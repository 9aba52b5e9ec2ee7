#include "summarise.hpp"

#include "rank.hpp"
#include "similarity.hpp"
#include "words.hpp"

#include <algorithm>
#include <cstdint>
#include <set>

namespace research {
namespace {

/// A sentence that may be picked.
struct Candidate {
  std::size_t position = 0;
  std::size_t section = 0;
  StemSet stems;
  Exact score = 0;
};

/// Of two sentences that share more than this part of the shorter one's words, one is enough.
constexpr Exact repetition = exact_one * 6 / 10;
/// What a sentence loses if its section has given one already: sections should all be heard.
constexpr Exact section_heard = exact_one * 7 / 10;

/// Mostly capitals: the warranty clauses shout, and quoting them would too.
bool shouts(std::string_view text) noexcept {
  const auto capitals = std::ranges::count_if(text, [](char c) { return c >= 'A' && c <= 'Z'; });
  const auto smalls = std::ranges::count_if(text, [](char c) { return c >= 'a' && c <= 'z'; });
  return capitals > smalls;
}

/// The sentences that may be picked: those that read well, or all if they are too few.
/// Of sentences with the same words, the first.
std::vector<Candidate> candidates_of(const std::vector<Sentence>& sentences, std::size_t count) {
  std::vector<Candidate> good;
  std::vector<Candidate> all;
  Vocabulary vocabulary;
  std::set<StemSet> met;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    StemSet stems = vocabulary.set_of(sentences[i].text);
    if (stems.empty() || !met.insert(stems).second) continue;
    Candidate candidate{i, sentences[i].section, std::move(stems), 0};
    if (reads_well(sentences[i])) good.push_back(candidate);
    all.push_back(std::move(candidate));
  }
  return good.size() >= count ? good : all;
}

/// Ranks each block of candidates for itself.
void rank_blocks(std::vector<Candidate>& candidates) {
  for (std::size_t begin = 0; begin < candidates.size(); begin += rank_sentences_max) {
    const std::size_t end = std::min(begin + rank_sentences_max, candidates.size());
    std::vector<StemSet> block;
    for (std::size_t i = begin; i < end; ++i) block.push_back(candidates[i].stems);
    const std::vector<Exact> scores = rank_sentences(block);
    for (std::size_t i = begin; i < end; ++i) candidates[i].score = scores[i - begin];
  }
}

/// Keeps the `count` best, in their order.
void keep_best(std::vector<Candidate>& candidates, std::size_t count) {
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.position < b.position;
  });
  candidates.resize(std::min(candidates.size(), count));
  std::ranges::sort(candidates, {}, &Candidate::position);
}

/// Ranks all candidates. More than fit into one graph are thinned in rounds first, the best tenth
/// of each block going on.
void rank(std::vector<Candidate>& candidates) {
  while (candidates.size() > rank_sentences_max) {
    rank_blocks(candidates);
    keep_best(candidates, candidates.size() / 10);
  }
  rank_blocks(candidates);
}

/// What a candidate is worth beside those that are picked already (after J. Carbonell and
/// J. Goldstein, "The Use of MMR", SIGIR 1998).
Exact marginal_worth(const Candidate& candidate, const std::vector<const Candidate*>& picked) {
  Exact closest = 0;
  bool heard = false;
  for (const Candidate* other : picked) {
    closest = std::max(closest, containment(candidate.stems, other->stems));
    heard = heard || other->section == candidate.section;
  }
  if (closest > repetition) return 0;
  const Exact worth = (candidate.score * (exact_one - closest)) >> exact_bits;
  return heard ? (worth * section_heard) >> exact_bits : worth;
}

std::size_t sentences_for(std::uint64_t words) noexcept {
  return std::clamp<std::size_t>(3 + words / 1200, 3, 6);
}

}  // namespace

bool reads_well(const Sentence& sentence) {
  const std::size_t words = count_words(sentence.text);
  const bool aside = sentence.text.starts_with('(') || sentence.text.starts_with('[');
  const bool form = sentence.text.find("__") != std::string::npos;
  const bool balanced =
      std::ranges::count(sentence.text, '(') == std::ranges::count(sentence.text, ')');
  return sentence.complete && words >= picked_words_min && words <= picked_words_max && !aside &&
         !form && balanced && !sentence.text.starts_with("Copyright") && !shouts(sentence.text);
}

std::vector<std::size_t> pick_sentences(const std::vector<Sentence>& sentences, std::size_t count) {
  std::vector<Candidate> candidates = candidates_of(sentences, count);
  rank(candidates);
  std::vector<const Candidate*> picked;
  while (picked.size() < count) {
    const Candidate* best = nullptr;
    Exact best_worth = 0;
    for (const Candidate& candidate : candidates) {
      const Exact worth = marginal_worth(candidate, picked);
      if (worth > best_worth) {
        best = &candidate;
        best_worth = worth;
      }
    }
    if (best == nullptr) break;
    picked.push_back(best);
  }
  std::vector<std::size_t> positions;
  positions.reserve(picked.size());
  for (const Candidate* candidate : picked) positions.push_back(candidate->position);
  std::ranges::sort(positions);
  return positions;
}

std::string quotable(std::string_view sentence) {
  sentence.remove_prefix(item_mark(sentence));
  const std::vector<Token> tokens = tokens_of(sentence);
  if (tokens.size() <= picked_words_max) return std::string(sentence);
  const Token& last = tokens[picked_words_max - 1];
  return std::string(sentence.substr(0, last.begin + last.text.size())) + " …";
}

Summary summarise(const DocumentText& document, const Outline& outline) {
  const std::vector<Sentence> sentences = sentences_of(document, outline);
  Summary summary;
  summary.sentences_total = sentences.size();
  for (const std::size_t i : pick_sentences(sentences, sentences_for(outline.words))) {
    summary.sentences.push_back(quotable(sentences[i].text));
  }
  return summary;
}

}  // namespace research
