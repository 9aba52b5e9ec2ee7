#include "similarity.hpp"

#include "words.hpp"

#include <algorithm>

namespace research {

StemId Vocabulary::id_of(const std::string& stem) {
  return ids_.try_emplace(stem, static_cast<StemId>(ids_.size())).first->second;
}

std::vector<StemId> Vocabulary::ids_of(std::string_view text) {
  std::vector<StemId> ids;
  for (const std::string& stem : stems_of(text)) ids.push_back(id_of(stem));
  return ids;
}

StemSet Vocabulary::set_of(std::string_view text) {
  StemSet set = ids_of(text);
  std::ranges::sort(set);
  set.erase(std::ranges::unique(set).begin(), set.end());
  return set;
}

std::size_t overlap(const StemSet& a, const StemSet& b) noexcept {
  std::size_t count = 0;
  for (auto left = a.begin(), right = b.begin(); left != a.end() && right != b.end();) {
    if (*left == *right) {
      ++count;
      ++left;
      ++right;
    } else if (*left < *right) {
      ++left;
    } else {
      ++right;
    }
  }
  return count;
}

Exact containment(const StemSet& a, const StemSet& b) noexcept {
  const std::size_t smaller = std::min(a.size(), b.size());
  return smaller == 0 ? 0 : overlap(a, b) * exact_one / smaller;
}

}  // namespace research
