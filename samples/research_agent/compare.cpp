#include "compare.hpp"

#include "exact.hpp"
#include "passages.hpp"
#include "terms.hpp"
#include "wording.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace research {
namespace {

constexpr std::size_t key_terms_count = 8;

using Matrix = std::vector<std::uint32_t>;

/// One document's single stems and their weights, in units of 2^-10, so that a product of two sums
/// over them stays below 2^64: weights stay below 2^19, and there are fewer than 2^18 words.
using Weights = std::vector<std::pair<StemId, std::uint64_t>>;

Weights weights_of(const Corpus& corpus, std::size_t document) {
  Weights weights;
  for (const auto& [term, times] : corpus.counts(document)) {
    if (term.second != no_stem) continue;
    weights.emplace_back(term.first, corpus.weight(term, times) >> 10);
  }
  return weights;
}

std::uint64_t product(const Weights& a, const Weights& b) {
  std::uint64_t sum = 0;
  for (auto left = a.begin(), right = b.begin(); left != a.end() && right != b.end();) {
    if (left->first == right->first) {
      sum += left++->second * right++->second;
    } else if (left->first < right->first) {
      ++left;
    } else {
      ++right;
    }
  }
  return sum;
}

Matrix similarities(const Corpus& corpus) {
  const std::size_t n = corpus.documents();
  std::vector<Weights> weights;
  std::vector<std::uint64_t> lengths;
  for (std::size_t i = 0; i < n; ++i) {
    weights.push_back(weights_of(corpus, i));
    lengths.push_back(exact_sqrt(product(weights[i], weights[i])));
  }
  Matrix matrix(n * n, 1000);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      // The product over one length first: the quotient is at most the other length.
      const std::uint64_t part =
          lengths[i] == 0 || lengths[j] == 0
              ? 0
              : product(weights[i], weights[j]) / lengths[i] * 1000 / lengths[j];
      matrix[i * n + j] = matrix[j * n + i] =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(part, 1000));
    }
  }
  return matrix;
}

std::vector<Pair> closest_pairs(const std::vector<WordRuns>& runs, const Matrix& matrix) {
  const std::size_t n = runs.size();
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      pairs.push_back(
          {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j), matrix[i * n + j], 0});
    }
  }
  std::ranges::sort(pairs, [](const Pair& a, const Pair& b) {
    if (a.similarity != b.similarity) return a.similarity > b.similarity;
    return a.first != b.first ? a.first < b.first : a.second < b.second;
  });
  pairs.resize(std::min(pairs.size(), closest_pairs_max));
  for (Pair& pair : pairs) {
    pair.shared_wording = shared_wording(runs[pair.first], runs[pair.second]);
  }
  return pairs;
}

using Group = std::vector<std::uint32_t>;

std::uint64_t average(const Matrix& matrix, std::size_t n, const Group& a, const Group& b) {
  std::uint64_t sum = 0;
  for (const std::uint32_t i : a) {
    for (const std::uint32_t j : b) sum += matrix[i * n + j];
  }
  return sum / (a.size() * b.size());
}

/// Joins the two groups that are most alike until none are alike enough (average linkage).
std::vector<Group> families(const Matrix& matrix, std::size_t n) {
  std::vector<Group> groups;
  groups.reserve(n);
  for (std::uint32_t i = 0; i < n; ++i) groups.push_back({i});
  while (true) {
    std::uint64_t best = 0;
    std::size_t left = 0;
    std::size_t right = 0;
    for (std::size_t a = 0; a < groups.size(); ++a) {
      for (std::size_t b = a + 1; b < groups.size(); ++b) {
        const std::uint64_t alike = average(matrix, n, groups[a], groups[b]);
        if (alike <= best) continue;
        best = alike;
        left = a;
        right = b;
      }
    }
    if (best < family_similarity_min) break;
    groups[left].insert(groups[left].end(), groups[right].begin(), groups[right].end());
    std::ranges::sort(groups[left]);
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(right));
  }
  std::erase_if(groups, [](const Group& group) { return group.size() < 2; });
  return groups;
}

}  // namespace

Comparison compare(const std::vector<Study>& studies) {
  Corpus corpus(studies);
  std::vector<WordRuns> runs;
  runs.reserve(studies.size());
  for (const Study& study : studies) runs.push_back(word_runs(study.document.text));
  Comparison comparison;
  comparison.similarity = similarities(corpus);
  comparison.closest = closest_pairs(runs, comparison.similarity);
  comparison.families = families(comparison.similarity, studies.size());
  for (std::size_t i = 0; i < studies.size(); ++i) {
    // One document alone has nothing that sets it apart.
    std::vector<std::string> passages;
    if (studies.size() > 1) passages = distinctive_passages(corpus, runs, studies[i], i);
    comparison.profiles.push_back({key_terms(corpus, i, key_terms_count), std::move(passages)});
  }
  return comparison;
}

}  // namespace research
