/// The testing kit's turns: the one thing that happens next.
#include "actors/testing_core.hpp"
#include "core/bytes.hpp"

#include <algorithm>
#include <span>

namespace perdure::actors {
namespace {

/// The order of bodies must not be that of anything else that is drawn.
constexpr std::uint64_t kOrderStream = 0x6F72646572ULL;

}  // namespace

bool TestingEngine::turn() {
  if (closing_) {
    if (engine_->writer().commit_next()) return true;
    if (ready_.empty()) return false;
    drain_next();
    return true;
  }
  if (store_.dead() || ++turns_ > options_.turns_max) return false;
  if (engine_->writer().commit_next()) return true;
  if (store_.dead()) return false;
  if (!ready_.empty()) {
    drain_next();
    return true;
  }
  if (run_body()) return true;
  if (stopped_early_) return false;
  const std::optional<core::Elapsed> next = engine_->timers().next();
  return next && *next <= clock_->elapsed() && engine_->timers().fire_due(clock_->elapsed()) > 0;
}

void TestingEngine::drain_next() {
  const std::shared_ptr<SessionShell> shell = std::move(ready_.front());
  ready_.pop_front();
  dice_->hand_to(shell->address().agent + "/" + shell->address().key);
  (void)shell->drain();
}

/// A function of the seed and of what is to run, so that the next process draws the same order. A
/// body that was asked to stop comes first: the next process would end its step at once.
std::uint64_t TestingEngine::rank_of(const Job& job) {
  const auto* const body = dynamic_cast<const AttemptJob*>(&job);
  if (body == nullptr || body->order().stop.stop_requested()) return 0;
  const BodyAddress& address = body->order().address;
  const std::string text = session_of(address.run) + " " + address.path.to_string();
  return std::max<std::uint64_t>(
      core::checksum(std::as_bytes(std::span(text)), options_.seed ^ kOrderStream), 1);
}

bool TestingEngine::run_body() {
  // A body whose start is recorded must run in this process: the next one would have to doubt it.
  const auto has_start = [](const Job& job) {
    const auto* const body = dynamic_cast<const AttemptJob*>(&job);
    return body != nullptr && body->order().start_recorded;
  };
  // So must an attempt that is under way, and that somebody completes later.
  const bool must_stay = tools_open_ != 0 || engine_->pool().any_queued(has_start);
  if (wants_replay_ && running_.empty() && !must_stay) {
    stopped_early_ = true;
    return false;
  }
  StepPool::Rank rank;
  if (options_.order == testing::Order::by_seed)
    rank = [this](const Job& job) { return rank_of(job); };
  const bool ran = engine_->pool().run_next(
      [this](Job& job) {
        if (auto* const body = dynamic_cast<AttemptJob*>(&job)) {
          body->run_by(this);
        } else {
          job.run();
        }
      },
      rank);
  if (ran && options_.frames == testing::Frames::replayed) wants_replay_ = true;
  return ran;
}

}  // namespace perdure::actors
