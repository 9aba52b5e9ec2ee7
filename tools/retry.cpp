#include "tools/retry.hpp"

#include <algorithm>
#include <cmath>

namespace perdure::tools {
namespace {

using std::chrono::milliseconds;

/// Whether the policy allows an attempt after `question.attempts` that ended in `question.error`.
bool may_retry(const RetryQuestion& question) {
  const Retry& policy = question.policy;
  const Error& error = question.error;
  if (!error.is_retryable()) return false;
  if (policy.never.contains(error.code)) return false;
  if (question.effect == Effect::at_most_once && error.known_effect() != ErrorEffect::refused)
    return false;
  if (policy.attempts_max == 0) return true;
  const auto most = static_cast<std::uint32_t>(std::max(policy.attempts_max, 1));
  return question.attempts < most;
}

/// The policy's delay before attempt number `attempts` + 1, in milliseconds: from 0 to
/// `kLongestWait`.
double delay_of(const RetryQuestion& question) {
  const Retry& policy = question.policy;
  const auto clamped = [](milliseconds time) {
    return static_cast<double>(std::clamp(time, milliseconds(0), kLongestWait).count());
  };
  // Comparisons with a NaN are false, so it takes the second branch of both.
  const double factor = policy.factor >= 1.0 ? policy.factor : 1.0;
  const double jitter = policy.jitter >= 0.0 ? std::min(policy.jitter, 1.0) : 0.0;
  const double retries = question.attempts > 1 ? question.attempts - 1.0 : 0.0;
  const double first = clamped(policy.delay);
  // Zero times an infinite power is no number.
  const double grown = first == 0.0 ? 0.0 : first * std::pow(factor, retries);
  const double delay = std::min(grown, clamped(policy.delay_max));
  const double part = static_cast<double>(question.random >> 11U) * 0x1p-53;  // In [0, 1).
  return delay * (1.0 - jitter * part);
}

}  // namespace

std::optional<milliseconds> next_attempt_in(const RetryQuestion& question) {
  if (!may_retry(question)) return std::nullopt;
  const milliseconds wait(std::llround(delay_of(question)));
  const milliseconds asked = question.error.retry_after.value_or(milliseconds(0));
  return std::min(std::max(wait, asked), kLongestWait);
}

}  // namespace perdure::tools
