#include "tests/support/test_engine.hpp"

#include "tests/support/frames.hpp"

#include <algorithm>
#include <span>

namespace perdure::test {
namespace {

class ThreadShell final : public actors::SessionShell {
 public:
  ThreadShell(actors::SessionAddress address, actors::SessionServices& services,
              actors::Engine& engine, OneThread& thread)
      : SessionShell(std::move(address), services), engine_(engine), thread_(thread) {}

 protected:
  void schedule(actors::RunOn where) override {
    if (where == actors::RunOn::caller) {
      (void)drain();
      return;
    }
    thread_.push([self = shared_from_this(), this] {
      if (drain()) engine_.wake_writer();
    });
  }
  void may_retire() override { (void)engine_.retire(*this); }

 private:
  actors::Engine& engine_;
  OneThread& thread_;
};

}  // namespace

Result<void> ProcessStore::commit(std::span<const journal::Mutation> batch,
                                  journal::Durability durability) {
  bool kept = true;
  bool dies = false;
  {
    const std::lock_guard lock(mutex_);
    ++commits_;
    dies = commits_ >= last_;
    kept = commits_ < last_ || (commits_ == last_ && what_ == LastCommit::kept);
  }
  if (kept) PERDURE_TRY(disk_->commit(batch, durability));
  if (dies) return Error{Code::storage_failed, "the test's process has died"};
  return success();
}

void ProcessStore::die_at_commit(std::uint64_t n, LastCommit what) {
  const std::lock_guard lock(mutex_);
  last_ = commits_ + n;
  what_ = n == 0 ? LastCommit::lost : what;
}

std::uint64_t ProcessStore::commits() const {
  const std::lock_guard lock(mutex_);
  return commits_;
}

OneThread::OneThread() : thread_([this] { loop(); }) {}

OneThread::~OneThread() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void OneThread::push(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  work_.push_back(std::move(work));
  changed_.notify_all();
}

void OneThread::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return work_.empty() && !busy_; });
}

void OneThread::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || !work_.empty(); });
    if (work_.empty()) return;
    std::function<void()> work = std::move(work_.front());
    work_.pop_front();
    busy_ = true;
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

TestEngine::TestEngine(TestDisk& disk, RuntimeOptions options)
    : disk_(disk), store_(disk.store), sessions_(std::make_unique<OneThread>()) {
  if (!options.log)
    options.log = [this](const LogRecord& record) {
      const std::lock_guard lock(mutex_);
      logs_.emplace_back(record.event, record.message);
      changed_.notify_all();
    };
  options = with_frames(std::move(options));
  actors::EngineSeams seams;
  seams.clock = disk.clock_of_engines ? disk.clock_of_engines : disk.clock;
  seams.random = disk.random;
  seams.journal = journal::JournalForWriting::open_in(store_, *disk.clock, *disk.random).value();
  opening_commits_ = store_.commits();
  seams.timer_pump = actors::EngineSeams::TimerPump::owner;
  seams.control_directory = options.journal;
  seams.make_shell = [this](actors::SessionAddress address, actors::SessionServices& services,
                            actors::Engine& engine) -> std::shared_ptr<actors::SessionShell> {
    return std::make_shared<ThreadShell>(std::move(address), services, engine, *sessions_);
  };
  engine_ = std::make_shared<actors::Engine>(std::move(options), std::move(seams));
  runtime_.emplace(engine_);
  runtime_->on_event([this](const Event& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  });
}

Result<void> TestEngine::shutdown() {
  shut_down_ = true;
  return runtime_->shutdown();
}

TestEngine::~TestEngine() {
  if (!shut_down_) {
    store_.die_at_commit(0, LastCommit::lost);
    (void)runtime_->shutdown();
  }
  runtime_.reset();
  sessions_->finish();
  engine_.reset();
}

void TestEngine::advance(std::chrono::milliseconds by) {
  disk_.clock->advance(by);
  engine_->timers().fire_due(disk_.clock->elapsed());
}

std::vector<Event> TestEngine::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

std::vector<std::string> TestEngine::log_lines() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  for (const auto& [event, message] : logs_) lines.push_back(event + ": " + message);
  return lines;
}

void TestEngine::wait_for_event(EventKind kind, std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return std::ranges::count(events_, kind, &Event::kind) >= static_cast<std::ptrdiff_t>(count);
  });
}

void TestEngine::wait_for_log(std::string_view event, std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return std::ranges::count_if(logs_, [&](const auto& line) { return line.first == event; }) >=
           static_cast<std::ptrdiff_t>(count);
  });
}

void Trace::add(std::string what) {
  const std::lock_guard lock(mutex_);
  entries_.push_back(std::move(what));
  changed_.notify_all();
}

std::vector<std::string> Trace::all() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

std::size_t Trace::count(std::string_view what) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count(entries_, what));
}

void Trace::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
}

void Trace::wait_for(std::string_view what, std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return std::ranges::count(entries_, what) >= static_cast<std::ptrdiff_t>(count);
  });
}

void Door::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void Door::pass() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return open_; });
}

}  // namespace perdure::test
