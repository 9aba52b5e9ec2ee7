/// What the tests of sagas share: a far side that books and cancels, and the kit.
#pragma once

#include "tests/sessions/session_fixture.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

namespace perdure::test {

struct Trip {
  std::string city;
};
PERDURE_DESCRIBE(Trip, city);
struct Ticket {
  std::string id;
};
PERDURE_DESCRIBE(Ticket, id);

/// The far side. It keeps the contract of compensations: what was cancelled under a key can't be
/// booked under it any more.
struct World {
  enum class Does : std::uint8_t {
    book,     ///< It happens.
    refuse,   ///< It does not, and says so.
    fail,     ///< It does not, and does not say so.
    lose,     ///< It happens, and fails.
    explode,  ///< It happens, and throws.
  };
  struct Entry {
    std::string what;
    bool booked = false;
    bool cancelled = false;
  };
  std::map<std::string, Does> actions;  ///< By name; what is not here is `book`.
  /// By name of the action: compensations fail so often; -1: always.
  std::map<std::string, int> undos_fail;
  std::map<std::string, Entry> by_key;
  /// `book flight`, `cancel flight known`, in order.
  Lines trace;
  kit::Runtime* test = nullptr;

  pd::Result<Ticket> book(const pd::Step& step, const std::string& what) {
    trace.push_back("book " + what);
    Entry& entry = by_key[step.key()];
    entry.what = what;
    if (entry.cancelled) return pd::Error{pd::Code::refused, "cancelled before it came"};
    const auto found = actions.find(what);
    const Does does = found == actions.end() ? Does::book : found->second;
    if (does == Does::refuse) return pd::Error{pd::Code::refused, what + " is sold out"};
    if (does == Does::fail) return pd::Error{pd::Code::user, "no answer", false};
    entry.booked = true;
    if (does == Does::lose) return pd::Error{pd::Code::user, "the answer was lost", false};
    if (does == Does::explode) throw std::runtime_error("the wire broke");
    return Ticket{what};
  }
  pd::Result<void> cancel(const std::string& key, const std::string& what, bool known) {
    trace.push_back("cancel " + what + (known ? "" : " unknown"));
    const auto found = undos_fail.find(what);
    if (found != undos_fail.end() && found->second != 0) {
      if (found->second > 0) --found->second;
      return pd::Error{pd::Code::unauthenticated, what + " can't be cancelled"};
    }
    Entry& entry = by_key[key];
    entry.what = what;
    entry.cancelled = true;
    entry.booked = false;
    return pd::success();
  }
  /// What stays booked, sorted.
  [[nodiscard]] Lines booked() const {
    Lines lines;
    for (const auto& [key, entry] : by_key)
      if (entry.booked) lines.push_back(entry.what);
    std::ranges::sort(lines);
    return lines;
  }
  [[nodiscard]] std::size_t count(std::string_view line) const {
    return static_cast<std::size_t>(std::ranges::count(trace, line));
  }
};
inline World* world = nullptr;

using TripReceipt = pd::Receipt<Trip, Ticket>;
inline constexpr pd::Retry kOnce{.attempts_max = 1};

#define PERDURE_TEST_TOOL(name, text)                                                              \
  inline pd::Result<Ticket> do_##name(pd::Step& step, const Trip&) {                               \
    return world->book(step, text);                                                                \
  }                                                                                                \
  inline pd::Result<void> undo_##name(pd::Step&, const TripReceipt& receipt) {                     \
    return world->cancel(receipt.key, text, receipt.output.has_value());                           \
  }                                                                                                \
  inline constexpr pd::Tool book_##name{                                                           \
      "book " text, &do_##name, {.effect = pd::Effect::keyed, .retry = kOnce}};                    \
  inline constexpr pd::Undo cancel_##name { "cancel " text, &undo_##name }

PERDURE_TEST_TOOL(flight, "flight");
PERDURE_TEST_TOOL(hotel, "hotel");
PERDURE_TEST_TOOL(car, "car");
PERDURE_TEST_TOOL(tour, "tour");
#undef PERDURE_TEST_TOOL

inline void serve_all(kit::Runtime& test) {
  test.serve(book_flight, book_hotel, book_car, book_tour, cancel_flight, cancel_hotel, cancel_car,
             cancel_tour);
}

class SagaFixture : public SessionFixture {
 protected:
  SagaFixture() { world = &world_; }
  ~SagaFixture() override { world = nullptr; }
  World world_;
};

}  // namespace perdure::test
