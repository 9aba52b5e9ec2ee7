/// Signals that have their number and have not come to their session yet.
///
/// What this is: the count, by name and run, of the signals from other sessions that stand in a
/// session's queue or are deferred by it. A signal with a lower number than the end of a receive's
/// time wins, so whoever records that end asks whether there is one.
/// What it promises: a signal is counted before anybody gets a higher number than it (it is posted
/// as it is numbered), and until its session has handled it, or will not.
/// What it does not: count what has no number, as what programs send.
#pragma once

#include <perdure/run_id.hpp>

#include <cstddef>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

namespace perdure::actors {

/// A signal's name, and its run if it is for one alone.
using SignalName = std::pair<std::string, std::optional<RunId>>;

/// Thread: any.
class SignalsUnderWay {
 private:
  using Names = std::multiset<SignalName>;

 public:
  /// One of them. It is counted as long as this lives, which is no longer than the counter.
  class Token {
   public:
    Token() = default;
    Token(Token&& other) noexcept
        : counter_(std::exchange(other.counter_, nullptr)), place_(other.place_) {}
    Token& operator=(Token&& other) noexcept {
      std::swap(counter_, other.counter_);
      std::swap(place_, other.place_);
      return *this;
    }
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
    ~Token() {
      if (counter_ != nullptr) counter_->leave(place_);
    }

   private:
    friend class SignalsUnderWay;
    Token(SignalsUnderWay& counter, Names::const_iterator place)
        : counter_(&counter), place_(place) {}
    SignalsUnderWay* counter_ = nullptr;
    Names::const_iterator place_;
  };

  [[nodiscard]] Token enter(SignalName name) {
    const std::lock_guard lock(mutex_);
    return {*this, names_.insert(std::move(name))};
  }
  [[nodiscard]] bool any(std::span<const SignalName> names) const {
    const std::lock_guard lock(mutex_);
    if (names_.empty()) return false;
    for (const SignalName& name : names)
      if (names_.contains(name)) return true;
    return false;
  }

 private:
  void leave(Names::const_iterator place) noexcept {
    const std::lock_guard lock(mutex_);
    names_.erase(place);
  }

  mutable std::mutex mutex_;
  Names names_;
};

}  // namespace perdure::actors
