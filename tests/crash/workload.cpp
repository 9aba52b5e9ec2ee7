// A process to be killed. It uses the product as a user would: sessions, started and talked to from
// several threads. Bodies and callers note what leaves the process (history.hpp).
//
// usage: crash_workload JOURNAL OUTSIDE LABEL [TELL]
// OUTSIDE is the file for the notes, LABEL this life's name, TELL a descriptor that is written a
// byte to for each note. PERDURE_CRASH_DURABILITY names a durability; PERDURE_CRASH_STOP_AFTER=N
// shuts the runtime down at the N-th note; PERDURE_CRASH_BALLAST=BYTES makes every result so large.
// PERDURE_CRASH_PART=sessions: what sessions do, instead of what steps do. Lives whose label ends
// in an even number give their frames up at every wait, all lives where
// PERDURE_TEST_FRAMES=given_up.
// Exit: 0 when every run has ended; 3 when one is parked
// as a suspect; 4 when the runtime was shut down before; 1 else.
#include <perdure/perdure.hpp>

#include "tests/crash/bodies.hpp"
#include "tests/crash/callers.hpp"
#include "tests/crash/history.hpp"
#include "tests/crash/session_callers.hpp"
#include "tests/crash/workload_agents.hpp"
#include "tests/support/frames.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace pd = perdure;
using namespace std::chrono_literals;
using pd::crash::Callers;
using pd::crash::ParkedRuns;

namespace {

/// A life that takes longer than this hangs, and ends by SIGALRM.
constexpr unsigned kLifeSeconds = 100;

int outside = -1;
int tell = -1;
pd::crash::Stop stop;
int stop_after = 0;
std::atomic<int> lines{0};

void note(const std::string& line) {
  if (::write(outside, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  if (tell >= 0 && ::write(tell, "n", 1) != 1) std::abort();
  if (++lines == stop_after) stop.ask();
}

/// As PERDURE_CRASH_DURABILITY names it; `interval` with one that several steps fit into.
void set_durability(pd::RuntimeOptions& options) {
  const char* const named = std::getenv("PERDURE_CRASH_DURABILITY");
  const std::string durability = named != nullptr ? named : "full";
  if (durability == "none") options.durability = pd::Durability::none;
  if (durability == "interval") options.durability = pd::Durability::interval;
  options.commit_interval = 5ms;
}

/// Frames go at every wait in some lives, or in all.
void set_frames(pd::RuntimeOptions& options) {
  const std::string& label = pd::crash::notes.label;
  const bool is_even = !label.empty() && (label.back() - '0') % 2 == 0;
  if (is_even || pd::test::frames_are_given_up()) options.frame_budget_bytes = 0;
}

bool does_sessions() {
  const char* const part = std::getenv("PERDURE_CRASH_PART");
  return part != nullptr && std::string_view(part) == "sessions";
}

enum class End : int { all = 0, parked = 3, stopped = 4 };

/// "common" is started twice at once, and both must get the same run.
void add_step_callers(Callers& callers, pd::Runtime& runtime, ParkedRuns& parked) {
  using namespace pd::crash;
  for (int i = 0; i < 2; ++i) {
    const std::string key = "j" + std::to_string(i);
    callers.add([&, key, i] { return see_through(runtime, traveller, key, {key, 3 + i}, parked); });
    callers.add([&] { return see_through(runtime, traveller, "common", {"shared", 1}, parked); });
  }
  callers.add([&] { return see_through(runtime, spreader, "s", {"wide", 0}, parked); });
  callers.add([&] { return see_through(runtime, loser, "l", {"sad", 2}, parked); });
  callers.add([&] { return see_through(runtime, shopper, "b", {"busy", 2}, parked); });
}

pd::Result<End> work(pd::Runtime& runtime, ParkedRuns& parked) {
  PERDURE_TRY(runtime.start());
  Callers callers(
      stop, stop_after != 0 ? Callers::TurnedAway::is_planned : Callers::TurnedAway::is_trouble);
  if (does_sessions()) {
    add_session_callers(callers, runtime, parked);
  } else {
    add_step_callers(callers, runtime, parked);
  }
  callers.all_there();
  stop.wait();
  const pd::Result<void> shut = runtime.shutdown();
  callers.join();
  if (!shut) return shut.error();
  if (callers.turned_away()) note(pd::crash::to_line({"stopped"}));
  return callers.turned_away() ? End::stopped : parked.any() ? End::parked : End::all;
}

void note_event(const pd::Event& event, ParkedRuns& parked) {
  if (!event.run) {
    note(pd::crash::to_line({"trouble", std::string(to_string(event.kind))}));
    return;
  }
  if (pd::crash::is_to_be_resumed(event)) return;
  note(pd::crash::to_line({"parked", to_string(*event.run),
                           std::string(to_string(event.error.code)), event.error.message}));
  parked.add(*event.run);
}

pd::Result<End> live(const char* journal) {
  ParkedRuns parked;
  pd::RuntimeOptions options;
  options.journal = journal;
  options.step_threads = 6;
  set_durability(options);
  set_frames(options);
  options.suspected_crashes = pd::SuspectedCrashes::run_again;
  options.log = [](const pd::LogRecord&) {};
  // What comes of orders is tested elsewhere; no loss of power is modelled for a socket.
  // Results that are to fill the log must not go beside it.
  if (std::getenv("PERDURE_CRASH_IN_LOG") != nullptr)
    options.blob_threshold_bytes = std::size_t{16} << 20U;
  options.control = pd::Control::none;
  PERDURE_TRY(auto runtime, pd::Runtime::open(options));
  runtime.on_event([&](const pd::Event& event) { note_event(event, parked); });
  if (does_sessions()) {
    pd::crash::serve_sessions(runtime);
  } else {
    using namespace pd::crash;
    runtime.serve(traveller, spreader, loser, shopper, errand, question, payment);
  }
  return work(runtime, parked);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  ::alarm(kLifeSeconds);
  pd::crash::drop_torn_line(argv[2]);
  outside = ::open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (outside < 0) return 2;
  pd::crash::notes = {argv[3], &note};
  if (argc > 4) tell = std::atoi(argv[4]);
  if (const char* const after = std::getenv("PERDURE_CRASH_STOP_AFTER"))
    stop_after = std::atoi(after);
  note(pd::crash::to_line({"life", argv[3]}));
  const pd::Result<End> end = live(argv[1]);
  if (!end) {
    note(pd::crash::to_line({"trouble", end.error().to_string()}));
    std::cerr << end.error().to_string() << '\n';
    return 1;
  }
  return static_cast<int>(end.value());
}
