#include "tests/crash/survivors.hpp"

#include "tests/crash/history.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace perdure::crash {
namespace {

constexpr std::string_view kFailed = "!user: ";

/// What the journal says of bodies that ran.
class RecordedBodies {
 public:
  explicit RecordedBodies(const JournalFacts& journal) : journal_(journal) {
    for (const auto& [id, run] : journal.runs)
      for (const auto& [step, result] : run.results)
        nonces_.insert(result.text.starts_with(kFailed) ? result.text.substr(kFailed.size())
                                                        : result.text);
  }
  /// Its result is recorded, so it is behind all that was noted before it.
  [[nodiscard]] bool has_result_of(const Effect& effect) const {
    return nonces_.contains(effect.nonce);
  }
  /// A result is recorded that Perdure gave it, perhaps before it noted itself.
  [[nodiscard]] bool has_timeout_of(const Effect& effect) const {
    const auto run = journal_.runs.find(effect.run);
    if (run == journal_.runs.end()) return false;
    const auto result = run->second.results.find(effect.step);
    return result != run->second.results.end() && result->second.code == "timeout" &&
           result->second.attempts >= effect.attempt;
  }

 private:
  const JournalFacts& journal_;
  std::set<std::string> nonces_;
};

/// The body that a line tells of, or none.
std::optional<Effect> effect_of(const std::string& line) {
  if (!line.starts_with("effect\t")) return std::nullopt;
  return history_of("life\t-\n" + line).front().effects.front();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != text.npos; at = end + 1)
    lines.push_back(text.substr(at, end + 1 - at));
  return lines;
}

bool begins_a_life(const std::string& line) { return line.starts_with("life\t"); }

}  // namespace

std::string survivors(const std::string& outside, const JournalFacts& journal) {
  const RecordedBodies bodies(journal);
  const std::vector<std::string> lines = lines_of(outside);
  std::size_t kept = 0;
  std::size_t life = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (begins_a_life(lines[i])) {
      life = i;
      continue;
    }
    // Whoever notes anything has opened the journal.
    const std::optional<Effect> effect = effect_of(lines[i]);
    kept = std::max(kept, effect && bodies.has_result_of(*effect) ? i + 1 : life);
  }
  std::string left;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::optional<Effect> effect = effect_of(lines[i]);
    if (i < kept || begins_a_life(lines[i]) || (effect && bodies.has_timeout_of(*effect)))
      left += lines[i];
  }
  return left;
}

}  // namespace perdure::crash
