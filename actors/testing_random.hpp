/// The testing kit's dice: a stream for each session.
///
/// What this is: Random, drawn from the stream of the session that is being handled.
/// What it promises: what a session draws depends on the seed, its address and how much it has
/// drawn, and not on what other sessions do meanwhile. What was drawn for a commit that a crash
/// took is drawn again by the next process, so that a run that is created twice is the same run:
/// `keep` says that what was drawn is in the journal, `take_back` undoes what was drawn since.
#pragma once

#include "core/random.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace perdure::actors {

/// Thread: one.
class SessionDice final : public core::Random {
 public:
  explicit SessionDice(std::uint64_t seed) : seed_(seed) {}
  void fill(std::span<std::byte> out) override;
  /// From now on `session` draws.
  void hand_to(const std::string& session) { session_ = session; }
  void keep() { not_kept_.clear(); }
  void take_back();

 private:
  std::uint64_t seed_;
  std::map<std::string, std::uint64_t> drawn_;  ///< By session: how much.
  std::map<std::string, std::uint64_t>
      not_kept_;  ///< How much it was before, where it is more now.
  std::string session_;
};

}  // namespace perdure::actors
