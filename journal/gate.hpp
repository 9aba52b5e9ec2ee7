/// The output gate: what leaves the process waits here until what it depends on is durable.
///
/// What this is: things that wait for a record number, released in the order of their numbers.
/// What it promises: `open` is called once the watermark has reached the number, never before;
/// after a fatal storage error `fail` is called instead, for what waits and for whatever comes
/// later. Each waiting thing gets exactly one of the two calls, without a lock held. Of two things
/// that wait when the watermark passes them, the one with the lower number is called first,
/// whichever threads move the watermark.
/// What it does not: run anything long. `open` hands over to a pool or an actor.
#pragma once

#include <perdure/error.hpp>

#include "journal/record.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace perdure::journal {

/// Something that waits. It is destroyed right after its one call, on the thread that made it.
class Gated {
 public:
  virtual ~Gated() = default;
  virtual void open() noexcept = 0;
  virtual void fail(const Error& why) noexcept = 0;
};

/// Invariants:
/// - at most one thread calls things at a time; another that finds something to call leaves it to
///   that one;
/// - while no thread calls things, everything that waits has a number above the watermark.
/// Thread: any. Everything may be called from inside `open` and `fail`.
class Gate {
 public:
  /// Called with a function that it must call once: that calls a group of two or more things. For
  /// what can be handed over at less cost together (see actors::StepPool::Gather). Set before use.
  using AroundRelease = std::function<void(const std::function<void()>& release)>;
  void around_release(AroundRelease around) { around_ = std::move(around); }

  /// Keeps `thing` until `number` is durable. When it is already, `thing` is called here and now,
  /// unless a thread is just calling others: then that thread calls it, in its turn.
  void when_durable(RecordNumber number, std::unique_ptr<Gated> thing);
  /// Everything up to `number` is durable. Numbers that are not news are ignored, and so is
  /// everything after `fail`. Returns when what waited for it has been called, or is about to be by
  /// another thread.
  void advance(RecordNumber number);
  /// Nothing more will become durable. The first call's error is the one that everybody is told.
  /// What was durable and waits for its turn still leaves; whatever arrives later fails.
  void fail(const Error& why);
  /// The highest number known to be durable.
  [[nodiscard]] RecordNumber watermark() const noexcept { return watermark_.load(); }

 private:
  struct Waiting {
    RecordNumber number;
    std::unique_ptr<Gated> thing;
  };
  void release(std::unique_lock<std::mutex>& lock);
  enum class Call : std::uint8_t { open, fail };
  [[nodiscard]] std::optional<Call> take_due();
  void call_due(Call call) noexcept;

  AroundRelease around_;
  std::mutex mutex_;
  std::atomic<RecordNumber> watermark_{0};  ///< Written under the lock.
  std::optional<Error> failure_;            ///< Set once, then never changed.
  bool releasing_ = false;
  /// By number. Most arrivals are the highest yet, so insertion is at the end.
  std::vector<Waiting> waiting_;
  /// What is being called. Belongs to the thread that set `releasing_`, also without the lock.
  std::vector<Waiting> due_;
};

}  // namespace perdure::journal
