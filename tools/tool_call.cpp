#include <perdure/detail/tool_operation.hpp>

namespace perdure {
inline namespace v0 {
namespace detail {
namespace {

Retry changed(Retry retry, const RetryChange& change) {
  retry.attempts_max = change.attempts_max.value_or(retry.attempts_max);
  retry.delay = change.delay.value_or(retry.delay);
  retry.factor = change.factor.value_or(retry.factor);
  retry.delay_max = change.delay_max.value_or(retry.delay_max);
  retry.jitter = change.jitter.value_or(retry.jitter);
  retry.never = change.never.value_or(retry.never);
  return retry;
}

}  // namespace

BodyResult ToolLeaf::run(Step& step) noexcept {
  return Error{Code::misuse, "the call '" + step.name() + "' of a tool has no body of its own"};
}

void ToolLeaf::adopt(const ToolEntry& entry) {
  policy_ = entry.policy;
  policy_.retry = changed(policy_.retry, changes_.retry);
  const SagaMember* const in_saga = member();
  if (in_saga != nullptr && in_saga->as == SagaMember::As::retriable)
    policy_.retry.attempts_max = changes_.retry.attempts_max.value_or(0);
  policy_.timeout = changes_.timeout.value_or(policy_.timeout);
  policy_.queue_timeout = changes_.queue_timeout.value_or(policy_.queue_timeout);
  policy_.overall_timeout = changes_.overall_timeout.value_or(policy_.overall_timeout);
  policy_.heartbeat_timeout = changes_.heartbeat_timeout.value_or(policy_.heartbeat_timeout);
  policy_.cost_max = changes_.cost_max.value_or(policy_.cost_max);
  set_options({policy_.effect, policy_.retry, policy_.timeout, policy_.cost_max});
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
