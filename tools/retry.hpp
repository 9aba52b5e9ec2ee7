/// Retry policies: when another attempt may begin.
///
/// What this is: a pure function from a policy, the attempts so far and the last error to "give up"
/// or "wait that long". Exponential backoff with jitter (Marc Brooker, "Exponential Backoff And
/// Jitter", 2015).
/// What it promises: never more than the policy's attempts, never sooner than the error's
/// `retry_after`, never a retry of an at-most-once attempt whose effect is not known to be refused.
/// Options out of range are read as the nearest that makes sense: a negative `attempts_max` as 1, a
/// `factor` below 1 or not a number as 1, a `jitter` below 0 or not a number as 0 and above 1 as 1,
/// negative times as zero. No answer is above `kLongestWait`, so that it can be added to any clock.
/// What it does not: wait, or remember. The attempts row does.
#pragma once

#include <perdure/error.hpp>
#include <perdure/step.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace perdure::tools {

/// A hundred years: as nanoseconds it still fits 64 bits beside the time since boot.
inline constexpr std::chrono::milliseconds kLongestWait = std::chrono::hours(24 * 365 * 100);

struct RetryQuestion {
  const Retry& policy;
  Effect effect = Effect::idempotent;
  const Error& error;
  /// Attempts begun so far, this one included.
  std::uint32_t attempts = 1;
  /// A random number for the jitter, any 64 bits.
  std::uint64_t random = 0;
};

/// Empty: give up, the error is the step's outcome. Else the time to wait. Thread: any.
[[nodiscard]] std::optional<std::chrono::milliseconds> next_attempt_in(
    const RetryQuestion& question);

}  // namespace perdure::tools
