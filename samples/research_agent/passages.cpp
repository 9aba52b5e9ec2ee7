#include "passages.hpp"

#include "prose.hpp"
#include "summarise.hpp"

#include <algorithm>
#include <utility>

namespace research {
namespace {

/// How much a sentence speaks of what only its document speaks of: the weight of its terms that at
/// most a third of the documents have, over its length.
std::uint64_t distinctness(const Corpus& corpus, std::size_t document, const StemSet& stems) {
  std::uint64_t sum = 0;
  for (const StemId id : stems) {
    const Term term{id, no_stem};
    const auto times = corpus.counts(document).find(term);
    if (times == corpus.counts(document).end()) continue;
    if (std::size_t{3} * corpus.spread(term) > std::max<std::size_t>(corpus.documents(), 3))
      continue;
    sum += corpus.weight(term, times->second);
  }
  // A few words more than it has: short sentences would win with one rare word else.
  return sum / (stems.size() + 8);
}

/// Whether another document has this sentence too, or one that is half of the same words.
bool stands_elsewhere(const std::vector<WordRuns>& runs, std::size_t document,
                      const std::string& sentence) {
  const WordRuns own = word_runs(sentence);
  for (std::size_t other = 0; other < runs.size(); ++other) {
    if (other != document && shared_wording(own, runs[other]) >= 500) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> distinctive_passages(Corpus& corpus, const std::vector<WordRuns>& runs,
                                              const Study& study, std::size_t document) {
  struct Passage {
    std::size_t position = 0;
    std::uint64_t score = 0;
    StemSet stems;
  };
  const std::vector<Sentence> sentences = sentences_of(study.document, study.outline);
  std::vector<Passage> passages;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const bool told = std::ranges::count(study.summary.sentences, quotable(sentences[i].text)) > 0;
    if (told || !reads_well(sentences[i])) continue;
    if (stands_elsewhere(runs, document, sentences[i].text)) continue;
    StemSet stems = corpus.stems(sentences[i].text);
    const std::uint64_t score = distinctness(corpus, document, stems);
    if (score > 0) passages.push_back({i, score, std::move(stems)});
  }
  std::ranges::sort(passages, [](const Passage& a, const Passage& b) {
    return a.score != b.score ? a.score > b.score : a.position < b.position;
  });
  std::vector<const Passage*> picked;
  for (const Passage& passage : passages) {
    const auto repeats = [&](const Passage* other) {
      return containment(passage.stems, other->stems) > exact_one / 2;
    };
    if (picked.size() == passages_max) break;
    if (std::ranges::none_of(picked, repeats)) picked.push_back(&passage);
  }
  std::ranges::sort(picked, {}, &Passage::position);
  std::vector<std::string> result;
  result.reserve(picked.size());
  for (const Passage* passage : picked) {
    result.push_back(quotable(sentences[passage->position].text));
  }
  return result;
}

}  // namespace research
