/// Sentences as sets of words, and what two of them share.
///
/// What this is: the small vocabulary machine under summarise.cpp and compare.cpp. Stems become
/// numbers in the order in which they appear, a sentence becomes a sorted set of numbers.
/// What it promises: the same numbers for the same text, always.
#pragma once

#include "exact.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace research {

/// Stems by number, as they were first met.
using StemId = std::uint32_t;
/// A sorted set of stems.
using StemSet = std::vector<StemId>;

/// Gives each stem its number.
class Vocabulary {
 public:
  /// The number of `stem`; a new one if it was not met before.
  [[nodiscard]] StemId id_of(const std::string& stem);
  /// The stems of `text` that are no stop words, in order.
  [[nodiscard]] std::vector<StemId> ids_of(std::string_view text);
  /// The set of them.
  [[nodiscard]] StemSet set_of(std::string_view text);
  [[nodiscard]] std::size_t size() const noexcept { return ids_.size(); }

 private:
  std::map<std::string, StemId, std::less<>> ids_;
};

/// How many stems both sets have.
[[nodiscard]] std::size_t overlap(const StemSet& a, const StemSet& b) noexcept;

/// The overlap as a part of the smaller set: 1 means that one lies in the other. 0 for empty sets.
[[nodiscard]] Exact containment(const StemSet& a, const StemSet& b) noexcept;

}  // namespace research
