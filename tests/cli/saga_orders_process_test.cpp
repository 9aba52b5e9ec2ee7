/// What persons decide about sagas, as a shell sees it: told to a runtime in another process, and
/// to the next one.
#include "tests/cli/command_fixture.hpp"

#include <perdure/saga.hpp>

#include <atomic>
#include <nlohmann/json.hpp>

#include "journal/saga_rows.hpp"

namespace perdure::cli {
namespace {

using namespace std::chrono_literals;
using journal::SagaState;
using journal::UndoState;

/// The far side.
std::atomic<bool> hotel_answers = true;
std::atomic<int> booked = 0;

using CityReceipt = pd::Receipt<std::string, std::string>;

pd::Result<std::string> book_city(pd::Step& step, const std::string& city) {
  ++booked;
  return step.name() + " " + city;
}
pd::Result<void> cancel_flight(pd::Step&, const CityReceipt&) {
  --booked;
  return pd::success();
}
pd::Result<void> cancel_hotel(pd::Step&, const CityReceipt&) {
  if (!hotel_answers) return pd::Error{pd::Code::unauthenticated, "the hotel knows nobody"};
  --booked;
  return pd::success();
}
constexpr pd::Tool flight_tool{"book flight", &book_city, {.effect = pd::Effect::keyed}};
constexpr pd::Tool hotel_tool{"book hotel", &book_city, {.effect = pd::Effect::keyed}};
constexpr pd::Undo flight_undo{"cancel flight", &cancel_flight};
constexpr pd::Undo hotel_undo{"cancel hotel", &cancel_hotel};

constexpr pd::Signal<std::string> confirmed{"confirmed"};
pd::Task<std::string> travel(pd::Context& ctx, std::string city) {
  pd::Saga trip{ctx, "trip"};
  co_await trip.step(flight_tool, city, flight_undo);
  co_await trip.step(hotel_tool, city, hotel_undo);
  co_await ctx.receive(confirmed);
  co_await trip.commit();
  co_return city;
}
constexpr pd::Agent traveller{"traveller", &travel};

class SagaOrdersTest : public CommandTest {
 protected:
  SagaOrdersTest() {
    hotel_answers = true;
    booked = 0;
  }
  [[nodiscard]] pd::Runtime start_travelling() const {
    auto opened = pd::Runtime::open({.journal = path().string(),
                                     .control = pd::Control::socket,
                                     .log = [](const pd::LogRecord&) {}});
    EXPECT_TRUE(opened.has_value()) << opened.error().message;
    pd::Runtime runtime = std::move(opened).value();
    runtime.serve(traveller, flight_tool, hotel_tool, flight_undo, hotel_undo);
    EXPECT_TRUE(runtime.start().has_value());
    return runtime;
  }
  /// A run that has booked both, and waits.
  [[nodiscard]] RunId begin_trip(pd::Runtime& runtime, const std::string& who) const {
    const RunId run = runtime.session(traveller, who).start("Rome").value().id();
    wait_until(run, journal::RunStatus::waiting);
    return run;
  }
  /// By the journal.
  void wait_until_saga(const RunId& run, SagaState state) const {
    for (;; std::this_thread::yield()) {
      const auto journal = journal::JournalForReading::open(path()).value();
      auto reader = journal::Reader::open(journal->store()).value();
      const auto saga = reader.saga(run, 1).value();
      if (saga && saga->state == state) return;
    }
  }
  [[nodiscard]] std::vector<journal::StoredUndo> actions_of(const RunId& run) const {
    const auto journal = journal::JournalForReading::open(path()).value();
    return journal::Reader::open(journal->store()).value().undos(run, 1).value();
  }
};

TEST_F(SagaOrdersTest, ActOnARuntimeInAnotherProcess) {
  pd::Runtime runtime = start_travelling();
  const RunId run_of_ann = begin_trip(runtime, "ann");
  const std::string id = to_string(run_of_ann) + ".1";
  done({"sagas"}, id + "  trip  open   traveller/ann  2 if aborted");
  done({"show", "traveller/ann"}, "saga " + id + " 'trip': open, 2 if aborted\n");
  refused({"saga", "retry", id}, ExitCode::refused, "is open: there is nothing to retry");
  hotel_answers = false;
  done({"saga", "compensate", "traveller/ann", "--why", "the trip is off", "--by", "bob"},
       "is being undone");
  wait_until_saga(run_of_ann, SagaState::stuck);
  refused({"saga", "compensate", id}, ExitCode::refused, "is being undone already, and is stuck");
  done({"sagas", "--stuck"}, "1 saga: 1 stuck\n");
  const auto shown = nlohmann::json::parse(run({"saga", "show", id, "--json"}).out);
  EXPECT_EQ(shown["saga"]["owed"], 2);
  EXPECT_EQ(shown["payer"]["who"], "bob");
  EXPECT_EQ(shown["payer"]["why"], "the trip is off");
  EXPECT_EQ(shown["actions"][0]["owed"], true);
  EXPECT_EQ(shown["actions"][1]["state"], "stuck");
  EXPECT_EQ(shown["actions"][1]["attempts"], 1);
  EXPECT_EQ(shown["actions"][1]["input"], "Rome");
  done({"saga", "retry", id}, "saga " + id + " ('trip'): what could not be undone is tried again");
  hotel_answers = true;
  // The first retry may have met it as it was before.
  for (Ended retry = run({"saga", "retry", id, "--action", "1"}); retry.code == 0;
       retry = run({"saga", "retry", id, "--action", "1"}))
    std::this_thread::yield();
  wait_until_saga(run_of_ann, SagaState::compensated);
  EXPECT_EQ(booked, 0);
  EXPECT_EQ(runtime.run<std::string>(run_of_ann).wait().error().code, pd::Code::saga_aborted);
  done({"sagas"}, "No saga is unfinished");
  done({"verify"}, "Sound: ");
}

TEST_F(SagaOrdersTest, EndARunAndUndoItsSagas) {
  pd::Runtime runtime = start_travelling();
  const RunId at_once = begin_trip(runtime, "ann");
  const RunId later = begin_trip(runtime, "bob");
  done({"kill", "traveller/ann", "--compensate"}, "has ended: cancelled");
  wait_until_saga(at_once, SagaState::compensated);
  EXPECT_EQ(booked, 2);
  done({"kill", "traveller/bob"}, "has ended: cancelled");
  wait_until(later, journal::RunStatus::cancelled);
  done({"sagas", "--stuck"}, "  left open  traveller/bob  2 if aborted");
  const Ended told =
      run({"saga", "compensate", to_string(later) + ".1", "--json", "--why", "he is gone"});
  ASSERT_EQ(told.code, 0) << told.err;
  const auto json = nlohmann::json::parse(told.out);
  EXPECT_EQ(json["verb"], "compensate");
  EXPECT_EQ(json["delivery"], "answered");
  EXPECT_EQ(json["run"], to_string(later));
  EXPECT_EQ(json["saga"], to_string(later) + ".1");
  wait_until_saga(later, SagaState::compensated);
  EXPECT_EQ(booked, 0);
}

TEST_F(SagaOrdersTest, WaitForTheNextRuntimeWhenThereIsNone) {
  RunId stuck;
  RunId killed;
  {
    pd::Runtime runtime = start_travelling();
    stuck = begin_trip(runtime, "ann");
    killed = begin_trip(runtime, "bob");
    hotel_answers = false;
    done({"cancel", "traveller/ann", "--compensate"}, "was asked to end");
    wait_until_saga(stuck, SagaState::stuck);
    hotel_answers = true;
    ASSERT_TRUE(runtime.shutdown());
  }
  done(
      {"saga", "mark-done", "traveller/ann", "--action", "1", "--by", "carol", "--why", "by phone"},
      "action 1 counts as done by hand; no process has the journal open, so it is queued");
  done({"kill", "traveller/bob", "--compensate"}, "is queued");
  done({"verify"}, "Sound: ");
  const pd::Runtime runtime = start_travelling();
  wait_until_saga(stuck, SagaState::compensated);
  wait_until_saga(killed, SagaState::compensated);
  EXPECT_EQ(booked, 1) << "the hotel that carol has seen to";
  const auto actions = actions_of(stuck);
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_EQ(actions[0].state, UndoState::paid);
  EXPECT_EQ(actions[1].state, UndoState::marked);
  done({"saga", "show", to_string(stuck) + ".1"}, "by carol: by phone");
}

TEST_F(SagaOrdersTest, SayWhatIsWrong) {
  refused({"sagas"}, ExitCode::unreadable, "there is no journal in");
  pd::Runtime runtime = start_travelling();
  const RunId run_of_ann = begin_trip(runtime, "ann");
  const std::string id = to_string(run_of_ann);
  refused({"saga", "show", "nonsense!"}, ExitCode::usage, "nonsense!");
  refused({"saga", "show", id + ".x"}, ExitCode::usage, "'x' is no number of a saga");
  refused({"saga", "show", id + ".7"}, ExitCode::not_found, "has no saga " + id + ".7");
  refused({"saga", "skip", "traveller/nobody"}, ExitCode::not_found, "traveller/nobody");
  refused({"saga", "skip", id}, ExitCode::refused, "is open: there is nothing to skip");
  refused({"saga", "retry", id, "--action", "first"}, ExitCode::usage, "first");
  refused({"saga", "skip", id, "--by", std::string(1000, 'x')}, ExitCode::usage, "--by has 1000");
  done({"send", "traveller/ann", "confirmed", "\"yes\""}, "received");
  EXPECT_EQ(runtime.run<std::string>(run_of_ann).wait().value(), "Rome");
  refused({"saga", "compensate", id}, ExitCode::refused, "is committed: what it did stays");
}

}  // namespace
}  // namespace perdure::cli
