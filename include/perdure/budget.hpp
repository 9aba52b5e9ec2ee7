/// Budgets: what a run, and all that it starts, may use.
///
/// What this is: `Cost` (what an attempt uses), `Budget` (limits, an option of a handler) and
/// `Spending` (what was used of one).
/// What it promises: an attempt begins only when what was used, what is reserved for attempts that
/// run, and the most that this one says it uses, together stay within every limit. What an attempt
/// used that nobody lives to tell of counts as the most. See docs/programming_model/budgets.md.
/// What it does not: stop an attempt that runs, or know prices. Tools say what they use.
#pragma once

#include <perdure/run_id.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

namespace perdure {
inline namespace v0 {

/// An amount of money, of whatever currency the program counts in, in millionths of its unit.
class Money {
 public:
  constexpr Money() = default;
  [[nodiscard]] static constexpr Money units(std::int64_t count) noexcept {
    return Money(count * 1'000'000);
  }
  [[nodiscard]] static constexpr Money cents(std::int64_t count) noexcept {
    return Money(count * 10'000);
  }
  [[nodiscard]] static constexpr Money micros(std::int64_t count) noexcept { return Money(count); }
  [[nodiscard]] constexpr std::int64_t in_micros() const noexcept { return micros_; }

  friend constexpr auto operator<=>(const Money&, const Money&) = default;

 private:
  constexpr explicit Money(std::int64_t count) noexcept : micros_(count) {}
  std::int64_t micros_ = 0;
};

/// What an attempt uses. Negative amounts count as none.
struct Cost {
  Money money = {};
  std::int64_t tokens = 0;
  std::chrono::microseconds gpu_time{0};

  friend constexpr bool operator==(const Cost&, const Cost&) = default;
};

/// What happens to a run when the next attempt could exceed a limit.
enum class WhenExhausted : std::uint8_t {
  /// It is parked as `over_budget` until an operator raises the limit.
  park,
  /// The step fails with `over_budget`, and the handler decides what to do without it.
  fail_step,
};

/// The limits of a run; those that are empty do not exist. What runs that it calls or spawns use
/// counts as its own, and theirs in turn; a one-way send does not.
struct Budget {
  std::optional<Money> money = {};
  std::optional<std::int64_t> tokens = {};
  std::optional<std::chrono::microseconds> gpu_time = {};
  /// Attempts of steps and calls of tools that begin, the first ones included.
  std::optional<std::int64_t> attempts = {};
  /// From the creation of the run: no attempt begins later. (HandlerOptions::deadline cancels.)
  std::optional<std::chrono::microseconds> wall_time = {};
  WhenExhausted when_exhausted = WhenExhausted::park;

  [[nodiscard]] constexpr bool is_limited() const noexcept {
    return money || tokens || gpu_time || attempts || wall_time;
  }
  friend constexpr bool operator==(const Budget&, const Budget&) = default;
};

/// What was used of a budget, as the journal has it.
struct Spending {
  /// The run's own limits, as they are now; empty ones if it has none.
  Budget limits = {};
  /// Of a run with limits, what it and the runs that draw on them used; else its own.
  Cost used = {};
  std::int64_t attempts = 0;
  /// Of `used`, what nobody told of (the attempt was given up, or its process ended) and is counted
  /// as the most that it may have been.
  Cost assumed = {};
  /// Set aside for attempts that run, or of whose end the journal does not know.
  Cost reserved = {};
  std::int64_t attempts_reserved = 0;
  /// The runs whose limits this one is held to: the nearest first, itself included.
  std::vector<RunId> draws_on = {};
};

}  // namespace v0
}  // namespace perdure
