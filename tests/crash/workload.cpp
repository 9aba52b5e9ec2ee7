// A process to be killed. It uses the product as a user would: sessions of three agents, started
// from several threads. Bodies and callers note what leaves the process (history.hpp).
//
// usage: crash_workload JOURNAL OUTSIDE LABEL [TELL]
// OUTSIDE is the file for the notes, LABEL this life's name, TELL a descriptor that is written a
// byte to for each note. PERDURE_CRASH_DURABILITY names a durability; PERDURE_CRASH_STOP_AFTER=N
// shuts the runtime down at the N-th note; PERDURE_CRASH_BALLAST=BYTES makes every result so large.
// Exit: 0 when every run has ended; 3 when one is parked
// as a suspect; 4 when the runtime was shut down before; 1 else.
#include <perdure/perdure.hpp>

#include "tests/crash/history.hpp"
#include "tests/crash/workload_agents.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace pd = perdure;
using namespace std::chrono_literals;
using pd::crash::Order;

namespace {

/// A life that takes longer than this hangs, and ends by SIGALRM.
constexpr unsigned kLifeSeconds = 100;

int outside = -1;
int tell = -1;
/// Somebody wants the runtime to shut down, or nobody waits for it any more.
class Stop {
 public:
  void ask() {
    const std::lock_guard lock(mutex_);
    asked_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return asked_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false;
};
Stop stop;
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

/// Runs that this process will not see the end of.
class ParkedRuns {
 public:
  void add(const pd::RunId& run) {
    const std::lock_guard lock(mutex_);
    runs_.insert(run);
  }
  [[nodiscard]] bool has(const pd::RunId& run) {
    const std::lock_guard lock(mutex_);
    return runs_.contains(run);
  }
  [[nodiscard]] bool any() {
    const std::lock_guard lock(mutex_);
    return !runs_.empty();
  }

 private:
  std::mutex mutex_;
  std::set<pd::RunId> runs_;
};

template <class Agent>
pd::Result<void> see_through(pd::Runtime& runtime, const Agent& agent, const std::string& key,
                             const Order& order, ParkedRuns& parked) {
  PERDURE_TRY(auto run, runtime.session(agent, key).start(order));
  const std::string id = to_string(run.id());
  note(pd::crash::to_line({"started", agent.name, key, id, words_of(order)}));
  while (!parked.has(run.id())) {
    // Only a limit of the waiting gives this code here, so that a parked run is noticed.
    const pd::Result<std::string> reply = run.wait({.within = 100ms});
    if (!reply && reply.error().code == pd::Code::timeout) continue;
    if (!reply &&
        (reply.error().code == pd::Code::closed || reply.error().code == pd::Code::storage_failed))
      return reply.error();
    note(pd::crash::to_line(
        {"reply", id, reply ? reply.value() : pd::crash::words_of(reply.error())}));
    break;
  }
  return pd::success();
}

/// Whoever waits for runs; the last one to go asks for the end.
class Callers {
 public:
  /// `what` waits for a run on a thread of its own.
  void add(std::function<pd::Result<void>()> what) {
    ++left_;
    threads_.emplace_back([this, what = std::move(what)] {
      const pd::Result<void> done = what();
      if (!done && done.error().code == pd::Code::closed && stop_after != 0) {
        turned_away_ = true;
      } else if (!done) {
        note(pd::crash::to_line({"trouble", done.error().to_string()}));
      }
      if (--left_ == 0) stop.ask();
    });
  }
  void all_there() {
    if (--left_ == 0) stop.ask();
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
  }
  [[nodiscard]] bool turned_away() const { return turned_away_; }

 private:
  std::atomic<int> left_{1};  ///< Until all are there, nobody is the last.
  std::atomic<bool> turned_away_{false};
  std::vector<std::thread> threads_;
};

enum class End : int { all = 0, parked = 3, stopped = 4 };

pd::Result<End> work(pd::Runtime& runtime, ParkedRuns& parked) {
  using namespace pd::crash;
  PERDURE_TRY(runtime.start());
  // "common" is started twice at once, and both must get the same run.
  Callers callers;
  for (int i = 0; i < 2; ++i) {
    const std::string key = "j" + std::to_string(i);
    callers.add([&, key, i] { return see_through(runtime, traveller, key, {key, 3 + i}, parked); });
    callers.add([&] { return see_through(runtime, traveller, "common", {"shared", 1}, parked); });
  }
  callers.add([&] { return see_through(runtime, spreader, "s", {"wide", 0}, parked); });
  callers.add([&] { return see_through(runtime, loser, "l", {"sad", 2}, parked); });
  callers.all_there();
  stop.wait();
  const pd::Result<void> shut = runtime.shutdown();
  callers.join();
  if (!shut) return shut.error();
  if (callers.turned_away()) note(to_line({"stopped"}));
  return callers.turned_away() ? End::stopped : parked.any() ? End::parked : End::all;
}

pd::Result<End> live(const char* journal) {
  ParkedRuns parked;
  pd::RuntimeOptions options;
  options.journal = journal;
  options.step_threads = 6;
  set_durability(options);
  options.suspected_crashes = pd::SuspectedCrashes::run_again;
  options.log = [](const pd::LogRecord&) {};
  // What comes of orders is tested elsewhere; no loss of power is modelled for a socket.
  options.control = pd::Control::none;
  PERDURE_TRY(auto runtime, pd::Runtime::open(options));
  runtime.on_event([&](const pd::Event& event) {
    if (!event.run) {
      note(pd::crash::to_line({"trouble", std::string(to_string(event.kind))}));
      return;
    }
    note(pd::crash::to_line({"parked", to_string(*event.run),
                             std::string(to_string(event.error.code)), event.error.message}));
    parked.add(*event.run);
  });
  runtime.serve(pd::crash::traveller, pd::crash::spreader, pd::crash::loser);
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
