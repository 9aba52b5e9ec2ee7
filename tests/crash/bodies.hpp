/// The bodies of the workload's steps, and what their handlers have seen.
///
/// What this is: `act`, which every body calls first, and the trail that a handler leaves: what its
/// next step, and its reply, are made of.
/// What it promises: a body has noted itself (history.hpp), with all that it was given, before it
/// does anything.
/// What it does not: know a handler (workload_agents.hpp, session_agents.hpp).
#pragma once

#include <perdure/perdure.hpp>

#include "tests/crash/history.hpp"
#include "tests/crash/workload_types.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace perdure::crash {

/// How the workload tells the outside world something; set before a runtime starts. Thread: any.
struct Notes {
  std::string label;  ///< Of this life.
  std::function<void(const std::string& line)> note;
};
extern Notes notes;

/// What a handler has seen so far: what its next step is made of.
class Trail {
 public:
  explicit Trail(Sources sources) : sources_(std::move(sources)) {}
  void saw(const Token& token) { sources_.emplace_back(token.step, token.nonce); }
  void saw(std::string step, const Result<Token>& result) {
    sources_.emplace_back(std::move(step),
                          result ? result.value().nonce : words_of(result.error()));
  }
  void saw(std::string source, std::string text) {
    sources_.emplace_back(std::move(source), std::move(text));
  }
  void saw(const Trail& other) { sources_ = other.sources_; }
  /// What the other saw behind the `common` first things that both saw.
  void saw_beyond(const Trail& other, std::size_t common) {
    sources_.insert(sources_.end(), other.sources_.begin() + static_cast<std::ptrdiff_t>(common),
                    other.sources_.end());
  }
  [[nodiscard]] const Sources& sources() const { return sources_; }

 private:
  Sources sources_;
};

/// The body of every step: it notes itself, then does as it will.
[[nodiscard]] Result<Token> act(const Step& step, const Trail& trail, Will will = Will::succeed,
                                const char* effect_class = "idempotent", std::size_t ballast = 0);

}  // namespace perdure::crash
