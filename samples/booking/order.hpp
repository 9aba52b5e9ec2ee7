/// What a service is asked for, and the states an order can be in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace booking {

/// One action of one trip. The key makes it one action, however often it is asked for.
struct Order {
  std::string key;
  std::string trip;
  std::string traveller;
  std::string detail;
  std::int64_t amount_cents = 0;
};

/// What a service knows of a key. An order that was undone before it came is `undone` too.
enum class State : std::uint8_t { none, done, undone, refused };

[[nodiscard]] constexpr std::string_view to_string(State state) noexcept {
  switch (state) {
    case State::none: return "none";
    case State::done: return "done";
    case State::undone: return "undone";
    case State::refused: return "refused";
  }
  return "unrecognised";
}

/// The state of this name; `none` for any other name.
[[nodiscard]] constexpr State state_of(std::string_view name) noexcept {
  for (const State state : {State::done, State::undone, State::refused}) {
    if (to_string(state) == name) return state;
  }
  return State::none;
}

}  // namespace booking
