// The shape of the public API, as a user writes it. It compiles against the real headers and runs as a test.
#include <perdure/perdure.hpp>
#include <perdure/testing.hpp>
#include <iostream>
namespace pd = perdure;
using namespace std::chrono_literals;

struct TripRequest { std::string traveller; std::string city; };
PERDURE_DESCRIBE(TripRequest, traveller, city);
struct Booking { std::string id; int price_cents = 0; };
PERDURE_DESCRIBE(Booking, id, price_cents);
struct Decision { bool approved = false; std::string by = {}; };
PERDURE_DESCRIBE(Decision, approved, by);
struct Itinerary { Booking flight, room; std::string text; };
PERDURE_DESCRIBE(Itinerary, flight, room, text);

// A tool is a plain function: it owns its input, so it can be fenced and compensated without the handler.
pd::Result<Booking> air_book(pd::Step& step, const TripRequest& r) { return Booking{r.city + "/" + step.key(), 100}; }
pd::Result<Booking> hotel_book(pd::Step& step, const TripRequest&) {
  for (int page = step.last_heartbeat<int>().value_or(0); page < 3; ++page) {
    PERDURE_TRY(step.heartbeat(page));  // fails once the step is cancelled, fenced or out of time
  }
  return Booking{"H-1", 80};
}
// A compensation gets a receipt: the input, and the output unless the outcome is unknown.
pd::Result<void> undo(pd::Step&, const pd::Receipt<TripRequest, Booking>& r) {
  std::cout << "undo " << (r.output ? r.output->id : "(unknown)") << '\n';
  return pd::success();
}
inline constexpr pd::Tool book_flight{"book-flight", &air_book, {.effect = pd::Effect::keyed}};
inline constexpr pd::Tool book_room{"book-room", &hotel_book};
inline constexpr pd::Undo cancel_flight{"cancel-flight", &undo};
inline constexpr pd::Undo cancel_room{"cancel-room", &undo};
inline constexpr pd::Signal<Decision> approval{"approval"};

pd::Task<int> rate(pd::Context& ctx, std::string what) {  // a task is a named function; arguments by value
  co_return co_await ctx.step("rate " + what, [&](pd::Step&) { return static_cast<int>(what.size()); });
}
// co_await gives the value; a failure ends the handler with that failure (nothing is thrown).
pd::Task<Itinerary> book_trip(pd::Context& ctx, TripRequest request) {
  pd::Saga trip{ctx, "trip"};
  Booking flight = co_await trip.step(book_flight, request, cancel_flight);
  Booking room = co_await trip.step(book_room, request, cancel_room, {.retry = {.attempts_max = 5}, .timeout = 2min});
  std::optional<Decision> decision = co_await ctx.receive(approval, {.within = 72h});  // empty: the time passed
  if (!decision || !decision->approved) co_return pd::Error{pd::Code::refused, "nobody approved"};
  auto rates = co_await ctx.all(rate(ctx, "air"), rate(ctx, "hotel"));
  pd::Result<std::string> tip = co_await pd::as_result(ctx.step(  // the failure as a value, where it is wanted
      "tip", [&](pd::Step&) -> pd::Result<std::string> { return pd::Error{pd::Code::refused, "no tip"}; }));
  auto text = co_await ctx.step("write", [&](pd::Step& step) { return step.key() + (tip ? tip.value() : "") +
                                             std::to_string(std::get<1>(rates)); }, {.timeout = 2min});
  co_await trip.commit();
  co_return Itinerary{flight, room, text};
}
inline constexpr pd::Agent trip_agent{"trip", &book_trip};
inline constexpr pd::Agent trip_beta{"trip-beta", &book_trip, {.version = 2}};

// An agent with several handlers and state.
inline constexpr pd::State<std::vector<std::string>> items{"items"};
pd::Task<int> add_item(pd::Context& ctx, std::string sku) {
  auto all = ctx.get(items);
  all.push_back(sku);
  ctx.set(items, all);  // committed with the reply
  co_return static_cast<int>(all.size());
}
pd::Task<void> clear_items(pd::Context& ctx, int) { ctx.set(items, {}); co_return; }
inline constexpr pd::Handler add{"add", &add_item};
inline constexpr pd::Handler clear{"clear", &clear_items};
inline constexpr pd::Agent cart{"cart", add, clear};

pd::Result<Itinerary> serve(std::string journal) {
  PERDURE_TRY(auto runtime, pd::Runtime::open({.journal = journal}));
  runtime.serve(trip_agent, trip_beta, cart, book_flight, book_room, cancel_flight, cancel_room);
  PERDURE_TRY(runtime.start());  // unfinished runs go on from here, with everything registered
  auto session = runtime.session(trip_agent, "alice-lisbon");
  PERDURE_TRY(auto run, session.start({.traveller = "alice", .city = "Lisbon"}));  // same key: same run
  PERDURE_TRY(session.send(approval, {.approved = true}));
  return run.wait({.within = 10s});
}
int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::cout << serve(argv[1]).value().text << '\n';  // value() throws pd::Exception on failure: opt-in
  pd::testing::Runtime test;                  // in memory, manual clock
  test.replace(book_room, [](pd::Step&, const TripRequest&) -> pd::Result<Booking> {
    return pd::Error{pd::Code::refused, "full"};
  });
  auto run = test.session(trip_agent, "k").start({.traveller = "bob", .city = "Rome"}).value();
  test.advance(72h);
  std::cout << run.wait().error().message << '\n';
  auto c = test.session(cart, "c");
  std::cout << c.call(add, "a").value() << c.call(add, "b").value() << c.call(clear, 0).has_value() << '\n';
}
