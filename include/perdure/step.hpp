/// Steps: what a body is told, and how its attempts are governed.
///
/// What this is: `Step` (the key, the attempt, the deadline, the stop token and the heartbeats of
/// one attempt of one step), `StepOptions` and `Retry`.
/// What it promises: the key is the same on every attempt, in every process, for ever.
/// What it does not: carry the run's state; a body sees its inputs, this, and blobs.
#pragma once

#include <perdure/blob.hpp>
#include <perdure/budget.hpp>
#include <perdure/codec.hpp>
#include <perdure/error.hpp>
#include <perdure/run_id.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace perdure {
inline namespace v0 {
namespace detail {
class RowTransaction;
}  // namespace detail

/// What happens when the process died between doing and recording (docs/programming_model.md).
enum class Effect : std::uint8_t {
  idempotent = 1,     ///< Run again. The default of `ctx.step`.
  keyed = 2,          ///< Run again with the same key; the far side deduplicates by `Step::key()`.
  queryable = 3,      ///< Ask the tool's `find(key)` first. Tools only.
  at_most_once = 4,   ///< Never again: the step fails with `outcome_unknown`.
  transactional = 5,  ///< Same commit as the record. `ctx.transact`, and Perdure's own operations.
};

/// A set of error codes, usable in constexpr options: `{Code::timeout, Code::refused}`.
class Codes {
 public:
  constexpr Codes() = default;
  constexpr Codes(std::initializer_list<Code> codes) {
    for (const Code code : codes) bits_ |= bit(code);
  }
  [[nodiscard]] constexpr bool contains(Code code) const noexcept {
    return (bits_ & bit(code)) != 0;
  }

 private:
  static constexpr std::uint64_t bit(Code code) noexcept {
    // A number that this version does not know may come from a journal or a peer.
    const auto number = static_cast<unsigned>(code);
    return number < 64 ? std::uint64_t{1} << number : 0;
  }
  std::uint64_t bits_ = 0;
};

/// When a failed attempt is followed by another. Only errors that `Error::is_retryable()` says may
/// succeed later are tried again, and of `at_most_once` steps only attempts whose effect was
/// `refused`.
struct Retry {
  /// Attempts in all, the first included. 1: never again. 0: no bound.
  int attempts_max = 3;
  /// Before the second attempt.
  std::chrono::milliseconds delay = std::chrono::milliseconds(100);
  /// Each further delay is this many times the one before. At least 1.
  double factor = 2.0;
  /// No delay is longer, but for an error's own `retry_after`.
  std::chrono::milliseconds delay_max = std::chrono::seconds(30);
  /// Part of each delay that is drawn at random: 0.2 waits 80 to 100 % of it. From 0 to 1.
  double jitter = 0.2;
  /// Codes that are never tried again, whatever the error says of itself.
  Codes never = {};
};

/// Options of one step. Read from the current code at each attempt, never compared with the
/// journal.
struct StepOptions {
  Effect effect = Effect::idempotent;
  Retry retry = {};
  /// Of one attempt. When it has passed the body is asked to stop through its stop token, and what
  /// it then returns decides: a value is the step's result, a failure becomes `timeout`. Zero:
  /// none.
  std::chrono::milliseconds timeout = std::chrono::milliseconds(0);
  /// What one attempt uses at most: set aside of the run's budget before it begins (budget.hpp).
  Cost cost_max = {};
};

namespace detail {

/// What an attempt says that it used. Thread: any.
class Meter {
 public:
  void add(const Cost& cost) noexcept;
  /// The sum; empty: it said nothing.
  [[nodiscard]] std::optional<Cost> read() const noexcept;

 private:
  std::atomic<std::int64_t> money_{0};
  std::atomic<std::int64_t> tokens_{0};
  std::atomic<std::int64_t> gpu_us_{0};
  std::atomic<bool> told_{false};
};

/// The attempt behind a tool's `Step`. Thread: any.
class AttemptLink {
 public:
  /// `progress` empty: it is alive, no more.
  [[nodiscard]] virtual Result<void> beat(std::optional<Bytes> progress) = 0;
  /// What an earlier attempt reported last, or null.
  [[nodiscard]] virtual const Bytes* last_progress() const noexcept = 0;
  virtual void charge(const Cost& cost) noexcept = 0;

 protected:
  ~AttemptLink() = default;
};

}  // namespace detail

/// One attempt of one step, as its body sees it. Movable; a step lambda's is valid until the body
/// returns, a tool's as long as it is kept. Thread: one at a time; the stop token any.
class Step {
 public:
  struct Facts {
    RunId run;
    std::string id;
    const std::string* name = nullptr;  ///< Outlives the Step.
    std::uint32_t attempt = 1;
    std::optional<std::chrono::system_clock::time_point> deadline = {};
    std::stop_token stop = {};
    detail::BlobAccess* blobs = nullptr;
    /// Of a tool's attempt; keeps `name` alive.
    std::shared_ptr<detail::AttemptLink> link = {};
    detail::RowTransaction* rows = nullptr;  ///< Of `ctx.transact`.
    detail::Meter* meter = nullptr;          ///< Of a step lambda.
  };
  explicit Step(Facts facts) : facts_(std::move(facts)) {}
  Step(Step&&) noexcept = default;
  Step& operator=(Step&&) noexcept = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
  ~Step() = default;

  /// The idempotency key: run id, step id and step name as `RUN/STEP/NAME`, the name
  /// percent-encoded, so that it fits an HTTP header. The same on every attempt.
  [[nodiscard]] std::string key() const;
  /// The step's path in its run: `"18"`, `"3.0.1"`.
  [[nodiscard]] const std::string& id() const noexcept { return facts_.id; }
  [[nodiscard]] const std::string& name() const noexcept { return *facts_.name; }
  [[nodiscard]] const RunId& run_id() const noexcept { return facts_.run; }
  /// From 1. Attempts that ended with the process count.
  [[nodiscard]] int attempt() const noexcept { return static_cast<int>(facts_.attempt); }
  /// When the timeout passes; empty without one.
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> deadline() const noexcept {
    return facts_.deadline;
  }
  /// Tells that the tool's attempt is alive and how far it is. What was reported last is recorded
  /// soon, at most some times in a second, and the next attempt reads it by `last_heartbeat`: a
  /// crash may take the newest. It has at most 64 KiB; what is larger goes into a blob, and the
  /// progress is its `Blob`.
  /// Errors, and then the tool should return: `cancelled` when it is asked to stop; `timeout` when
  /// the attempt was given up; `closed`; `too_large`; as `encode`; `misuse` in a step lambda.
  template <class T>
  [[nodiscard]] Result<void> heartbeat(const T& progress) {
    PERDURE_TRY(Bytes bytes, encode(progress));
    return beat(std::move(bytes));
  }
  /// The same without progress: what was reported before stays.
  [[nodiscard]] Result<void> heartbeat() { return beat(std::nullopt); }
  /// What an earlier attempt reported last, in whatever process it ran. Empty: nothing, or nothing
  /// that is a `T`.
  template <class T>
  [[nodiscard]] std::optional<T> last_heartbeat() const {
    const Bytes* const bytes = facts_.link ? facts_.link->last_progress() : nullptr;
    if (bytes == nullptr) return std::nullopt;
    Result<T> progress = decode<T>(*bytes);
    if (progress.has_error()) return std::nullopt;
    return std::move(progress).assume_value();
  }

  /// Adds to what this attempt has used, of which it may say several times. Who says nothing used
  /// as much as `cost_max`, unless it fails with an error whose effect is `refused`. What is said
  /// after the attempt was given up counts no more. Thread: any.
  void charge(const Cost& cost) noexcept;

  /// Asked to stop at the deadline, when the branch lost, when the run is cancelled, at shutdown.
  [[nodiscard]] std::stop_token stop_token() const noexcept { return facts_.stop; }
  [[nodiscard]] bool stop_requested() const noexcept { return facts_.stop.stop_requested(); }

  /// A blob to be written, which the body returns, alone or in a value (perdure/blob.hpp). Errors:
  /// `storage_full`, `storage_failed`, `unsupported`.
  [[nodiscard]] Result<BlobWriter> create_blob();
  /// The content of a blob of this journal. Errors: `not_found`, `corrupt`, `newer_format`,
  /// `storage_failed`.
  [[nodiscard]] Result<BlobReader> open_blob(const Blob& blob);

  /// For opt-in headers: the tool's attempt; null in a step lambda.
  [[nodiscard]] const std::shared_ptr<detail::AttemptLink>& link() const noexcept {
    return facts_.link;
  }

 private:
  [[nodiscard]] Result<void> beat(std::optional<Bytes> progress);
  friend class Transaction;
  Facts facts_;
};

}  // namespace v0
}  // namespace perdure
