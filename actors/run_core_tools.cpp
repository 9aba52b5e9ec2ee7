/// The run core's tools: orders that own their input, questions to `find`, progress.
#include "actors/run_core.hpp"
#include "tools/retry.hpp"

#include <algorithm>

namespace perdure::actors {

using journal::Pending;
using std::chrono::milliseconds;

namespace {

/// What was answered in vain is not asked again sooner.
constexpr milliseconds kAskDelayMin{10};

std::string in_words(const Error& error) { return " (" + error.to_string() + ")"; }

}  // namespace

Effect RunCore::effect_of(const Pending& pending) const {
  return pending.started_as ? static_cast<Effect>(*pending.started_as)
                            : body_of(pending).options().effect;
}

/// What is left of the call's overall timeout, which is counted from its first attempt; empty: it
/// has none.
std::optional<milliseconds> RunCore::overall_left(detail::BodyLeaf& leaf) {
  detail::ToolLeaf* const tool = leaf.tool();
  if (tool == nullptr || tool->policy().overall_timeout <= milliseconds::zero())
    return std::nullopt;
  const core::Elapsed now = clock_.elapsed();
  if (!tool->counted_from()) {
    const Pending* const pending = machine_.find(path_of(leaf.place()).components());
    const journal::Attempts* const attempts =
        pending != nullptr ? attempts_of(pending->what.path) : nullptr;
    tool->count_from(now - milliseconds(attempts != nullptr ? attempts->spent_ms : 0));
  }
  return tool->policy().overall_timeout -
         std::chrono::duration_cast<milliseconds>(now - *tool->counted_from());
}

Result<std::shared_ptr<const ToolOrder>> RunCore::tool_order(Pending& pending,
                                                             ToolOrder::What what) {
  detail::ToolLeaf& leaf = *body_of(pending).tool();
  PERDURE_TRY(std::shared_ptr<const detail::ToolEntry> entry, host_.tool(leaf));
  const journal::Attempts* const attempts = attempts_of(pending.what.path);
  auto order = std::make_shared<ToolOrder>();
  if (what == ToolOrder::What::attempt) {
    order->left = overall_left(leaf);
    if (order->left && *order->left <= milliseconds::zero()) {
      Error error{Code::timeout, "the overall timeout of " +
                                     std::to_string(leaf.policy().overall_timeout.count()) +
                                     " ms has passed before another attempt of '" +
                                     leaf.name().text + "' could begin"};
      error.effect = attempts != nullptr && attempts->last_error
                         ? attempts->last_error->known_effect()
                         : ErrorEffect::refused;
      return error;
    }
  }
  Result<Bytes> input = leaf.encode_input();
  if (input.has_error()) {
    Error error = std::move(input).assume_error();
    error.message = "the input of tool '" + std::string(leaf.tool_name()) + "': " + error.message;
    error.retryable = false;
    error.effect = ErrorEffect::refused;
    return error;
  }
  order->entry = std::move(entry);
  order->name = leaf.name().text;
  order->input = std::move(input).assume_value();
  order->policy = leaf.policy();
  order->what = what;
  if (attempts != nullptr) order->progress = attempts->progress;
  return order;
}

/// Another attempt after this failure, unless the policy or the overall timeout is against it: then
/// `error` says which.
std::optional<milliseconds> RunCore::retry_in(Pending& pending, Error& error) {
  detail::BodyLeaf& leaf = body_of(pending);
  Error judged = error;
  // It succeeds in the end, whatever it says: that is what the author promised.
  const detail::SagaMember* const member = leaf.tool() != nullptr ? leaf.tool()->member() : nullptr;
  if (member != nullptr && member->as == detail::SagaMember::As::retriable) judged.retryable = true;
  const std::optional<milliseconds> delay = tools::next_attempt_in(
      {leaf.options().retry, effect_of(pending), judged, pending.attempt, random_.next()});
  const std::optional<milliseconds> left = overall_left(leaf);
  if (!delay || !left || *delay < *left) return delay;
  const ErrorEffect effect = error.known_effect();
  error = Error{Code::timeout, "the overall timeout of " +
                                   std::to_string(leaf.tool()->policy().overall_timeout.count()) +
                                   " ms ends before another attempt of '" + leaf.name().text +
                                   "' could begin; the last one failed" + in_words(error)};
  error.effect = effect;
  return std::nullopt;
}

// --- Questions -----------------------------------------------------------------------------------

/// Whether a failure leaves open what became of the attempt, and somebody can be asked.
bool RunCore::must_ask(const Pending& pending, const Error& error) const {
  return effect_of(pending) == Effect::queryable && !pending.stop_requested &&
         error.known_effect() != ErrorEffect::refused;
}

/// The step is opened again, and its row says that nobody knows.
void RunCore::plan_question(Pending& pending, const Error& error) {
  journal::Attempts& attempts = attempts_for(pending);
  attempts.count = pending.attempt;
  attempts.unclean_ends = 0;
  if (!attempts.first_error) attempts.first_error = error;
  attempts.last_error = error;
  attempts.last_stamp = stamp_;
  attempts.asks = 0;
  attempts.asked_ms = 0;
  put_attempts(attempts);
  machine_.set_phase(pending, Pending::Phase::opened);
  effects_.logs.push_back({LogLevel::info, "step_asks",
                           "attempt " + std::to_string(pending.attempt) + " of '" +
                               std::string(pending.what.name) + "' failed" + in_words(error) +
                               ", and find is asked whether it happened all the same",
                           pending.what.path.to_string()});
}

void RunCore::order_question(Pending& pending, const Begin& begin) {
  auto made = tool_order(pending, ToolOrder::What::find);
  if (made.has_error()) return park(made.error());
  pending.attempt = begin.attempt;
  pending.asked = true;
  note_question(pending, begin);
  BodyOrder& question = order(pending);
  question.start_recorded = begin.record_unclean_end;
  question.tool = std::move(made).assume_value();
}

/// That the attempt has ended with its process stands in its row from here on.
void RunCore::note_question(const Pending& pending, const Begin& begin) {
  const journal::Attempts* const known = attempts_of(pending.what.path);
  const bool has_ended = known != nullptr && known->last_error && known->last_stamp != 0 &&
                         known->count >= pending.attempt;
  // Also that it waits no longer.
  journal::Attempts& attempts = attempts_for(pending);
  if (begin.record_unclean_end) ++attempts.unclean_ends;
  if (!has_ended) {
    attempts.count = pending.attempt;
    attempts.last_error =
        Error{Code::closed, "the process ended during attempt " + std::to_string(pending.attempt)};
    attempts.last_stamp = stamp_;
    attempts.asks = 0;
    attempts.asked_ms = 0;
    if (!attempts.first_error) attempts.first_error = attempts.last_error;
  }
  put_attempts(attempts);
}

void RunCore::answered(Pending& pending, BodyCompletion& completion) {
  stamp_now();
  if (*completion.found == detail::Found::found && completion.result.has_value()) {
    outcome(pending, completion.result, completion);
    return;
  }
  if (completion.result.has_error())
    effects_.logs.push_back({LogLevel::warning, "find_failed",
                             "find of tool '" + std::string(body_of(pending).tool()->tool_name()) +
                                 "' could not say what became of attempt " +
                                 std::to_string(pending.attempt) +
                                 in_words(completion.result.assume_error()),
                             pending.what.path.to_string()});
  // It was asked to stop meanwhile: begin_step ends it so.
  if (pending.stop_requested) return machine_.set_phase(pending, Pending::Phase::opened);
  const detail::ToolPolicy& policy = body_of(pending).tool()->policy();
  const journal::Attempts* const attempts = attempts_of(pending.what.path);
  const milliseconds asked(attempts != nullptr ? attempts->asked_ms : 0);
  const bool settled = policy.settle_time > milliseconds::zero() && asked >= policy.settle_time;
  if (completion.result.has_value() &&
      (*completion.found == detail::Found::never_will_be || settled))
    return found_never(pending, completion);
  if (asked < std::max(policy.find_within, policy.settle_time))
    return ask_again(pending, completion);
  outcome(
      pending,
      Error{Code::outcome_unknown,
            "nobody knows what became of attempt " + std::to_string(pending.attempt) + " of '" +
                std::string(pending.what.name) + "': its find was asked for " +
                std::to_string(asked.count()) + " ms in vain" +
                (completion.result.has_error() ? in_words(completion.result.assume_error()) : "") +
                ". Find out outside, then go on"},
      completion);
}

/// The step's outcome is recorded. When the run takes no deliveries nobody waits for it, but what
/// happened is not done again.
void RunCore::settled(Pending& pending, const detail::BodyResult& result) {
  if (machine_.state() == journal::MachineState::running)
    deliver(pending, result);
  else
    machine_.delivered(pending);
}

void RunCore::outcome(Pending& pending, const detail::BodyResult& result,
                      const BodyCompletion& completion) {
  record_result(pending, result, completion.busy_us, completion.blob);
  settled(pending, result);
}

/// The attempt that was asked about is known to have had no effect.
void RunCore::found_never(Pending& pending, const BodyCompletion& completion) {
  journal::Attempts& attempts = attempts_for(pending);
  Error error = *attempts.last_error;
  error.effect = ErrorEffect::refused;
  // As any attempt that the process took with it: another one follows at once.
  const bool died = error.code == Code::closed;
  if (!died) {
    if (const std::optional<milliseconds> delay = retry_in(pending, error))
      return plan_retry(pending, error, *delay);
    return outcome(pending, error, completion);
  }
  attempts.last_error = std::move(error);
  attempts.last_stamp = stamp_;
  attempts.asks = 0;
  attempts.asked_ms = 0;
  put_attempts(attempts);
  machine_.set_phase(pending, Pending::Phase::opened);
}

void RunCore::ask_again(Pending& pending, const BodyCompletion& completion) {
  const detail::ToolPolicy& policy = body_of(pending).tool()->policy();
  journal::Attempts& attempts = attempts_for(pending);
  const milliseconds asked(attempts.asked_ms);
  Retry rarer = policy.retry;
  rarer.attempts_max = 0;
  rarer.never = {};
  Error why = completion.result.has_error() ? completion.result.assume_error() : Error{};
  why.retryable = true;
  milliseconds delay =
      tools::next_attempt_in({rarer, Effect::queryable, why, attempts.asks + 1, random_.next()})
          .value_or(kAskDelayMin);
  const milliseconds most = std::max(policy.find_within, policy.settle_time) - asked;
  const milliseconds settles = policy.settle_time - asked;
  delay = std::min(std::max(delay, kAskDelayMin), most);
  if (settles > milliseconds::zero()) delay = std::min(delay, settles);
  attempts.count = pending.attempt;
  ++attempts.asks;
  attempts.asked_ms += delay.count();
  attempts.last_stamp = stamp_;
  attempts.next_due = stamp_ + std::chrono::microseconds(delay).count();
  put_attempts(attempts);
  back_off(pending, attempts, delay);
}

// --- Progress ------------------------------------------------------------------------------------

void RunCore::progress(const BodyAddress& address, Bytes progress) {
  if (address.generation != machine_.generation() ||
      machine_.state() != journal::MachineState::running)
    return;
  Pending* const pending = machine_.find(address.path.components());
  if (pending == nullptr || pending->phase() != Pending::Phase::active ||
      pending->attempt != address.attempt || pending->asked)
    return;
  const bool is_new = attempts_of(address.path) == nullptr;
  journal::Attempts& attempts = attempts_for(*pending);
  attempts.count = pending->attempt;
  attempts.last_stamp = 0;
  if (is_new) attempts.unclean_ends = 0;
  attempts.progress = std::move(progress);
  put_attempts(attempts);
}

}  // namespace perdure::actors
