#include "tests/crash/bodies.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>

namespace perdure::crash {
namespace {

std::atomic<int> nonces{0};

/// More than that in each result, where the environment says so: then the log is brought into the
/// tables while steps run, and grows more often.
std::size_t ballast_of_all() {
  const char* const bytes = std::getenv("PERDURE_CRASH_BALLAST");
  return bytes == nullptr ? 0 : std::strtoull(bytes, nullptr, 10);
}

}  // namespace

Notes notes;

Result<Token> act(const Step& step, const Trail& trail, Will will, const char* effect_class,
                  std::size_t ballast) {
  const std::string nonce = notes.label + "." + std::to_string(++nonces);
  notes.note(line_of(Effect{to_string(step.run_id()), step.id(), step.key(), step.attempt(),
                            step.name(), effect_class, will, nonce, trail.sources()}));
  switch (will) {
    case Will::succeed:
      return Token{step.id(), nonce, ballast_of(nonce, std::max(ballast, ballast_of_all()))};
    case Will::fail: return Error{Code::user, nonce, true};
    case Will::refuse: return Error{Code::user, nonce, true, std::nullopt, ErrorEffect::refused};
  }
  std::abort();
}

}  // namespace perdure::crash
