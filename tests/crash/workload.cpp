// A process to be killed. It uses the product as a user would: sessions of three agents, started
// from several threads, whose steps do everything that steps can do. Bodies and callers note what
// leaves the process (history.hpp).
//
// usage: crash_workload JOURNAL OUTSIDE LABEL [TELL]
// OUTSIDE is the file for the notes, LABEL this life's name, TELL a descriptor that is written a
// byte to for each note. Exit: 0 when every run has ended; 3 when one is parked as a suspect; 1
// else.
#include <perdure/perdure.hpp>

#include "tests/crash/history.hpp"
#include "tests/crash/workload_types.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace pd = perdure;
using namespace std::chrono_literals;
using pd::crash::Order;
using pd::crash::Sources;
using pd::crash::Token;
using pd::crash::Will;

namespace {

/// A life that takes longer than this hangs, and ends by SIGALRM.
constexpr unsigned kLifeSeconds = 100;

int outside = -1;
int tell = -1;
std::string label;
std::atomic<int> nonces{0};

void note(const std::string& line) {
  if (::write(outside, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  if (tell >= 0 && ::write(tell, "n", 1) != 1) std::abort();
}

/// What a handler has seen so far: what its next step is made of.
class Trail {
 public:
  explicit Trail(Sources sources) : sources_(std::move(sources)) {}
  void saw(const Token& token) { sources_.emplace_back(token.step, token.nonce); }
  void saw(std::string step, const pd::Result<Token>& result) {
    sources_.emplace_back(std::move(step),
                          result ? result.value().nonce : pd::crash::words_of(result.error()));
  }
  void saw(const Trail& other) { sources_ = other.sources_; }
  /// What the other saw behind the `common` first things that both saw.
  void saw_beyond(const Trail& other, std::size_t common) {
    sources_.insert(sources_.end(), other.sources_.begin() + static_cast<std::ptrdiff_t>(common),
                    other.sources_.end());
  }
  [[nodiscard]] const Sources& sources() const { return sources_; }

 private:
  Sources sources_;
};

/// The body of every step: it notes itself, then does as it will.
pd::Result<Token> act(const pd::Step& step, const Trail& trail, Will will = Will::succeed,
                      const char* effect_class = "idempotent") {
  const std::string nonce = label + "." + std::to_string(++nonces);
  note(line_of(pd::crash::Effect{to_string(step.run_id()), step.id(), step.key(), step.attempt(),
                                 step.name(), effect_class, will, nonce, trail.sources()}));
  switch (will) {
    case Will::succeed: return Token{step.id(), nonce};
    case Will::fail: return pd::Error{pd::Code::user, nonce, true};
    case Will::refuse:
      return pd::Error{pd::Code::user, nonce, true, std::nullopt, pd::ErrorEffect::refused};
  }
  std::abort();
}

/// For steps whose attempts fail or refuse before one succeeds.
constexpr pd::Retry kOften{.attempts_max = 0, .delay = 1ms, .factor = 1.0, .jitter = 0.0};

pd::Task<Trail> branch(pd::Context& ctx, Trail trail, int steps) {
  for (int i = 0; i < steps; ++i)
    trail.saw(co_await ctx.step("stride " + std::to_string(i),
                                [&](pd::Step& step) { return act(step, trail); }));
  co_return trail;
}

pd::Task<Trail> stubborn(pd::Context& ctx, Trail trail) {
  trail.saw(co_await ctx.step(
      "stubborn",
      [&](pd::Step& step) {
        return act(step, trail, step.attempt() < 3 ? Will::fail : Will::succeed, "keyed");
      },
      {.effect = pd::Effect::keyed, .retry = kOften}));
  co_return trail;
}

pd::Task<Trail> side_by_side(pd::Context& ctx, Trail trail) {
  const std::size_t common = trail.sources().size();
  auto both = co_await ctx.all(branch(ctx, trail, 2), stubborn(ctx, trail));
  trail.saw_beyond(std::get<0>(both), common);
  trail.saw_beyond(std::get<1>(both), common);
  co_return trail;
}

/// Everything that can go wrong with a step. `prefix` is what the ids of this task's steps begin
/// with.
pd::Task<Trail> troubles(pd::Context& ctx, Trail trail, std::string prefix) {
  const auto body = [&trail](Will will, const char* effect_class) {
    return [&trail, will, effect_class](pd::Step& step) {
      return act(step, trail, will, effect_class);
    };
  };
  const pd::Result<Token> once = co_await pd::as_result(
      ctx.step("once", body(Will::succeed, "at_most_once"), {.effect = pd::Effect::at_most_once}));
  trail.saw(prefix + "1", once);
  const pd::Result<Token> hopeless = co_await pd::as_result(
      ctx.step("hopeless", body(Will::fail, "idempotent"), {.retry = {.attempts_max = 1}}));
  trail.saw(prefix + "2", hopeless);
  const pd::Result<Token> late =
      co_await pd::as_result(ctx.step("late",
                                      [&](pd::Step& step) -> pd::Result<Token> {
                                        const pd::Result<Token> failed =
                                            act(step, trail, Will::fail);
                                        std::mutex mutex;
                                        std::condition_variable_any stopped;
                                        std::unique_lock lock(mutex);
                                        stopped.wait(lock, step.stop_token(), [] { return false; });
                                        return failed.error();
                                      },
                                      {.retry = {.attempts_max = 1}, .timeout = 3ms}));
  trail.saw(prefix + "3", late);
  const pd::Result<Token> second = co_await pd::as_result(ctx.step(
      "second try",
      [&](pd::Step& step) {
        return act(step, trail, step.attempt() == 1 ? Will::refuse : Will::succeed, "at_most_once");
      },
      {.effect = pd::Effect::at_most_once, .retry = kOften}));
  trail.saw(prefix + "4", second);
  co_return trail;
}

pd::Task<std::string> journey(pd::Context& ctx, Order order) {
  Trail trail({{"~order", words_of(order)}, {"~random", std::to_string(ctx.random())}});
  for (int i = 0; i < order.size; ++i)
    trail.saw(co_await ctx.step("count " + std::to_string(i),
                                [&](pd::Step& step) { return act(step, trail); }));
  trail.saw(co_await side_by_side(ctx, trail));
  trail.saw(co_await troubles(ctx, trail, std::to_string(order.size + 2) + "."));
  co_return pd::crash::to_text(trail.sources());
}
inline constexpr pd::Agent traveller{"traveller", &journey};

/// Three steps at once, and then two tasks of which each has two at once.
pd::Task<std::string> spread(pd::Context& ctx, Order order) {
  Trail trail({{"~order", words_of(order)}, {"~uuid", ctx.uuid()}});
  const auto body = [&trail](pd::Step& step) { return act(step, trail); };
  auto three =
      co_await ctx.all(ctx.step("left", body), ctx.step("middle", body), ctx.step("right", body));
  std::apply([&](const auto&... token) { (trail.saw(token), ...); }, three);
  const std::size_t common = trail.sources().size();
  auto two = co_await ctx.all(side_by_side(ctx, trail), side_by_side(ctx, trail));
  trail.saw_beyond(std::get<0>(two), common);
  trail.saw_beyond(std::get<1>(two), common);
  co_return pd::crash::to_text(trail.sources());
}
inline constexpr pd::Agent spreader{"spreader", &spread};

/// Ends with the failure of a step that nobody caught.
pd::Task<std::string> doomed(pd::Context& ctx, Order order) {
  Trail trail({{"~order", words_of(order)}});
  for (int i = 0; i < order.size; ++i)
    trail.saw(co_await ctx.step("count " + std::to_string(i),
                                [&](pd::Step& step) { return act(step, trail); }));
  co_await ctx.step("fail", [&](pd::Step& step) { return act(step, trail, Will::fail); },
                    {.retry = {.attempts_max = 2, .delay = 1ms}});
  co_return "it did not fail";
}
inline constexpr pd::Agent loser{"loser", &doomed};

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

pd::Result<void> work(pd::Runtime& runtime, ParkedRuns& parked) {
  PERDURE_TRY(runtime.start());
  const auto checked = [](const pd::Result<void>& done) {
    if (!done) note(pd::crash::to_line({"trouble", done.error().to_string()}));
  };
  // "common" is started twice at once, and both must get the same run.
  std::vector<std::thread> callers;
  const auto call = [&](auto what) { callers.emplace_back([what, checked] { checked(what()); }); };
  for (int i = 0; i < 2; ++i) {
    const std::string key = "j" + std::to_string(i);
    call([&, key, i] { return see_through(runtime, traveller, key, {key, 3 + i}, parked); });
    call([&] { return see_through(runtime, traveller, "common", {"shared", 1}, parked); });
  }
  call([&] { return see_through(runtime, spreader, "s", {"wide", 0}, parked); });
  call([&] { return see_through(runtime, loser, "l", {"sad", 2}, parked); });
  for (std::thread& caller : callers) caller.join();
  return runtime.shutdown();
}

pd::Result<bool> live(const char* journal) {
  ParkedRuns parked;
  pd::RuntimeOptions options;
  options.journal = journal;
  options.step_threads = 6;
  set_durability(options);
  options.suspected_crashes = pd::SuspectedCrashes::run_again;
  options.log = [](const pd::LogRecord&) {};
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
  runtime.serve(traveller, spreader, loser);
  PERDURE_TRY(work(runtime, parked));
  return parked.any();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  ::alarm(kLifeSeconds);
  outside = ::open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (outside < 0) return 2;
  label = argv[3];
  if (argc > 4) tell = std::atoi(argv[4]);
  note(pd::crash::to_line({"life", label}));
  const pd::Result<bool> parked = live(argv[1]);
  if (!parked) {
    note(pd::crash::to_line({"trouble", parked.error().to_string()}));
    std::cerr << parked.error().to_string() << '\n';
    return 1;
  }
  return parked.value() ? 3 : 0;
}
