/// Branches of one type, as many as there are at run time: vectors of operations, and `ctx.map`.
///
/// What this is: a source that gives the branch of an index, and the states of those that run under
/// the rules of branches.hpp.
/// What it promises: as many states exist as branches run at a time; a state is destroyed when its
/// branch has ended, and the source's items live until all have.
/// What it does not: call the source's function but from the handler's thread, in the order of the
/// index, as the task that awaits the result.
#pragma once

#include <perdure/detail/branches.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace perdure {
inline namespace v0 {

/// What `any` and `race` of a vector give: which branch has won, and its value, if it has one.
template <class T>
struct Winner {
  std::size_t index = 0;
  T value;
};
template <>
struct Winner<void> {
  std::size_t index = 0;
};

namespace detail {

/// What is kept of the branches' values.
template <Rule kRule, class T>
class RangeValues {
 public:
  using Value = Winner<T>;
  explicit RangeValues(std::size_t) {}
  template <class State>
  void keep(std::size_t, State& state) {
    won_.emplace(state.take());
  }
  void clear() noexcept { won_.reset(); }
  [[nodiscard]] Value take(std::size_t winner) { return Value{winner, std::move(*won_)}; }

 private:
  std::optional<T> won_;
};
template <class T>
  requires(!std::is_void_v<T>)
class RangeValues<Rule::all, T> {
 public:
  using Value = std::vector<T>;
  explicit RangeValues(std::size_t count) : kept_(count) {}
  template <class State>
  void keep(std::size_t index, State& state) {
    kept_[index].emplace(state.take());
  }
  void clear() noexcept { kept_.clear(); }
  [[nodiscard]] Value take(std::size_t) {
    Value values;
    values.reserve(kept_.size());
    for (std::optional<T>& each : kept_) values.push_back(std::move(*each));
    return values;
  }

 private:
  std::vector<std::optional<T>> kept_;
};
template <Rule kRule>
class RangeValues<kRule, void> {
 public:
  using Value = std::conditional_t<kRule == Rule::all, void, Winner<void>>;
  explicit RangeValues(std::size_t) {}
  template <class State>
  void keep(std::size_t, State& state) {
    state.take();
  }
  void clear() noexcept {}
  Value take(std::size_t winner) {
    if constexpr (kRule != Rule::all) return Value{winner};
  }
};
/// The branches of `ctx.all(std::vector{…})`.
template <class Op>
class VectorSource {
 public:
  using Operation = Op;
  explicit VectorSource(std::vector<Op> operations) : operations_(std::move(operations)) {}
  [[nodiscard]] std::size_t size() const noexcept { return operations_.size(); }
  [[nodiscard]] Op make(std::size_t index) { return std::move(operations_[index]); }
  void clear() noexcept { operations_.clear(); }

 private:
  std::vector<Op> operations_;
};

/// How `map` hands an item over: as a value to take where the function can, else as its own.
template <class T, class F>
using MapArgument = std::conditional_t<std::is_invocable_v<F&, T&&>, T&&, T&>;

/// The branches of `ctx.map(items, f)`.
template <class T, class F>
class MapSource {
 public:
  using Operation = std::invoke_result_t<F&, MapArgument<T, F>>;
  MapSource(std::vector<T> items, F function)
      : items_(std::move(items)), function_(std::move(function)) {}
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  [[nodiscard]] Operation make(std::size_t index) {
    return std::invoke(function_, static_cast<MapArgument<T, F>>(items_[index]));
  }
  void clear() noexcept { items_.clear(); }

 private:
  std::vector<T> items_;
  F function_;
};

template <Rule kRule, class Source>
class RangeState;

template <Rule kRule, class Source>
struct [[nodiscard("perdure: branches do nothing until they are awaited")]] RangeOperation {
  using OperationState = RangeState<kRule, Source>;
  using value_type = typename RangeValues<kRule, typename Source::Operation::value_type>::Value;
  Source source;
  std::size_t limit = 0;  ///< 0: none.
};

template <Rule kRule, class Source>
class RangeState final : public Branches {
 public:
  using Value = typename RangeOperation<kRule, Source>::value_type;

  explicit RangeState(RangeOperation<kRule, Source>&& range)
      : Branches(kRule, range.source.size(),
                 range.limit == 0 ? std::numeric_limits<std::size_t>::max() : range.limit),
        values_(range.source.size()),
        source_(std::move(range.source)) {}

  Value take() { return values_.take(winner()); }

 private:
  using State = typename Source::Operation::OperationState;
  struct Slot : Branch {
    std::size_t number = 0;
    Slot* next_free = nullptr;
    std::optional<State> state;
  };

  void begin(std::uint32_t index) override {
    // First what may throw: then no slot is taken.
    typename Source::Operation operation = source_.make(index);
    Slot& slot = take_slot();
    slot.state.emplace(std::move(operation));
    slot.state->start(start_of(slot, index, slot.number));
  }
  [[nodiscard]] Slot& take_slot() {
    if (Slot* const free = free_) {
      free_ = free->next_free;
      return *free;
    }
    Slot& made = slots_.emplace_back();
    made.number = slots_.size() - 1;
    return made;
  }
  Branch& at(std::size_t position) noexcept override { return slots_[position]; }
  Error* failure_of(Branch& branch) noexcept override {
    return static_cast<Slot&>(branch).state->failure();
  }
  void judged(Branch& branch, Wanted wanted) override {
    Slot& slot = static_cast<Slot&>(branch);
    if (wanted == Wanted::yes) values_.keep(branch.index, *slot.state);
    slot.state.reset();
    slot.next_free = std::exchange(free_, &slot);
  }
  void stop_running() noexcept override {
    for (Slot& slot : slots_)
      if (slot.running) slot.state->request_stop();
  }
  void clear() noexcept override {
    source_.clear();
    if (failure() != nullptr) values_.clear();
  }

  RangeValues<kRule, typename Source::Operation::value_type> values_;
  Source source_;
  std::deque<Slot> slots_;  ///< Not moved: states are told of by their address.
  Slot* free_ = nullptr;
};

}  // namespace detail
}  // namespace v0
}  // namespace perdure
