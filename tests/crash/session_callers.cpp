#include "tests/crash/session_callers.hpp"

#include "tests/crash/session_agents.hpp"

#include <chrono>
#include <string>

namespace perdure::crash {
namespace {

using namespace std::chrono_literals;

/// How many words a talker says.
constexpr int kWords = 4;

/// Sends a message with a key; without one it may join another.
template <class A>
Result<Run<std::string>> send(Runtime& runtime, const A& agent, const std::string& session,
                              const Handler<std::string, Order>& handler, const Order& order,
                              const std::string& key) {
  PERDURE_TRY(Run<std::string> run,
              runtime.session(agent, session).send(handler, order, {.key = key}));
  note_started(agent.name, session, run.id(), order, key);
  return run;
}

/// A payer, and what it sent: all of that was accepted before this caller's own message, which
/// waits in the same queue.
Result<void> pay_and_settle(Runtime& runtime, const std::string& key, ParkedRuns& parked) {
  PERDURE_TRY(see_through(runtime, payer, key, {"bank", 1}, parked));
  PERDURE_TRY(auto last,
              send(runtime, ledger, "bank", booking, {"last of " + key, 1}, "last " + key));
  PERDURE_TRY(see_end(last, parked));
  // What is queued behind a parked run comes in a later life.
  if (parked.any()) return success();
  PERDURE_TRY(auto later, runtime.session(ledger, "bank").run(booking, "later " + key));
  PERDURE_TRY(see_end(later, parked));
  if (parked.any()) return success();
  // In each life anew: what an operator sent before is handled before this.
  PERDURE_TRY(auto close, send(runtime, ledger, "bank", booking, {"close for " + key, 1},
                               "close for " + key + " in " + notes.label));
  PERDURE_TRY(see_end(close, parked));
  if (parked.any()) return success();
  PERDURE_TRY(const int total, runtime.session(ledger, "bank").query(sum_query, 0));
  notes.note(to_line({"state", ledger.name, "bank", sum.name, std::to_string(total)}));
  return success();
}

/// A word of this life's own, in case that nobody knows of an earlier one.
Result<void> be_heard(Runtime& runtime, ParkedRuns& parked) {
  PERDURE_TRY(auto run, runtime.session(listener, "l").start({"listen", kWords}));
  note_started(listener.name, "l", run.id(), {"listen", kWords}, "start");
  const std::string text = notes.label + " was here";
  PERDURE_TRY(runtime.session(listener, "l").send(outer_word, text));
  notes.note(to_line({"signal", listener.name, "l", text}));
  return see_end(run, parked);
}

/// A parent, and those of its children that it did not wait for.
Result<void> see_a_family(Runtime& runtime, ParkedRuns& parked) {
  PERDURE_TRY(see_through(runtime, parent, "p", {"family", 1}, parked));
  PERDURE_TRY(auto left, runtime.session(helper, "p-left").run(toiling, "child"));
  PERDURE_TRY(see_end(left, parked));
  PERDURE_TRY(auto cancelled, runtime.session(helper, "p-cancelled").run(idling, "child"));
  return see_end(cancelled, parked);
}

enum class How : std::uint8_t { cancel, kill };

template <class A>
Result<void> see_cancelled(Runtime& runtime, const A& agent, const std::string& key, How how,
                           std::chrono::milliseconds grace, ParkedRuns& parked) {
  const Order order{"wait", 1};
  PERDURE_TRY(auto run, runtime.session(agent, key).start(order));
  note_started(agent.name, key, run.id(), order, "start");
  const CancelOptions options{.why = "the workload says so", .by = notes.label, .grace = grace};
  const Result<void> asked = how == How::kill ? run.kill(options) : run.cancel(options);
  if (asked) {
    notes.note(to_line({"cancel", to_string(run.id()), how == How::kill ? "kill" : "cancel"}));
  } else if (asked.error().code != Code::not_found) {
    return asked.error();
  }
  return see_end(run, parked);
}

/// Three revisions, of which each cancels the one before if it comes in time.
Result<void> revise_often(Runtime& runtime, ParkedRuns& parked) {
  std::vector<Run<std::string>> runs;
  for (int i = 1; i <= 3; ++i) {
    PERDURE_TRY(auto run, send(runtime, clerk, "revisions", revising, {"revision", i},
                               "revision " + std::to_string(i)));
    runs.push_back(run);
  }
  for (const Run<std::string>& run : runs) PERDURE_TRY(see_end(run, parked));
  return success();
}

Result<void> digest(Runtime& runtime, ParkedRuns& parked) {
  PERDURE_TRY(auto run, send(runtime, clerk, "digests", digesting, {"digest", 1}, ""));
  return see_end(run, parked);
}

/// Tells the run to go on, whatever it waits for, until it has ended.
template <class A>
Result<void> urge(Runtime& runtime, const A& agent, ParkedRuns& parked) {
  const Order order{"urge", 1};
  PERDURE_TRY(auto run, runtime.session(agent, "u").start(order));
  note_started(agent.name, "u", run.id(), order, "start");
  for (;;) {
    const Result<std::string> ended = run.wait({.within = 5ms});
    if (ended || ended.error().code != Code::timeout) break;
    // Refused where there is nothing to urge, or the runtime closes, which the next wait tells.
    static_cast<void>(runtime.core()->retry_now(run.id()));
  }
  return see_end(run, parked);
}

}  // namespace

void serve_sessions(Runtime& runtime) {
  runtime.serve(ledger, payer, talker, listener, parent, helper, tidy, plain, heedless, mortal,
                clerk, evolver, shifty, failing, thrower, impatient);
}

bool is_to_be_resumed(const Event& event) {
  if (event.error.code != Code::handler_threw ||
      event.error.message.find("a bug") == std::string::npos)
    return false;
  repair();
  return true;
}

void add_session_callers(Callers& callers, Runtime& runtime, ParkedRuns& parked) {
  for (const char* key : {"p0", "p1"})
    callers.add([&, key] { return pay_and_settle(runtime, key, parked); });
  callers.add([&] { return be_heard(runtime, parked); });
  callers.add([&] { return see_through(runtime, talker, "t", {"l", kWords}, parked); });
  callers.add([&] { return see_a_family(runtime, parked); });
  callers.add([&] { return see_cancelled(runtime, tidy, "t", How::cancel, kLongGrace, parked); });
  callers.add([&] { return see_cancelled(runtime, plain, "c", How::cancel, kLongGrace, parked); });
  callers.add([&] { return see_cancelled(runtime, plain, "k", How::kill, kLongGrace, parked); });
  callers.add([&] { return see_cancelled(runtime, heedless, "h", How::cancel, kNap, parked); });
  callers.add([&] { return see_through(runtime, mortal, "m", {"short", 1}, parked); });
  callers.add([&] { return revise_often(runtime, parked); });
  for (int i = 0; i < 2; ++i) callers.add([&] { return digest(runtime, parked); });
  callers.add([&] { return see_through(runtime, evolver, "e", {"evolve", 1}, parked); });
  callers.add([&] { return see_through(runtime, shifty, "s", {"shift", 1}, parked); });
  callers.add([&] { return see_through(runtime, failing, "f", {"fail", 1}, parked); });
  callers.add([&] { return urge(runtime, thrower, parked); });
  callers.add([&] { return urge(runtime, impatient, parked); });
}

}  // namespace perdure::crash
