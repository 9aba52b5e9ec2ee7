#include "actors/testing_core.hpp"

#include "journal/reader.hpp"

#include <algorithm>
#include <chrono>

namespace perdure::actors {
namespace {

/// The journal's own draws must not shift those of sessions.
constexpr std::uint64_t kOpeningStream = 0x6F70656EULL;

Error too_many_turns(std::uint64_t most) {
  return Error{Code::timeout,
               "the runs have not come to rest within " + std::to_string(most) +
                   " turns: does one of them go round in a circle? testing::Options::turns_max "
                   "allows more"};
}

}  // namespace

/// A session that waits for its turn.
class TestingEngine::Shell final : public SessionShell {
 public:
  Shell(SessionAddress address, SessionServices& services, Engine& engine, TestingEngine& owner)
      : SessionShell(std::move(address), services), engine_(engine), owner_(owner) {}

 protected:
  void schedule(RunOn) override { owner_.ready_.push_back(shared_from_this()); }
  void may_retire() override { (void)engine_.retire(*this); }

 private:
  Engine& engine_;
  TestingEngine& owner_;
};

TestingEngine::TestingEngine(testing::Options options)
    : options_(options),
      clock_(std::make_shared<core::ManualClock>(options_.start_time)),
      dice_(std::make_shared<SessionDice>(options_.seed)),
      opening_random_(options_.seed ^ kOpeningStream) {
  store_.on_kept([this] { dice_->keep(); });
}

TestingEngine::~TestingEngine() {
  store_.die();
  close_engine();
}

// --- Lives ---------------------------------------------------------------------------------------

Result<void> TestingEngine::ensure_open() {
  if (engine_ && !refused_) return success();
  if (refused_) return *refused_;
  if (shut_down_) return Error{Code::closed, "the runtime was shut down: restart() opens it again"};
  for (;;) {
    Result<void> opened = open();
    if (opened.has_value() || !store_.dead()) return opened;
    begin_anew();
  }
}

Result<void> TestingEngine::open() {
  ++life_;
  for (const std::string& name : std::exchange(forgotten_, {})) {
    std::erase_if(tools_, [&](const detail::ToolEntry& each) { return each.name == name; });
    undos_by_use_->forget(name);
  }
  RuntimeOptions options;
  if (options_.frames == testing::Frames::replayed) options.frame_budget_bytes = 0;
  options.log = [this](const LogRecord& record) { take_note(record); };
  EngineSeams seams;
  seams.clock = clock_;
  seams.random = dice_;
  PERDURE_TRY(seams.journal, journal::JournalForWriting::open_in(store_, *clock_, opening_random_));
  seams.timer_pump = EngineSeams::TimerPump::owner;
  seams.turn = [this] { return turn(); };
  seams.tools_served_by_use = true;
  seams.undos_by_use = undos_by_use_;
  seams.make_shell = [this](SessionAddress address, SessionServices& services,
                            Engine& engine) -> std::shared_ptr<SessionShell> {
    return std::make_shared<Shell>(std::move(address), services, engine, *this);
  };
  engine_ = std::make_shared<Engine>(std::move(options), std::move(seams));
  engine_->on_event([this](const Event& event) {
    // A storage that fails because the process has died is nobody's event.
    if (store_.dead()) return;
    events_.push_back(event);
    if (event_hook_) event_hook_(event);
  });
  for (const detail::AgentEntry& agent : served_) engine_->serve(agent);
  for (const detail::ToolEntry& tool : tools_) engine_->serve(tool);
  const Result<void> started = engine_->start();
  if (started.has_error() && !store_.dead()) close_engine();
  return started;
}

/// What is not durable is lost when the store is dead, else recorded.
void TestingEngine::close_engine() {
  if (!engine_) return;
  closing_ = true;
  (void)engine_->shutdown();
  closing_ = false;
  ready_.clear();
  engine_.reset();
  wants_replay_ = stopped_early_ = false;
  tools_open_ = 0;
}

/// The process is gone, and what it drew for nothing is drawn again.
void TestingEngine::begin_anew() {
  close_engine();
  if (store_.dead()) dice_->take_back();
  store_.revive();
}

Result<bool> TestingEngine::next_life() {
  if (!running_.empty() || RunCore::inside_a_handler()) return false;
  if (!store_.dead() && !stopped_early_) return false;
  begin_anew();
  PERDURE_TRY(ensure_open());
  return true;
}

template <class Call>
auto TestingEngine::in_some_life(Call call) -> decltype(call(std::declval<Engine&>())) {
  if (running_.empty()) turns_ = 0;
  for (;;) {
    PERDURE_TRY(ensure_open());
    auto result = call(*engine_);
    PERDURE_TRY(const bool another, next_life());
    // What succeeded is durable: it need not be asked again.
    if (!another || result.has_value()) return result;
  }
}

Result<void> TestingEngine::refuse_inside(std::string_view what) const {
  if (RunCore::inside_a_handler())
    return Error{Code::misuse, std::string(what) + " is for the test, not for a handler"};
  if (!running_.empty())
    return Error{Code::misuse, std::string(what) + " is for the test, not for a step's body"};
  return success();
}

Result<void> TestingEngine::restart(testing::End end, testing::Downtime downtime) {
  PERDURE_TRY(refuse_inside("restart()"));
  if (downtime.down_for < std::chrono::microseconds(0))
    return Error{Code::misuse, "Downtime::down_for is negative: the clock only goes on"};
  if (end == testing::End::unclean) store_.die();
  begin_anew();
  clock_->advance(downtime.down_for);
  shut_down_ = false;
  return ensure_open();
}

Result<void> TestingEngine::shutdown() {
  PERDURE_TRY(refuse_inside("shutdown()"));
  PERDURE_TRY(in_some_life([this](Engine& engine) {
    closing_ = true;
    const Result<void> ended = engine.shutdown();
    closing_ = false;
    return ended;
  }));
  close_engine();
  shut_down_ = true;
  return success();
}

// --- What is served ------------------------------------------------------------------------------

void TestingEngine::serve(detail::AgentEntry agent) {
  Registry scratch;
  scratch.add(agent);
  if (const Result<void> checked = scratch.check(); checked.has_error()) {
    refused_ = checked.error();
    return;
  }
  for (detail::AgentEntry& each : served_) {
    if (each.name != agent.name || each.version != agent.version) continue;
    each = std::move(agent);
    return;
  }
  if (engine_) engine_->serve(agent);
  served_.push_back(std::move(agent));
}

void TestingEngine::serve(detail::ToolEntry tool) {
  if (const Result<void> checked = check_tool(tool); checked.has_error()) {
    refused_ = checked.error();
    return;
  }
  for (detail::ToolEntry& each : tools_) {
    if (each.name != tool.name) continue;
    each = std::move(tool);
    return;
  }
  if (engine_) engine_->serve(tool);
  tools_.push_back(std::move(tool));
}

void TestingEngine::serve_if_new(detail::AgentEntry agent) {
  const bool known = std::ranges::any_of(served_, [&](const detail::AgentEntry& each) {
    return each.name == agent.name && each.version == agent.version;
  });
  if (!known) serve(std::move(agent));
}

// --- Runtime core --------------------------------------------------------------------------------

Result<RunId> TestingEngine::send_message(const detail::MessageRequest& request) {
  // A message whose process died is sent again: a key of its own keeps it one message.
  std::string key(request.message_key);
  if (key.empty()) key = "message " + std::to_string(++messages_);
  detail::MessageRequest keyed = request;
  keyed.message_key = key;
  return in_some_life([&](Engine& engine) { return engine.send_message(keyed); });
}

Result<void> TestingEngine::send_signal(const detail::SignalRequest& request) {
  return in_some_life([&](Engine& engine) { return engine.send_signal(request); });
}

Result<void> TestingEngine::cancel(const RunId& run, const CancelOptions& options,
                                   detail::CancelHow how) {
  return in_some_life([&](Engine& engine) { return engine.cancel(run, options, how); });
}

Result<void> TestingEngine::compensate(const RunId& run, const CancelOptions& options) {
  return in_some_life([&](Engine& engine) { return engine.compensate(run, options); });
}

Result<void> TestingEngine::resolve_saga(std::string_view saga, const SagaResolution& resolution) {
  return in_some_life([&](Engine& engine) { return engine.resolve_saga(saga, resolution); });
}

Result<void> TestingEngine::retry_now(const RunId& run) {
  return in_some_life([&](Engine& engine) { return engine.retry_now(run); });
}

Result<Spending> TestingEngine::spending(const RunId& run) {
  return in_some_life([&](Engine& engine) { return engine.spending(run); });
}

Result<void> TestingEngine::raise(const RunId& run, const Budget& limits) {
  return in_some_life([&](Engine& engine) { return engine.raise(run, limits); });
}

Result<std::optional<RunId>> TestingEngine::find_run(std::string_view agent, std::string_view key,
                                                     std::string_view message_key) {
  return in_some_life([&](Engine& engine) { return engine.find_run(agent, key, message_key); });
}

Result<std::unique_ptr<detail::BlobSink>> TestingEngine::create_blob() {
  return in_some_life([&](Engine& engine) { return engine.create_blob(); });
}

Result<std::unique_ptr<detail::BlobSource>> TestingEngine::open_blob(const Blob& blob) {
  return in_some_life([&](Engine& engine) { return engine.open_blob(blob); });
}

Result<Bytes> TestingEngine::query(const detail::QueryRequest& request) {
  return in_some_life([&](Engine& engine) { return engine.query(request); });
}

Result<Bytes> TestingEngine::wait(const RunId& run, std::chrono::milliseconds within) {
  Result<Bytes> reply = in_some_life([&](Engine& engine) { return engine.wait(run, within); });
  if (reply.has_error() && turns_ > options_.turns_max) return too_many_turns(options_.turns_max);
  return reply;
}

bool TestingEngine::has_ended(const RunId& run) { return engine_ && engine_->has_ended(run); }

Result<std::string> TestingEngine::explain(const RunId& run) {
  return in_some_life([&](Engine& engine) { return engine.explain(run); });
}

// --- Turns ---------------------------------------------------------------------------------------

Result<void> TestingEngine::settle() {
  return in_some_life([this](Engine&) -> Result<void> {
    while (turn()) {
    }
    if (turns_ > options_.turns_max) return too_many_turns(options_.turns_max);
    // Not an error of anybody's: it asks for the next life.
    if (store_.dead() || stopped_early_) return Error{Code::closed, "the process has ended"};
    return success();
  });
}

Result<void> TestingEngine::run_until_idle() {
  PERDURE_TRY(refuse_inside("run_until_idle()"));
  return settle();
}

void TestingEngine::move_clock_to(core::Elapsed time) {
  const core::Elapsed left = time - clock_->elapsed();
  if (left > core::Elapsed(0)) clock_->advance(std::chrono::ceil<std::chrono::microseconds>(left));
}

Result<void> TestingEngine::advance(std::chrono::microseconds by) {
  if (RunCore::inside_a_handler())
    return Error{Code::misuse, "advance() is for the test and for bodies, not for a handler"};
  if (by < std::chrono::microseconds(0))
    return Error{Code::misuse, "advance() by a negative time: the clock only goes on"};
  return tick_until(clock_->elapsed() + by);
}

Result<void> TestingEngine::tick_until(core::Elapsed target) {
  for (;;) {
    if (running_.empty()) PERDURE_TRY(settle());
    const std::optional<core::Elapsed> next = engine_->timers().next();
    if (!next || *next > target) break;
    move_clock_to(*next);
    // In a body: whoever is told of it takes his turn when the body has returned.
    engine_->timers().fire_due(clock_->elapsed());
  }
  move_clock_to(target);
  return success();
}

}  // namespace perdure::actors

namespace perdure {
inline namespace v0 {
namespace testing::detail {

std::shared_ptr<TestingCore> make_testing_core(Options options) {
  return std::make_shared<actors::TestingEngine>(options);
}

}  // namespace testing::detail
}  // namespace v0
}  // namespace perdure
