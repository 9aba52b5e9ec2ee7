/// Tools: named operations with side effects, which agents call.
///
/// What this is: `Tool{"book-flight", &book, {.effect = Effect::keyed}}`, a constexpr object, and
/// what its function deals in: `Finding` and `Completion`.
/// What it promises: a tool owns its input, so an attempt that takes too long, or has lost its way,
/// can be given up while it runs: its outcome is then discarded and logged, and another attempt may
/// begin beside it. What happens when the process dies between doing and recording is the effect
/// class's affair (docs/programming_model/tools.md).
/// What it does not: run by itself. A handler calls it (`ctx.call`), and the runtime has to serve
/// it.
#pragma once

#include <perdure/detail/tool_entry.hpp>
#include <perdure/json_schema.hpp>

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace perdure {
inline namespace v0 {

/// It did not happen and will not: `find` knows that no attempt under this key can have an effect
/// any more. Converts to any `Finding`.
struct NeverWillBe {};
inline constexpr NeverWillBe never_will_be{};
/// There is nothing to be found now, and an attempt may still come to have its effect. It is asked
/// again. Converts to any `Finding`.
struct NotYetKnown {};
inline constexpr NotYetKnown not_yet_known{};

/// What a queryable tool's `find` knows of an attempt: its output, or one of the two above.
template <class Output>
class Finding {
 public:
  static_assert(!std::is_void_v<Output>);
  Finding(NeverWillBe) : what_(detail::Found::never_will_be) {}
  Finding(NotYetKnown) : what_(detail::Found::not_yet_known) {}
  /// It happened, and gave `output`.
  Finding(Output output) : what_(detail::Found::found), output_(std::move(output)) {}

  [[nodiscard]] detail::Found what() const noexcept { return what_; }
  [[nodiscard]] const Output& output() const { return *output_; }

 private:
  detail::Found what_;
  std::optional<Output> output_;
};
/// It happened: of a tool without output.
struct Happened {};
inline constexpr Happened happened{};
template <>
class Finding<void> {
 public:
  Finding(NeverWillBe) : what_(detail::Found::never_will_be) {}
  Finding(NotYetKnown) : what_(detail::Found::not_yet_known) {}
  Finding(Happened) : what_(detail::Found::found) {}
  [[nodiscard]] detail::Found what() const noexcept { return what_; }

 private:
  detail::Found what_;
};

/// Ends an attempt of a completion-style tool, from any thread, at any time. Copies stand for the
/// same attempt. When the last one goes without having been called the attempt fails, with
/// `misuse`. Thread: any.
template <class Output>
class Completion {
 public:
  explicit Completion(std::shared_ptr<detail::CompletionCore> core) : core_(std::move(core)) {}

  /// The outcome: a value or an `Error`. Encodes it on the caller's thread, and stores it there
  /// when it is large. Errors, and then nothing came of the call: `misuse` when the attempt was
  /// completed before, `timeout` when it was given up, `closed` after the runtime's shutdown.
  Result<void> operator()(Result<Output> outcome) const {
    if (outcome.has_error()) return core_->complete(std::move(outcome).assume_error());
    if constexpr (std::is_void_v<Output>) {
      return core_->complete(Bytes{});
    } else {
      return core_->complete(encode(outcome.assume_value()));
    }
  }

 private:
  std::shared_ptr<detail::CompletionCore> core_;
};

/// Options of a tool. Read from the current code at each attempt, never compared with the journal;
/// but an attempt that is recorded as begun keeps the effect class that it began with.
template <class Input, class Output>
struct ToolOptions {
  /// What happens when an attempt has begun and nobody knows how it ended.
  Effect effect = Effect::idempotent;
  Retry retry = {};
  /// Of one attempt, from its begin to its end. Then it is given up: asked to stop, its outcome
  /// discarded, its effect unknown. Zero: none.
  std::chrono::milliseconds timeout{0};
  /// How long an attempt may wait for a thread to begin on. Zero: for ever.
  std::chrono::milliseconds queue_timeout{0};
  /// Of the call as a whole: all attempts and what passes between them. Zero: none. Time in which
  /// no process ran counts for the pause before an attempt that was recorded, and for nothing else.
  std::chrono::milliseconds overall_timeout{0};
  /// An attempt that does not tell `Step::heartbeat` for so long is lost: given up as by `timeout`.
  /// Zero: none is expected.
  std::chrono::milliseconds heartbeat_timeout{0};
  /// What an attempt did is done, and can be found, when so much has passed since it ended or was
  /// given up. Zero: the far side says by itself what will never be.
  std::chrono::milliseconds settle_time{0};
  /// `queryable` only: asked before another attempt, when nobody knows what became of the last one.
  /// `Step` is that attempt's: the same key. An error, or an exception, is as `not_yet_known`.
  Result<Finding<Output>> (*find)(Step&, const Input&) = nullptr;
  /// How long `not_yet_known` is asked again, ever more rarely, by `retry.delay` and its factor;
  /// then the call fails with `outcome_unknown`. With a `settle_time`, `not_yet_known` counts as
  /// `never_will_be` once that has passed.
  std::chrono::milliseconds find_within = std::chrono::minutes(10);
  /// What one attempt uses at most: set aside of the run's budget before it begins (budget.hpp).
  Cost cost_max = {};
  /// What it does, in words for people and models.
  std::string_view description = {};
};

/// What one call changes of its tool's options; what is empty stays.
struct RetryChange {
  std::optional<int> attempts_max = {};
  std::optional<std::chrono::milliseconds> delay = {};
  std::optional<double> factor = {};
  std::optional<std::chrono::milliseconds> delay_max = {};
  std::optional<double> jitter = {};
  std::optional<Codes> never = {};
};
struct ToolCallOptions {
  /// The step's name, part of the idempotency key. Empty: the tool's name.
  std::string name = {};
  RetryChange retry = {};
  std::optional<std::chrono::milliseconds> timeout = {};
  std::optional<std::chrono::milliseconds> queue_timeout = {};
  std::optional<std::chrono::milliseconds> overall_timeout = {};
  std::optional<std::chrono::milliseconds> heartbeat_timeout = {};
  std::optional<Cost> cost_max = {};
};

namespace detail {

/// Calls `function` as a tool's, whichever of the two styles it has.
template <class Input, class Output, class F>
void run_tool(const F& function, Step step, ByteView bytes,
              const std::shared_ptr<CompletionCore>& core) {
  try {
    Result<Input> input = decode<Input>(bytes);
    if (input.has_error()) {
      (void)core->complete(std::move(input).assume_error());
    } else if constexpr (std::invocable<const F&, Step, Input, Completion<Output>>) {
      std::invoke(function, std::move(step), std::move(input).assume_value(),
                  Completion<Output>(core));
    } else {
      Result<Output> outcome = std::invoke(function, step, std::as_const(input).assume_value());
      (void)Completion<Output>(core)(std::move(outcome));
    }
  } catch (...) {
    (void)core->complete(error_of_thrown("the tool's function"));
  }
}

template <class Input, class Output>
[[nodiscard]] Result<FoundBytes> find_by(Result<Finding<Output>> (*find)(Step&, const Input&),
                                         Step& step, ByteView bytes) {
  PERDURE_TRY(const Input input, decode<Input>(bytes));
  PERDURE_TRY(const Finding<Output> finding, find(step, input));
  FoundBytes found{finding.what()};
  if constexpr (!std::is_void_v<Output>)
    if (found.what == Found::found) {
      PERDURE_TRY(found.output, encode(finding.output()));
    }
  return found;
}

}  // namespace detail

template <class Input, class Output>
class ServedTool;

/// A tool: a stable name, a function, options. The function is one of
/// - `Result<Output>(Step&, const Input&)` (or `Input` by value): it blocks a step thread until it
///   returns;
/// - `void(Step, Input, Completion<Output>)`: it returns soon, and calls the completion when there
///   is an outcome, on any thread: so a thousand waiting calls need no thousand threads;
/// - none: then `by` gives the runtime that serves it a callable.
template <class InputType, class OutputType>
  requires(!std::is_reference_v<InputType>)  // A function of `const Input&` has one reading.
class Tool {
 public:
  using Input = InputType;
  using Output = OutputType;
  using Options = ToolOptions<Input, Output>;
  using Blocking = Result<Output> (*)(Step&, const Input&);
  using BlockingByValue = Result<Output> (*)(Step&, Input);
  using Completing = void (*)(Step, Input, Completion<Output>);

  constexpr Tool(const char* tool_name, Blocking function, Options chosen = {})
      : Tool(tool_name, chosen) {
    blocking_ = function;
  }
  constexpr Tool(const char* tool_name, BlockingByValue function, Options chosen = {})
      : Tool(tool_name, chosen) {
    by_value_ = function;
  }
  constexpr Tool(const char* tool_name, Completing function, Options chosen = {})
      : Tool(tool_name, chosen) {
    completing_ = function;
  }
  constexpr explicit Tool(const char* tool_name, Options chosen = {})
      : name(tool_name), options(chosen) {
    detail::require_codable<Input>();
    if constexpr (!std::is_void_v<Output>) detail::require_codable<Output>();
  }

  /// The JSON Schema of its input, so that a model can be offered the tool (json_schema.hpp).
  [[nodiscard]] static std::string input_schema() { return json_schema<Input>(); }
  /// This tool, done by `function`: a callable of one of the two styles, which may have state of
  /// the program's (a client, a connection) and is called by several threads at a time. For
  /// `Runtime::serve`.
  template <class F>
  [[nodiscard]] ServedTool<Input, Output> by(F function) const;

  [[nodiscard]] detail::ToolEntry entry() const {
    detail::ToolEntry made{name,
                           type_name<Input>(),
                           detail::type_name_or_void<Output>(),
                           {options.effect, options.retry, options.timeout, options.queue_timeout,
                            options.overall_timeout, options.heartbeat_timeout, options.settle_time,
                            options.find_within, options.cost_max},
                           options.description};
    if (blocking_ != nullptr) made.run = runner(blocking_);
    if (by_value_ != nullptr) made.run = runner(by_value_);
    if (completing_ != nullptr) made.run = runner(completing_);
    if (options.find != nullptr)
      made.find = [find = options.find](Step& step, ByteView input) {
        return detail::find_by<Input, Output>(find, step, input);
      };
    return made;
  }
  template <class F>
  [[nodiscard]] static auto runner(F function) {
    return [function = std::move(function)](Step step, ByteView input,
                                            const std::shared_ptr<detail::CompletionCore>& core) {
      detail::run_tool<Input, Output>(function, std::move(step), input, core);
    };
  }

  const char* name;
  Options options;

 private:
  Blocking blocking_ = nullptr;
  BlockingByValue by_value_ = nullptr;
  Completing completing_ = nullptr;
};

template <class I, class O>
Tool(const char*, Result<O> (*)(Step&, const I&)) -> Tool<I, O>;
template <class I, class O>
  requires(!std::is_reference_v<I>)
Tool(const char*, Result<O> (*)(Step&, I)) -> Tool<I, O>;
template <class I, class O>
  requires(!std::is_reference_v<I>)
Tool(const char*, void (*)(Step, I, Completion<O>)) -> Tool<I, O>;

/// A tool with what does it, for `Runtime::serve`.
template <class Input, class Output>
class ServedTool {
 public:
  explicit ServedTool(detail::ToolEntry entry) : entry_(std::move(entry)) {}
  [[nodiscard]] const detail::ToolEntry& entry() const noexcept { return entry_; }

 private:
  detail::ToolEntry entry_;
};

template <class Input, class Output>
  requires(!std::is_reference_v<Input>)
template <class F>
ServedTool<Input, Output> Tool<Input, Output>::by(F function) const {
  static_assert(std::is_invocable_r_v<Result<Output>, const F&, Step&, const Input&> ||
                    std::is_invocable_v<const F&, Step, Input, Completion<Output>>,
                "perdure: a tool is done by a callable Result<Output>(pd::Step&, const Input&) or "
                "void(pd::Step, Input, pd::Completion<Output>), const, because several threads "
                "call it");
  detail::ToolEntry made = entry();
  made.run = runner(std::move(function));
  return ServedTool<Input, Output>(std::move(made));
}

namespace detail {

template <class I, class O>
[[nodiscard]] ToolEntry entry_of(const Tool<I, O>& tool) {
  return tool.entry();
}
template <class I, class O>
[[nodiscard]] ToolEntry entry_of(const ServedTool<I, O>& tool) {
  return tool.entry();
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
