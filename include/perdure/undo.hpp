/// Compensations: what undoes an action of a saga.
///
/// What this is: `Undo{"cancel-flight", &cancel}`, a constexpr object, and the `Receipt` that its
/// function gets.
/// What it promises: it is called by its name from what the journal holds, in whatever process runs
/// then, until it succeeds; its key is the same on every attempt, so it may run more than once.
/// What it asks of its function: after it has succeeded the action has no effect, and an attempt of
/// the action that arrives later, under `Receipt::key`, has none either. So it must also succeed
/// for an action that never came. A tool whose far side can't refuse a late attempt says by
/// `ToolOptions::settle_time` how long one may be under way: the compensation waits as long.
/// What it does not: capture anything. A lambda can't be found again when its process is gone.
#pragma once

#include <perdure/tool.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace perdure {
inline namespace v0 {

/// What is known of an action that is to be undone.
template <class InputType, class OutputType>
struct Receipt {
  using Input = InputType;
  using Output = OutputType;

  /// What it was called with.
  Input input = {};
  /// What it gave. Empty: it failed, or its end is not known; it may have had its effect.
  std::optional<Output> output = {};
  /// `happened`, or `unknown`.
  ErrorEffect effect = ErrorEffect::unknown;
  /// The action's idempotency key: `Step::key()` of its attempts.
  std::string key = {};
};
/// Of an action without output.
template <class InputType>
struct Receipt<InputType, void> {
  using Input = InputType;
  using Output = void;

  Input input = {};
  ErrorEffect effect = ErrorEffect::unknown;
  std::string key = {};
};

/// Options of a compensation. Read from the current code at each attempt.
struct UndoOptions {
  /// Without a bound unless you set one: what can't be undone after `attempts_max` is stuck, and
  /// waits for a person. Errors that say of themselves that another attempt is in vain are stuck at
  /// once.
  Retry retry = {.attempts_max = 0,
                 .delay = std::chrono::seconds(1),
                 .factor = 2.0,
                 .delay_max = std::chrono::minutes(10)};
  /// Of one attempt, as ToolOptions::timeout. Zero: none.
  std::chrono::milliseconds timeout{0};
  /// As ToolOptions::heartbeat_timeout. Zero: none is expected.
  std::chrono::milliseconds heartbeat_timeout{0};
  /// What it does, in words for people.
  std::string_view description = {};
};

namespace detail {

/// A receipt on its way to a compensation, in memory only.
struct ReceiptParts {
  ByteView input;
  std::optional<ByteView> output = {};
  ErrorEffect effect = ErrorEffect::unknown;
  std::string_view key;
};
[[nodiscard]] Bytes encode_receipt(const ReceiptParts& parts);
/// Borrowed from `bytes`. Errors: `undecodable`.
[[nodiscard]] Result<ReceiptParts> read_receipt(ByteView bytes);
/// `receipt<In,Out>`: what a compensation's input is called where tools' inputs have a type.
[[nodiscard]] std::string receipt_type(std::string_view input, std::string_view output);

template <class In, class Out>
[[nodiscard]] std::string_view receipt_type_of() {
  static const std::string text = receipt_type(type_name<In>(), type_name_or_void<Out>());
  return text;
}

template <class In, class Out>
[[nodiscard]] Result<Receipt<In, Out>> decode_receipt(ByteView bytes) {
  PERDURE_TRY(const ReceiptParts parts, read_receipt(bytes));
  Receipt<In, Out> receipt;
  PERDURE_TRY(receipt.input, decode<In>(parts.input));
  if constexpr (!std::is_void_v<Out>)
    if (parts.output) {
      PERDURE_TRY(receipt.output, decode<Out>(*parts.output));
    }
  receipt.effect = parts.effect;
  receipt.key = parts.key;
  return receipt;
}

}  // namespace detail

template <class Input, class Output>
class ServedUndo;

/// A compensation: a stable name, a function `Result<void>(Step&, const Receipt<Input, Output>&)`,
/// options. It undoes actions of tools from `Input` to `Output`.
template <class InputType, class OutputType>
class Undo {
 public:
  using Input = InputType;
  using Output = OutputType;
  using Function = Result<void> (*)(Step&, const Receipt<Input, Output>&);

  constexpr Undo(const char* undo_name, Function function, UndoOptions chosen = {})
      : Undo(undo_name, chosen) {
    function_ = function;
  }
  /// Without a function: then `by` gives the runtime that serves it a callable.
  constexpr explicit Undo(const char* undo_name, UndoOptions chosen = {})
      : name(undo_name), options(chosen) {
    detail::require_codable<Input>();
    if constexpr (!std::is_void_v<Output>) detail::require_codable<Output>();
  }

  /// This compensation, done by `function`, which may have state of the program's and is called by
  /// several threads at a time. For `Runtime::serve`.
  template <class F>
  [[nodiscard]] ServedUndo<Input, Output> by(F function) const;

  [[nodiscard]] detail::ToolEntry entry() const {
    detail::ToolEntry made{name,
                           detail::receipt_type_of<Input, Output>(),
                           "void",
                           {.effect = Effect::keyed,
                            .retry = options.retry,
                            .timeout = options.timeout,
                            .heartbeat_timeout = options.heartbeat_timeout},
                           options.description};
    made.is_undo = true;
    if (function_ != nullptr) made.run = runner(function_);
    return made;
  }
  template <class F>
  [[nodiscard]] static auto runner(F function) {
    return [function = std::move(function)](Step step, ByteView input,
                                            const std::shared_ptr<detail::CompletionCore>& core) {
      try {
        Result<Receipt<Input, Output>> receipt = detail::decode_receipt<Input, Output>(input);
        if (receipt.has_error()) {
          (void)core->complete(std::move(receipt).assume_error());
          return;
        }
        const Result<void> done = std::invoke(function, step, receipt.assume_value());
        (void)core->complete(done.has_error() ? Result<Bytes>(done.assume_error())
                                              : Result<Bytes>(Bytes{}));
      } catch (...) {
        (void)core->complete(detail::error_of_thrown("the compensation's function"));
      }
    };
  }

  const char* name;
  UndoOptions options;

 private:
  Function function_ = nullptr;
};

template <class I, class O>
Undo(const char*, Result<void> (*)(Step&, const Receipt<I, O>&)) -> Undo<I, O>;
template <class I, class O>
Undo(const char*, Result<void> (*)(Step&, const Receipt<I, O>&), UndoOptions) -> Undo<I, O>;

/// A compensation with what does it, for `Runtime::serve`.
template <class Input, class Output>
class ServedUndo {
 public:
  explicit ServedUndo(detail::ToolEntry entry) : entry_(std::move(entry)) {}
  [[nodiscard]] const detail::ToolEntry& entry() const noexcept { return entry_; }

 private:
  detail::ToolEntry entry_;
};

template <class Input, class Output>
template <class F>
ServedUndo<Input, Output> Undo<Input, Output>::by(F function) const {
  static_assert(std::is_invocable_r_v<Result<void>, const F&, Step&, const Receipt<Input, Output>&>,
                "perdure: a compensation is done by a callable Result<void>(pd::Step&, const "
                "pd::Receipt<Input, Output>&), const, because several threads call it");
  detail::ToolEntry made = entry();
  made.run = runner(std::move(function));
  return ServedUndo<Input, Output>(std::move(made));
}

namespace detail {

template <class I, class O>
[[nodiscard]] ToolEntry entry_of(const Undo<I, O>& undo) {
  return undo.entry();
}
template <class I, class O>
[[nodiscard]] ToolEntry entry_of(const ServedUndo<I, O>& undo) {
  return undo.entry();
}

template <class>
inline constexpr bool kIsUndo = false;
template <class I, class O>
inline constexpr bool kIsUndo<Undo<I, O>> = true;

}  // namespace detail
}  // namespace v0
}  // namespace perdure
