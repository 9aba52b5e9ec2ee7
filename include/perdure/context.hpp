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

#include <perdure/combinators.hpp>
#include <perdure/detail/tool_operation.hpp>
#include <perdure/operations.hpp>
#include <perdure/peer.hpp>
#include <perdure/transaction.hpp>
#include <perdure/waits.hpp>

#include <chrono>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

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

  /// One call of a tool, as one step: its output is recorded once, and what happens when nobody
  /// knows whether it happened is said by the tool's effect class. The runtime has to serve the
  /// tool; until it does, the run is parked as `not_registered`.
  ///
  /// Fails with: the tool's error, `exception` when it threw, `timeout` when its last attempt was
  /// given up, `outcome_unknown` where it may have happened and must not be tried again,
  /// `too_large` and `misuse` for an input or an output that does not encode.
  template <class In, class Out>
  [[nodiscard(
      "perdure: a tool is not called until the call is awaited")]] detail::ToolOperation<In, Out>
  call(const Tool<In, Out>& tool, std::type_identity_t<In> input, ToolCallOptions options = {},
       std::source_location where = std::source_location::current()) {
    return {tool, std::move(input), std::move(options), where};
  }

  /// A step that changes rows of tables: `body(Transaction&)` runs on a step thread; what it wrote
  /// becomes true in the same commit as the record of what it returned, so exactly once. It may run
  /// several times before that, and has no effects but by the transaction (transaction.hpp).
  ///
  /// Fails as `step` does, and with `busy` where rows that it reads changed all the time. Its
  /// errors have the effect `refused`: nothing was written.
  template <class F>
    requires std::invocable<F&, Transaction&>
  [[nodiscard("perdure: a transaction does nothing until it is awaited")]] detail::StepOperation<
      detail::TransactionBody<F>>
  transact(Name name, F body, TransactOptions options = {}) {
    return {std::move(name), {std::move(body)}, detail::step_options(options)};
  }

  /// Runs the operations side by side; the value is the tuple of their values (`std::monostate` for
  /// void).
  /// Fails with the first failure by order of delivery. Then the others are asked to stop, and it
  /// ends when they have ended; what has not begun never does.
  template <detail::Operation... Ops>
  [[nodiscard("perdure: branches do nothing until they are awaited")]] auto all(
      Ops&&... operations) {
    return detail::branches_of<detail::Rule::all>(std::forward<Ops>(operations)...);
  }
  /// The same for a vector of tasks or operations of one type, moved in. The value is the vector of
  /// their values, empty for an empty one; for void there is none.
  template <class Vector>
    requires detail::kIsVector<std::remove_cvref_t<Vector>>
  [[nodiscard("perdure: branches do nothing until they are awaited")]] auto all(
      Vector&& operations) {
    return detail::branches_of_vector<detail::Rule::all>(std::forward<Vector>(operations));
  }

  /// Runs the operations side by side until the first success by order of delivery; the others are
  /// asked to stop, and it ends when they have ended. The value is a `std::variant` of their value
  /// types (`std::monostate` for void), whose index says which branch won.
  /// Fails when all have failed, with the last failure; its message then has the words of each, and
  /// its effect is `refused` only if all were.
  template <detail::Operation... Ops>
  [[nodiscard("perdure: branches do nothing until they are awaited")]] auto any(
      Ops&&... operations) {
    return detail::branches_of<detail::Rule::any>(std::forward<Ops>(operations)...);
  }
  /// The same for a vector, moved in; the value is a `Winner<T>`. `misuse` for an empty one.
  template <class Vector>
    requires detail::kIsVector<std::remove_cvref_t<Vector>>
  [[nodiscard("perdure: branches do nothing until they are awaited")]] auto any(
      Vector&& operations) {
    return detail::branches_of_vector<detail::Rule::any>(std::forward<Vector>(operations));
  }

  /// As `any`, but the first end decides, be it a success or a failure.
  template <detail::Operation... Ops>
  [[nodiscard("perdure: branches do nothing until they are awaited")]] auto race(
      Ops&&... operations) {
    return detail::branches_of<detail::Rule::race>(std::forward<Ops>(operations)...);
  }
  /// The same for a vector, moved in; the value is a `Winner<T>`. `misuse` for an empty one.
  template <class Vector>
    requires detail::kIsVector<std::remove_cvref_t<Vector>>
  [[nodiscard("perdure: branches do nothing until they are awaited")]] auto race(
      Vector&& operations) {
    return detail::branches_of_vector<detail::Rule::race>(std::forward<Vector>(operations));
  }

  /// Runs `f(item)`, a task or an operation, for each item, at most `options.limit` at a time; the
  /// value is the vector of their values in the order of the items (for void there is none).
  ///
  /// `f` may borrow from the frame. It is called as its branch begins, in the order of the items,
  /// in the handler: it may draw, and an exception that it throws is its branch's as if a task had.
  /// Items are owned and live until all branches have ended, so `f` may take them by reference into
  /// what it gives. A vector is moved in, of another range the items are copied.
  /// Fails with the first failure by order of delivery: no more branches begin, those that run are
  /// asked to stop, and it ends when they have ended.
  template <std::ranges::input_range Items, class F>
  [[nodiscard("perdure: branches do nothing until they are awaited")]] auto map(
      Items&& items, F f, MapOptions options = {}) {
    return detail::map_of(std::forward<Items>(items), std::move(f), options);
  }

  /// Waits. Counted as elapsed time while the process lives; across a restart the wall clock tells
  /// how much is left, which is never more than `duration`. Zero or less: it is over at once.
  [[nodiscard]] detail::SleepOperation sleep(
      std::chrono::microseconds duration,
      std::source_location where = std::source_location::current()) {
    return {detail::until_after(duration), where};
  }
  /// Waits until the wall clock shows `time`; follows the clock when it is set.
  [[nodiscard]] detail::SleepOperation sleep_until(
      std::chrono::sys_time<std::chrono::microseconds> time,
      std::source_location where = std::source_location::current()) {
    return {detail::until_time(time), where};
  }

  /// The next signal of this name that was sent to the session and that no other run has received;
  /// one that came early is there at once. Receives of one name are served in the order in which
  /// they began.
  template <class T>
  [[nodiscard]] detail::ReceiveOperation<T> receive(
      const Signal<T>& signal, std::source_location where = std::source_location::current()) {
    return {signal.name, where};
  }
  /// The same with a deadline: empty when the time passed first.
  template <class T>
  [[nodiscard]] detail::ReceiveWithinOperation<T> receive(
      const Signal<T>& signal, ReceiveOptions options,
      std::source_location where = std::source_location::current()) {
    return {signal.name, detail::until_after(options.within), where};
  }

  /// `operation`, with a deadline. When the time has passed it is asked to stop, and what it then
  /// ends with decides: a value is the value, a failure becomes `timeout`.
  template <detail::Operation Op>
  [[nodiscard]] detail::WithinOperation<Op> within(
      std::chrono::microseconds duration, Op operation,
      std::source_location where = std::source_location::current()) {
    return {detail::until_after(duration), where, std::move(operation)};
  }
  /// `operation`, out of reach of a cancel and of a stop by other branches: for tidying up. Whoever
  /// asks it to stop waits until it has ended by itself.
  template <detail::Operation Op>
  [[nodiscard]] detail::ShieldedOperation<Op> shielded(Op operation) {
    return {std::move(operation)};
  }

  /// Another session (or this one), to call or to send to.
  template <class... Parts>
  [[nodiscard]] Peer<Agent<Parts...>> session(const Agent<Parts...>& agent, std::string key) {
    return Peer<Agent<Parts...>>(agent, std::move(key));
  }

  /// The session's value of `cell` as the run sees it here: what it wrote last, else what it found.
  /// Writes no record; on replay it is the same.
  template <class T>
  [[nodiscard]] T get(const State<T>& cell) {
    return find(cell).value_or(T{});
  }
  /// The same; empty when there is no value.
  template <class T>
  [[nodiscard]] std::optional<T> find(const State<T>& cell) {
    const Bytes* const bytes = read_state(cell.name);
    if (bytes == nullptr) return std::nullopt;
    Result<T> value = decode<T>(*bytes);
    if (value.has_error()) undecodable_state(cell.name, value.assume_error());
    return std::move(value).assume_value();
  }
  /// Writes it: committed with the step that the handler goes on from, or with its reply. A failed
  /// run's writes stay.
  template <class T>
  void set(const State<T>& cell, const std::type_identity_t<T>& value) {
    write_state(cell.name, type_name<T>(), detail::encode_or_throw(encode(value)));
  }
  /// Removes it.
  template <class T>
  void erase(const State<T>& cell) {
    write_state(cell.name, type_name<T>(), std::nullopt);
  }

  /// Which way the code goes at `change`: a run that passed here before the change came goes the
  /// way of 1, every other one that of `newest`, and it stays so. Where a way is no longer
  /// supported, raise `oldest`; a run that needs a lower one then diverges.
  [[nodiscard]] int version(std::string_view change, int oldest, int newest);

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

  /// For `Saga`: the engine of this run. Throws `Exception` (`misuse`) outside the handler.
  [[nodiscard]] detail::Execution& handler_execution(std::string_view function) const {
    (void)require_handler(function);
    return *execution_;
  }

 private:
  enum class Caller : std::uint8_t { handler, discarded_frame };
  [[nodiscard]] Caller require_handler(std::string_view function) const;
  [[nodiscard]] const Bytes* read_state(std::string_view name) const;
  void write_state(std::string_view name, std::string_view type, std::optional<Bytes> value);
  [[noreturn]] void undecodable_state(std::string_view name, const Error& why);
  detail::Execution* execution_;
};

}  // namespace v0
}  // namespace perdure
