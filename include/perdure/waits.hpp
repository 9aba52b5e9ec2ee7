/// Waiting: sleeps, receives, deadlines, and what a cancel must not reach.
///
/// What this is: the operations behind `ctx.sleep`, `ctx.receive`, `ctx.within` and `ctx.shielded`.
/// What it promises: a wait costs no thread and survives the process; a time is never early and
/// never lost; a signal that came before its receive is kept for it, and one that a losing or
/// cancelled receive asked for is not consumed.
/// What it does not: block. Outside handlers, `Run::wait` does.
#pragma once

#include <perdure/detail/leaf_state.hpp>
#include <perdure/operations.hpp>
#include <perdure/signal.hpp>

#include <chrono>

namespace perdure {
inline namespace v0 {

/// Options of `ctx.receive`.
struct ReceiveOptions {
  /// How long to wait: `receive` is then empty when it has passed. Counted from when the receive
  /// begins, as elapsed time; across a restart by the wall clock.
  std::chrono::microseconds within;
};

namespace detail {

[[nodiscard]] inline WaitUntil until_after(std::chrono::microseconds delay) noexcept {
  return {delay.count(), WaitUntil::Counted::from_the_beginning};
}
[[nodiscard]] inline WaitUntil until_time(
    std::chrono::sys_time<std::chrono::microseconds> at) noexcept {
  return {at.time_since_epoch().count(), WaitUntil::Counted::by_wall_clock};
}

/// `ctx.sleep(duration)` and `ctx.sleep_until(time)`.
class SleepState;
struct [[nodiscard("perdure: a sleep does nothing until it is awaited")]] SleepOperation {
  using OperationState = SleepState;
  using value_type = void;
  WaitUntil until;
  std::source_location where;
};
class SleepState final : public DecodedState<WaitLeaf, void> {
 public:
  explicit SleepState(SleepOperation&& operation)
      : DecodedState(LeafKind::sleep, Name("sleep", operation.where), "void",
                     WaitRequest{.until = operation.until}) {}
};

/// `ctx.receive(signal)`.
template <class T>
class ReceiveState;
template <class T>
struct [[nodiscard("perdure: a receive does nothing until it is awaited")]] ReceiveOperation {
  using OperationState = ReceiveState<T>;
  using value_type = T;
  const char* signal;
  std::source_location where;
};
template <class T>
class ReceiveState final : public DecodedState<WaitLeaf, T> {
 public:
  explicit ReceiveState(ReceiveOperation<T>&& operation)
      : DecodedState<WaitLeaf, T>(LeafKind::receive, Name(operation.signal, operation.where),
                                  type_name<T>(), WaitRequest{}) {}
};

/// `ctx.receive(signal, {.within = …})`.
template <class T>
class ReceiveWithinState;
template <class T>
struct [[nodiscard("perdure: a receive does nothing until it is awaited")]] ReceiveWithinOperation {
  using OperationState = ReceiveWithinState<T>;
  using value_type = std::optional<T>;
  const char* signal;
  WaitUntil until;
  std::source_location where;
};
template <class T>
class ReceiveWithinState final : public LeafState<WaitLeaf, std::optional<T>> {
 public:
  explicit ReceiveWithinState(ReceiveWithinOperation<T>&& operation)
      : LeafState<WaitLeaf, std::optional<T>>(
            LeafKind::receive, Name(operation.signal, operation.where), type_name<T>(),
            WaitRequest{.until = operation.until}) {}
  [[nodiscard]] Result<void> accept(ByteView payload) override {
    PERDURE_TRY(T value, decode<T>(payload));
    this->result_.emplace(BOOST_OUTCOME_V2_NAMESPACE::in_place_type<std::optional<T>>,
                          std::move(value));
    return success();
  }
  /// That the time has passed is no failure.
  void refuse(Error error) override {
    if (error.code == Code::timeout) {
      this->result_.emplace(BOOST_OUTCOME_V2_NAMESPACE::in_place_type<std::optional<T>>);
    } else {
      this->result_.emplace(std::move(error));
    }
  }
};

/// What `ctx.within` fails with.
[[nodiscard]] Error within_passed_error(const WaitUntil& until);

/// `ctx.within(duration, operation)`: the operation beside a sleep. Branch 0 is the operation,
/// branch 1 the sleep.
template <class Op>
class WithinState;
template <class Op>
struct [[nodiscard("perdure: `within` does nothing until it is awaited")]] WithinOperation {
  using OperationState = WithinState<Op>;
  using value_type = typename Op::value_type;
  WaitUntil until;
  std::source_location where;
  Op operation;
};
template <class Op>
class WithinState final : public Parent {
 public:
  using State = typename Op::OperationState;
  using Value = typename Op::value_type;
  explicit WithinState(WithinOperation<Op>&& within)
      : until_(within.until),
        sleep_(SleepOperation{within.until, within.where}),
        state_(std::move(within.operation)) {}
  WithinState(const WithinState&) = delete;
  WithinState& operator=(const WithinState&) = delete;

  void start(const Start& start) {
    place_ = start.place;
    parent_ = &start.parent;
    position_ = start.position;
    state_.start(Start{start.execution, Place{&place_, kOperation}, *this, kOperation});
    if (ended_[kOperation]) return;
    started_sleep_ = true;
    sleep_.start(Start{start.execution, Place{&place_, kSleep}, *this, kSleep});
  }
  void request_stop() noexcept {
    if (!ended_[kOperation]) state_.request_stop();
  }
  /// It ends with the operation, whose frames and bodies must not outlive it; when the time passes
  /// first the operation is asked to stop, and what it then ends with decides, as in a step.
  void child_ended(std::size_t position) noexcept override {
    ended_[position] = true;
    if (position == kSleep && !ended_[kOperation]) {
      passed_ = sleep_.failure() == nullptr;
      if (passed_) state_.request_stop();
    } else if (position == kOperation && started_sleep_ && !ended_[kSleep]) {
      sleep_.request_stop();
    }
    if (ended_[kOperation] && (!started_sleep_ || ended_[kSleep])) end();
  }
  [[nodiscard]] Error* failure() noexcept {
    Error* const own = state_.failure();
    if (own == nullptr || !passed_) return own;
    error_ = within_passed_error(until_);
    error_.effect = own->known_effect();
    return &error_;
  }
  [[nodiscard]] Value take() { return state_.take(); }

 private:
  static constexpr std::uint32_t kOperation = 0;
  static constexpr std::uint32_t kSleep = 1;
  void end() noexcept {
    if (!std::exchange(told_, true)) parent_->child_ended(position_);
  }

  WaitUntil until_;
  SleepState sleep_;
  State state_;
  Place place_;
  Parent* parent_ = nullptr;
  std::size_t position_ = 0;
  std::array<bool, 2> ended_{};
  bool started_sleep_ = false;
  bool passed_ = false;
  bool told_ = false;
  Error error_;
};

/// `ctx.shielded(operation)`.
template <class Op>
class ShieldedState;
template <class Op>
struct [[nodiscard("perdure: `shielded` does nothing until it is awaited")]] ShieldedOperation {
  using OperationState = ShieldedState<Op>;
  using value_type = typename Op::value_type;
  Op operation;
};
template <class Op>
class ShieldedState {
 public:
  using Value = typename Op::value_type;
  explicit ShieldedState(ShieldedOperation<Op>&& shielded)
      : state_(std::move(shielded.operation)) {}
  void start(const Start& start) {
    Start inside = start;
    inside.place.shielded = true;
    state_.start(inside);
  }
  /// Whoever asked waits until the operation has ended by itself.
  void request_stop() noexcept {}
  [[nodiscard]] Error* failure() noexcept { return state_.failure(); }
  [[nodiscard]] Value take() { return state_.take(); }

 private:
  typename Op::OperationState state_;
};

}  // namespace detail
}  // namespace v0
}  // namespace perdure
