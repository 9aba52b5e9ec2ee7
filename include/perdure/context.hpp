/// Context: what a handler may ask of its run.
///
/// What this is: the factory of a handler's operations, and its deterministic clock and dice.
/// What it promises: `now`, `random` and `uuid` give the same on replay, and write no record.
/// Destructors of a handler's locals may call them too. When the frame is destroyed because its
/// session leaves memory, `random` gives a number without meaning and `log` says nothing: no line
/// of the handler follows that could tell.
/// What it does not: work in a step's body. A body runs on another thread and belongs to no
/// position in the handler; there, `now`, `random`, `uuid` and `log` throw `Exception` with
/// `Code::misuse`.
#pragma once

#include <perdure/operations.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace perdure {
inline namespace v0 {

/// Valid while the handler runs. Thread: the handler's.
class Context {
 public:
  explicit Context(detail::Execution& execution) : execution_(&execution) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// One journaled boundary: `body(Step&)` runs on a step thread; what it returns, a value or a
  /// `Result`, is recorded once and never computed again. `body` may borrow from the handler's
  /// frame.
  ///
  /// `name` says in words what is done (at most 256 bytes, no control characters); it is part of
  /// the idempotency key. Fails with: the body's error, `exception` when it threw, `timeout`,
  /// `outcome_unknown` for `at_most_once`, `too_large` when the result is over the limit.
  template <class F>
    requires std::invocable<F&, Step&>
  [[nodiscard("perdure: a step does nothing until it is awaited")]] detail::StepOperation<F> step(
      Name name, F body, StepOptions options = {}) {
    return {std::move(name), std::move(body), std::move(options)};
  }

  /// Runs the operations side by side; the value is the tuple of their values (`std::monostate` for
  /// void).
  /// Fails with the first failure, after the other branches have been asked to stop and have ended.
  template <detail::Operation... Ops>
  [[nodiscard("perdure: `all` does nothing until it is awaited")]] detail::AllOperation<Ops...> all(
      Ops... operations) {
    return {std::tuple<Ops...>(std::move(operations)...)};
  }

  /// The time of the last delivery (at first: of the run's creation). Never decreases.
  [[nodiscard]] std::chrono::sys_time<std::chrono::microseconds> now() const;
  /// 64 random bits: a function of the run, the place in the code and the number of the draw. No
  /// secrets. One draw in an expression: which of two is first is the compiler's choice.
  [[nodiscard]] std::uint64_t random();
  /// A random number below `bound` (at least 1), without bias.
  [[nodiscard]] std::uint64_t random_below(std::uint64_t bound);
  /// A random UUID (version 4), drawn as `random` draws.
  [[nodiscard]] std::string uuid();

  [[nodiscard]] const RunId& run_id() const { return execution_->run_id(); }
  [[nodiscard]] std::string_view session_key() const { return execution_->session_key(); }
  [[nodiscard]] std::string_view agent() const { return execution_->agent_name(); }
  /// The version of the agent that this run started with and stays on.
  [[nodiscard]] int agent_version() const { return execution_->agent_version(); }

  /// Says something in the runtime's log; silent during replay.
  void log(std::string_view message);

 private:
  enum class Caller : std::uint8_t { handler, discarded_frame };
  [[nodiscard]] Caller require_handler(std::string_view function) const;
  detail::Execution* execution_;
};

}  // namespace v0
}  // namespace perdure
