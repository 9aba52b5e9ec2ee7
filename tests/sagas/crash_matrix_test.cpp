/// A saga of five steps, each of which fails in each way, with the process dying at every record:
/// whatever happens, all five are booked, or none is.
#include "tests/sagas/saga_fixture.hpp"

#include <array>
#include <memory>

namespace perdure::test {
namespace {

enum class Fails : std::uint8_t { not_at_all, refused, lost, timed_out, threw };
constexpr std::array kWays = {Fails::refused, Fails::lost, Fails::timed_out, Fails::threw};

/// The far side of one scenario; the process may die, it does not.
struct FarSide {
  World world;
  int failing = -1;
  Fails way = Fails::not_at_all;
  std::vector<pd::Completion<Ticket>> never_answered;
};
FarSide* far = nullptr;

std::string name_of(const Trip& trip) { return "step " + trip.city; }

void do_any(pd::Step step, Trip trip, pd::Completion<Ticket> done) {
  const std::string name = name_of(trip);
  const bool fails = trip.city == std::to_string(far->failing);
  pd::Result<Ticket> outcome = pd::Error{pd::Code::refused, "sold out"};
  if (!fails || far->way != Fails::refused) outcome = far->world.book(step, name);
  if (fails && far->way == Fails::threw) throw std::runtime_error("the wire broke");
  if (fails && far->way == Fails::timed_out) {
    far->never_answered.push_back(std::move(done));
    return;
  }
  if (fails && far->way == Fails::lost) outcome = pd::Error{pd::Code::user, "no answer", false};
  (void)done(std::move(outcome));
}
pd::Result<void> undo_any(pd::Step&, const TripReceipt& receipt) {
  return far->world.cancel(receipt.key, name_of(receipt.input), receipt.output.has_value());
}
inline constexpr pd::Tool any{
    "any", &do_any, {.effect = pd::Effect::keyed, .retry = kOnce, .timeout = 1s}};
inline constexpr pd::Undo cancel_any{"cancel any", &undo_any};

pd::Task<std::string> five_steps(pd::Context& ctx) {
  pd::Saga trip{ctx, "five"};
  for (int i = 0; i < 5; ++i)
    co_await trip.step(any, {std::to_string(i)}, cancel_any, {.name = "step " + std::to_string(i)});
  co_await trip.commit();
  co_return "committed";
}
/// The words of a failure say which attempt it was: that a crash may change.
pd::Task<std::string> five_handler(pd::Context& ctx, int) {
  const pd::Result<std::string> done = co_await pd::as_result(five_steps(ctx));
  co_return done ? done.value() : "failed";
}
inline constexpr pd::Agent five{"five", &five_handler};

/// How the run ended, and what is booked in the end.
std::string scenario(kit::Runtime& test, int failing, Fails way) {
  FarSide side;
  side.failing = failing;
  side.way = way;
  far = &side;
  auto run = test.session(five, "s").start(0).value();
  test.advance(1h);
  const auto result = run.wait();
  test.run_until_idle();
  std::string told = result.has_value() ? result.value() : result.error().to_string();
  for (const std::string& line : side.world.booked()) told += "," + line;
  for (const kit::LogLine& line : test.log())
    if (line.event == "saga_stuck") told += ", stuck";
  far = nullptr;
  return told;
}

TEST(SagaCrashes, LeaveAllOrNothing) {
  const std::string all = "committed,step 0,step 1,step 2,step 3,step 4";
  std::uint64_t crashes = 0;
  for (int failing = -1; failing < 5; ++failing)
    for (const Fails way : kWays) {
      if (failing < 0 && way != kWays.front()) continue;
      SCOPED_TRACE("step " + std::to_string(failing) + " fails in way " +
                   std::to_string(static_cast<int>(way)));
      const std::string wanted = failing < 0 ? all : "failed";
      Lines wrong;
      const kit::CrashReport report = kit::crash_everywhere([&](kit::Runtime& test) {
        std::string told = scenario(test, failing, way);
        if (told != wanted) wrong.push_back(told);
        return told;
      });
      EXPECT_TRUE(report.ok()) << to_string(report);
      EXPECT_EQ(wrong, Lines{});
      crashes += report.crashes;
      if (HasFailure()) return;
    }
  // Each record of each of the 21 was died at, before and behind it.
  EXPECT_GT(crashes, 21U * 2U * 6U);
}

/// The process dies again while the one after it undoes.
TEST(SagaCrashes, MayComeTwice) {
  kit::CrashOptions twice;
  twice.second_within = 4;
  Lines wrong;
  const kit::CrashReport report = kit::crash_everywhere(twice, [&](kit::Runtime& test) {
    std::string told = scenario(test, 3, Fails::lost);
    if (told != "failed") wrong.push_back(told);
    return told;
  });
  EXPECT_TRUE(report.ok()) << to_string(report);
  EXPECT_EQ(wrong, Lines{});
}

}  // namespace
}  // namespace perdure::test
