/// Terms: what a corpus of documents talks about, and how much each of them does.
///
/// What this is: counts of stems and of pairs of neighbouring stems over all documents, and weights
/// made of them.
/// What it promises: weights are 1 + log2(count), times log2(1 + N / n) for a term that n of N
/// documents have: positive also where every document has the term, so that a folder of two
/// documents can be compared.
#pragma once

#include "exact.hpp"
#include "similarity.hpp"
#include "types.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace research {

/// A term of one or two stems; `second` is `no_stem` for one.
using Term = std::pair<StemId, StemId>;
inline constexpr StemId no_stem = ~StemId{0};

/// How often one document has each term.
using TermCounts = std::map<Term, std::uint32_t>;

/// All documents' terms.
class Corpus {
 public:
  explicit Corpus(const std::vector<Study>& studies);

  [[nodiscard]] std::size_t documents() const noexcept { return counts_.size(); }
  [[nodiscard]] const TermCounts& counts(std::size_t document) const { return counts_[document]; }
  /// How rare a term is: log2(1 + N / n), at least 1.
  [[nodiscard]] Exact rarity(const Term& term) const;
  /// The weight of a term that a document has `count` times.
  [[nodiscard]] Exact weight(const Term& term, std::uint32_t count) const;
  /// How many documents have a term.
  [[nodiscard]] std::uint32_t spread(const Term& term) const;
  /// A term as the document writes it most often.
  [[nodiscard]] std::string spelling(std::size_t document, const Term& term) const;
  /// The stems of a text; of words that no document has, too.
  [[nodiscard]] StemSet stems(const std::string& text) { return vocabulary_.set_of(text); }

 private:
  using Spellings = std::map<Term, std::map<std::string, std::uint32_t>>;
  void count(const std::string& text, TermCounts& counts, Spellings& spellings);

  Vocabulary vocabulary_;
  std::vector<TermCounts> counts_;
  std::vector<Spellings> spellings_;
  std::map<Term, std::uint32_t> spread_;
};

/// The `count` terms that tell most about a document, as it writes them, most telling first. Of a
/// pair of words and one of the two, only the one that tells more is taken.
[[nodiscard]] std::vector<std::string> key_terms(const Corpus& corpus, std::size_t document,
                                                 std::size_t count);

}  // namespace research
