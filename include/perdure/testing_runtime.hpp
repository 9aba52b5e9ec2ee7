/// A runtime for tests: in memory, without threads, with a manual clock.
///
/// What this is: `pd::testing::Runtime`. Agents are served when they are first used, or by `serve`;
/// step bodies and handlers run on the caller's thread, inside the calls that wait for them.
/// What it promises: the same program takes the same steps in the same order and writes the same
/// journal, every time. Nothing happens but inside a call. No call blocks: what can't move is told.
/// What it does not: imitate parallel bodies. Bodies run one after the other, in the order that
/// `Options::order` says.
#pragma once

#include <perdure/detail/testing_core.hpp>
#include <perdure/operations.hpp>
#include <perdure/runtime.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace perdure {
inline namespace v0 {
namespace testing {

/// Thread: one, but for `steps`' and handles' contents, which are values. Handles (`AgentSession`,
/// `Run`) stay valid across `restart`, as if they belonged to a caller in another process.
class Runtime {
 public:
  explicit Runtime(Options options = {}) : core_(detail::make_testing_core(options)) {}
  Runtime(Runtime&&) noexcept = default;
  Runtime& operator=(Runtime&&) noexcept = default;
  /// Ends as a killed process does: nothing more is run or recorded.
  ~Runtime() = default;

  /// Makes agents and tools known; a tool that is not is served when a handler calls it. One of the
  /// same name (and version) as another takes its place at the next
  /// `restart`: that is a deploy. A bad name makes whatever uses the runtime next fail with
  /// `misuse`.
  template <class... Things>
  void serve(const Things&... things) {
    (core_->serve(perdure::detail::entry_of(things)), ...);
  }

  /// A deploy without this compensation: from the next `restart` on nobody serves it, until `serve`
  /// does, or a handler registers an action with it again.
  template <class In, class Out>
  void forget(const Undo<In, Out>& undo) {
    core_->forget(undo.name);
  }

  /// The session `key` of `agent`. Serves the agent, unless one of its name and version is served.
  template <class... H>
  [[nodiscard]] AgentSession<Agent<H...>> session(const Agent<H...>& agent, std::string key) {
    core_->serve_if_new(perdure::detail::entry_of(agent));
    return AgentSession<Agent<H...>>(core_, agent, std::move(key));
  }

  /// A handle for a run known by its id. `Run::wait` runs whatever can run until the run has ended.
  /// It moves no clock, and its bound does not count: when nothing can run any more it fails with
  /// `timeout`, says what the run waits for, and whether only time is missing. With the bound 0,
  /// and so in `Run::result`, nothing is run.
  template <class R>
  [[nodiscard]] Run<R> run(const RunId& id) {
    return Run<R>(core_, id);
  }

  /// From now on `body` runs in place of every step body of this name, whatever agent it belongs
  /// to: a callable as `Context::step` takes it, of the same value type. It is called for each
  /// attempt, and the last `replace` of a name counts. A step whose value has another type fails
  /// with `misuse`, without a retry.
  template <class F>
    requires std::invocable<F&, Step&>
  void replace(std::string step_name, F body) {
    using Operation = perdure::detail::StepOperation<F>;
    core_->replace(step_name, std::make_shared<perdure::detail::StepState<F>>(
                                  Operation{Name(step_name), std::move(body), {}}));
  }
  /// From now on `function`, a callable as `Tool::by` takes it, is called in place of the tool's,
  /// by all agents. A tool's options, and its `find`, stay.
  template <class In, class Out, class F>
  void replace(const Tool<In, Out>& tool, F function) {
    core_->replace(tool.by(std::move(function)).entry());
  }
  /// The same in place of a transaction's body.
  template <class F>
    requires std::invocable<F&, Transaction&>
  void replace(std::string step_name, F body) {
    replace(std::move(step_name), perdure::detail::TransactionBody<F>{std::move(body)});
  }
  /// Undoes `replace`.
  void restore(const std::string& step_name) { core_->replace(step_name, nullptr); }
  template <class In, class Out>
  void restore(const Tool<In, Out>& tool) {
    core_->replace(Tool<In, Out>(tool.name).entry());
  }

  /// Runs everything that can run without the clock moving. Throws `Exception`: `misuse` from
  /// inside a handler or a body, `timeout` when `Options::turns_max` did not suffice, and what kept
  /// the runtime from starting.
  void run_until_idle() { core_->run_until_idle().value(); }

  /// Moves the clock on by `by`, stopping at each time at which something is due, in order; runs
  /// what becomes due and all that follows from it before it goes on. In a step's body it moves the
  /// clock and lets timeouts pass, and everything else waits until the body has returned: so a body
  /// takes time. Throws as `run_until_idle`; `misuse` when `by` is negative.
  void advance(std::chrono::microseconds by) { core_->advance(by).value(); }

  /// The manual clock's time.
  [[nodiscard]] std::chrono::sys_time<std::chrono::microseconds> now() const {
    return core_->now();
  }

  /// The process ends and another one starts on the same journal, with what is served now; whatever
  /// is unfinished goes on (inside the next call that runs something). Throws `Exception`: `misuse`
  /// from inside a handler or a body, and what kept the runtime from starting.
  void restart(End end = End::clean, Downtime downtime = {}) {
    core_->restart(end, downtime).value();
  }

  /// What step bodies did since the beginning, in the order in which they began.
  [[nodiscard]] std::vector<StepRun> steps() const { return core_->steps(); }
  /// How many bodies of this name have begun.
  [[nodiscard]] std::size_t times(std::string_view step_name) const;
  /// As `Runtime::on_event` would have told them, in order.
  [[nodiscard]] std::vector<Event> events() const { return core_->events(); }
  /// All log lines, of every level, in order.
  [[nodiscard]] std::vector<LogLine> log() const { return core_->log(); }

  /// As `perdure::Runtime::create_blob` and `open_blob`. The writer and the reader must not outlive
  /// the process that the next `restart` ends.
  [[nodiscard]] Result<BlobWriter> create_blob() { return perdure::detail::create_blob(*core_); }
  [[nodiscard]] Result<BlobReader> open_blob(const Blob& blob) {
    return perdure::detail::open_blob(*core_, blob);
  }

  /// As `perdure::Runtime::rows`: what the disk holds, also while no process has it open.
  template <class K, class V>
  [[nodiscard]] Rows<K, V> rows(const Table<K, V>& table) {
    return {std::shared_ptr<perdure::detail::RowSource>(core_, &core_->rows()), table};
  }

  /// As `perdure::Runtime::resolve_saga`.
  [[nodiscard]] Result<void> resolve_saga(std::string_view saga, const SagaResolution& resolution) {
    return core_->resolve_saga(saga, resolution);
  }

  /// As `perdure::Runtime::explain`.
  [[nodiscard]] Result<std::string> explain(const RunId& id) { return core_->explain(id); }

  /// For the crash driver.
  [[nodiscard]] detail::TestingCore& core() noexcept { return *core_; }

 private:
  std::shared_ptr<detail::TestingCore> core_;
};

inline std::size_t Runtime::times(std::string_view step_name) const {
  std::size_t count = 0;
  for (const StepRun& step : core_->steps()) count += step.name == step_name ? 1 : 0;
  return count;
}

}  // namespace testing
}  // namespace v0
}  // namespace perdure
