/// Crashes at every record: the same scenario again and again, with the process dying elsewhere
/// each time.
///
/// What this is: `crash_everywhere`. It runs your scenario once without a crash and counts the
/// commits; then, for each commit, once with a process that dies just before it (what ran was not
/// recorded) and once with one that dies just after it (it is durable, and nothing that waited for
/// it has happened). A new process goes on each time; to your scenario the death is invisible, its
/// handles and calls go on working.
/// What it promises: reported are a run that does not end as it does without crashes, a parked or
/// diverged run with the words of the divergence, a step that ran again although its result was
/// recorded, an `at_most_once` step that ran twice, and a scenario that fails or gives another
/// result; each with the places of the crashes that bring it out, once.
/// What it does not: kill the process. What your handlers and bodies keep in memory outside their
/// frames (globals, fakes of the far side) survives, as the far side does; destructors of locals
/// run.
#pragma once

#include <perdure/testing_runtime.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace perdure {
inline namespace v0 {
namespace testing {

/// What is made of a run in which an `at_most_once` step got `outcome_unknown` from a crash.
enum class UnknownOutcomes : std::uint8_t {
  /// It has to end, as it likes: its reply is not compared, nor the scenario's result, and a
  /// scenario that fails with `outcome_unknown` has not failed.
  may_change_replies,
  /// It is compared as any other.
  must_not_show,
};

struct CrashOptions {
  /// Of every runtime that the scenario gets.
  Options runtime = {};
  UnknownOutcomes unknown_outcomes = UnknownOutcomes::may_change_replies;
  /// Crashes at the commits `first` to `last` alone, counted from 1: to look at one finding with a
  /// debugger. Default: at all.
  std::uint64_t first = 1;
  std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  /// Each crash is also tried with another one behind it, at each of so many commits of the process
  /// that comes after. Default: none. The time that it takes grows as much.
  std::uint64_t second_within = 0;
};

/// Where the process died.
struct CrashPlace {
  enum class When : std::uint8_t { before, after } when = When::before;
  std::uint64_t commit = 0;  ///< From 1. 0: no crash, the scenario ran twice without one.
  std::string what;          ///< What the commit holds, for a person.
  /// Where the next process died; 0: it did not. Always before a commit's becoming durable.
  std::uint64_t second = 0;
};

/// One thing that is wrong.
struct Finding {
  std::string what;                ///< For a person.
  std::vector<CrashPlace> places;  ///< Where a crash brings it out.
};

struct CrashReport {
  std::uint64_t commits = 0;  ///< Of the scenario without a crash.
  std::uint64_t crashes = 0;  ///< How many were tried.
  std::vector<Finding> findings;
  [[nodiscard]] bool ok() const noexcept { return findings.empty(); }
};
/// One line a finding, for the message of an assertion.
[[nodiscard]] std::string to_string(const CrashReport& report);

namespace detail {

/// A scenario without its types: its result, encoded.
using Scenario = std::function<Result<Bytes>(Runtime&)>;
[[nodiscard]] CrashReport crash_everywhere(const CrashOptions& options, const Scenario& scenario);

template <class T>
[[nodiscard]] Result<Bytes> encoded(const Result<T>& result) {
  if (result.has_error()) return result.assume_error();
  if constexpr (std::is_void_v<T>) {
    return Bytes{};
  } else {
    return encode(result.assume_value());
  }
}

}  // namespace detail

/// `scenario(Runtime&)` starts sessions, advances the clock, waits. It returns nothing, a value
/// that Perdure can encode, or a `Result` of either, and is compared by what it returns; an
/// exception that escapes it is its failure (so `value()` is fine). It is called with a fresh
/// runtime each time, and must begin with fresh fakes itself. It should not count attempts: a step
/// that was not recorded does run again.
template <class S>
  requires std::invocable<S&, Runtime&>
[[nodiscard]] CrashReport crash_everywhere(CrashOptions options, S scenario) {
  using Returned = std::remove_cvref_t<std::invoke_result_t<S&, Runtime&>>;
  return detail::crash_everywhere(options, [&scenario](Runtime& test) -> Result<Bytes> {
    if constexpr (std::is_void_v<Returned>) {
      scenario(test);
      return Bytes{};
    } else if constexpr (perdure::detail::is_result<Returned>::value) {
      return detail::encoded(scenario(test));
    } else {
      return encode<Returned>(scenario(test));
    }
  });
}
template <class S>
  requires std::invocable<S&, Runtime&>
[[nodiscard]] CrashReport crash_everywhere(S scenario) {
  return crash_everywhere(CrashOptions{}, std::move(scenario));
}

}  // namespace testing
}  // namespace v0
}  // namespace perdure
