#include "rank.hpp"

#include <algorithm>
#include <cstdint>

namespace research {
namespace {

/// One direction of an edge. `share` is its part of what its source gives away, in units of 2^-30.
struct Edge {
  std::uint32_t to = 0;
  std::uint64_t share = 0;
};
constexpr int share_bits = 30;
/// d = 0.85, rounded down to 2^-20.
constexpr Exact damping = exact_one * 85 / 100;
/// The iteration stops when no score moves by more than this: about 0.0001.
constexpr Exact tolerance = 100;

using Graph = std::vector<std::vector<Edge>>;

/// Weights: at most 2^10 common stems times 2^40 over at least 2^21, so less than 2^30.
std::uint64_t weight(std::size_t common, const StemSet& a, const StemSet& b) noexcept {
  const Exact lengths = exact_log2(a.size() + 1) + exact_log2(b.size() + 1);
  return (std::uint64_t{std::min<std::size_t>(common, 1023)} << (2 * exact_bits)) / lengths;
}

Graph weigh(const std::vector<StemSet>& sentences) {
  Graph graph(sentences.size());
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    for (std::size_t j = i + 1; j < sentences.size(); ++j) {
      const std::size_t common = overlap(sentences[i], sentences[j]);
      if (common == 0) continue;
      const std::uint64_t w = weight(common, sentences[i], sentences[j]);
      graph[i].push_back({static_cast<std::uint32_t>(j), w});
      graph[j].push_back({static_cast<std::uint32_t>(i), w});
    }
  }
  // A sentence's weights add up to less than 2^40; `w / total` in units of 2^-30 needs 60 bits.
  for (std::vector<Edge>& edges : graph) {
    std::uint64_t total = 0;
    for (const Edge& edge : edges) total += edge.share;
    for (Edge& edge : edges) edge.share = (edge.share << share_bits) / total;
  }
  return graph;
}

}  // namespace

std::vector<Exact> rank_sentences(const std::vector<StemSet>& sentences) {
  const Graph graph = weigh(sentences);
  std::vector<Exact> scores(sentences.size(), exact_one);
  for (int round = 0; round < rank_rounds_max; ++round) {
    // All scores together are at most one each, 2^30 in all: with a share that is 60 bits.
    std::vector<std::uint64_t> received(scores.size(), 0);
    for (std::size_t from = 0; from < graph.size(); ++from) {
      for (const Edge& edge : graph[from]) received[edge.to] += scores[from] * edge.share;
    }
    Exact moved = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const Exact in = received[i] >> share_bits;
      const Exact score = exact_one - damping + ((damping * in) >> exact_bits);
      moved = std::max(moved, score > scores[i] ? score - scores[i] : scores[i] - score);
      scores[i] = score;
    }
    if (moved <= tolerance) break;
  }
  return scores;
}

}  // namespace research
