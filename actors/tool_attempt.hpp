/// One attempt of a tool, or one question to its `find`.
///
/// What this is: what an attempt owns (input, name, timers), and the one place where it ends: by
/// its outcome, by a timeout, by silence, by the runtime's end, whichever is first.
/// What it promises: exactly one completion reaches the session. After that the tool may go on
/// running for as long as it likes: what it returns is discarded and logged. Nothing of the
/// engine's is touched once the book is closed.
/// What it does not: decide what follows; the run core does.
///
/// Invariants, under the lock:
/// - `sink_` is there until the attempt has ended, and not after;
/// - timers are armed only while it has not ended.
#pragma once

#include <perdure/detail/tool_entry.hpp>

#include "actors/body_job.hpp"
#include "actors/reporter.hpp"
#include "actors/timers.hpp"
#include "core/clock.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace perdure::actors {

class ToolAttempt;

/// The attempts that have not ended. Thread: any.
class AttemptBook {
 public:
  void add(std::shared_ptr<ToolAttempt> attempt);
  void remove(const ToolAttempt& attempt);
  /// Ends all of them as abandoned: their sessions treat them as if the process had ended.
  /// How many those were.
  std::size_t give_up_all();
  /// The same of those of a run that has ended, which nobody waits for.
  void give_up(const RunId& run);
  /// The same of that of one step, which was fenced.
  void give_up(const RunId& run, const journal::StepPath& path);
  /// From here on attempts use nothing of the engine's. Waits for those that do.
  void close();
  /// While one lives and says yes, the engine is there. One thread may hold several.
  class Use {
   public:
    explicit Use(AttemptBook& book);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    [[nodiscard]] explicit operator bool() const noexcept { return entered_; }

   private:
    AttemptBook& book_;
    bool entered_;
  };

 private:
  std::size_t give_up(const std::function<bool(const ToolAttempt&)>& which, const std::string& by);
  std::mutex mutex_;
  std::map<const ToolAttempt*, std::shared_ptr<ToolAttempt>> open_;
  std::condition_variable unused_;
  std::size_t uses_ = 0;
  bool closed_ = false;
};

/// What attempts need of the engine; valid until the book is closed.
struct ToolServices {
  Timers& timers;
  core::Clock& clock;
  const Reporter& reporter;
  LargeContent large;
  std::shared_ptr<AttemptBook> book;
};

/// What is reported is recorded at most so often.
inline constexpr std::chrono::milliseconds kProgressEvery{200};

/// Thread: any.
class ToolAttempt final : public detail::AttemptLink,
                          public detail::BlobAccess,
                          public std::enable_shared_from_this<ToolAttempt> {
 public:
  /// `order.tool` is there. `session` is its address in words, for logs.
  ToolAttempt(BodyOrder order, std::shared_ptr<CompletionSink> sink, ToolServices services,
              std::string session);
  virtual ~ToolAttempt() = default;

  /// It waits for a thread from here on.
  void queued();
  /// On a step thread. `runner` may have another do it.
  void run(BodyRunner* runner) noexcept;
  /// It was queued, and never will run.
  void never_ran() noexcept;
  /// The tool says how it ended. Errors: see CompletionCore.
  [[nodiscard]] Result<void> complete(detail::BodyResult outcome);
  /// Nobody can say any more how it ended.
  void dropped() noexcept;
  /// The engine or the run ends, as `by` says.
  [[nodiscard]] bool abandon(std::string by) noexcept;

  [[nodiscard]] const BodyOrder& order() const noexcept { return order_; }

  [[nodiscard]] Result<void> beat(std::optional<Bytes> progress) override;
  [[nodiscard]] const Bytes* last_progress() const noexcept override;
  void charge(const Cost& cost) noexcept override { meter_.add(cost); }
  [[nodiscard]] Result<std::unique_ptr<detail::BlobSink>> create_blob() override;
  [[nodiscard]] Result<std::unique_ptr<detail::BlobSource>> open_blob(const Blob& blob) override;

 private:
  enum class Phase : std::uint8_t { queued, running, ended };
  /// Ends it, unless it has ended. `by` says why in words when somebody asks later.
  [[nodiscard]] bool end(BodyCompletion completion, std::string by) noexcept;
  void give_up(Error why, std::string by) noexcept;
  void arm(std::optional<TimerId>& timer, core::Elapsed at, void (ToolAttempt::*then)());
  void disarm() noexcept;
  void queue_timed_out();
  void timed_out();
  void look_for_beat();
  void flush_progress();
  void send_progress(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] Step step();
  void ask(const detail::ToolEntry& entry, Step& attempt);
  [[nodiscard]] std::string what() const;
  [[nodiscard]] Error given_up_error() const;
  void log_late(const std::string& how) const;

  const BodyOrder order_;
  const std::string session_;
  const ToolServices services_;
  const std::shared_ptr<AttemptBook> book_;

  mutable std::mutex mutex_;
  Phase phase_ = Phase::queued;
  std::shared_ptr<CompletionSink> sink_;
  BodyRunner* runner_ = nullptr;
  std::string ended_by_;  ///< Of one that was given up.
  std::optional<TimerId> queue_timer_;
  std::optional<TimerId> timer_;
  std::optional<TimerId> beat_timer_;
  std::optional<TimerId> progress_timer_;
  core::Elapsed ordered_{0};
  core::Elapsed begun_{0};
  core::Elapsed last_beat_{0};
  core::Elapsed last_sent_{0};
  bool sent_ = false;
  std::optional<Bytes> progress_;
  detail::Meter meter_;
};

/// An attempt in the pool's queue.
class ToolJob final : public AttemptJob {
 public:
  explicit ToolJob(std::shared_ptr<ToolAttempt> attempt);
  ~ToolJob() override;
  void run_by(BodyRunner* runner) noexcept override;
  [[nodiscard]] const BodyOrder& order() const noexcept override;

 private:
  std::shared_ptr<ToolAttempt> attempt_;
  bool ran_ = false;
};

}  // namespace perdure::actors
