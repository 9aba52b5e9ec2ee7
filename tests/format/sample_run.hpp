/// One run of a journal, written without a runtime.
///
/// What this is: a run's rows and records as a runtime writes them, each call in a change and a
/// commit of its own.
/// What it promises: a journal that `perdure verify` finds sound. What it does not: run any code.
#pragma once

#include <perdure/error.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "journal/change.hpp"
#include "journal/session_rows.hpp"
#include "journal/writer.hpp"
#include "tests/format/payload_samples.hpp"

namespace perdure::format_test {

/// Thread: one at a time.
class Run {
 public:
  using Path = std::vector<std::uint32_t>;

  /// Payloads above `inline_bytes_max` are blobs. `writer` and `clock` outlive it.
  Run(RunId id, journal::Writer& writer, core::ManualClock& clock,
      std::size_t inline_bytes_max = std::numeric_limits<std::size_t>::max())
      : id_(id), writer_(writer), clock_(clock), inline_bytes_max_(inline_bytes_max) {}

  void create(const std::string& agent, const std::string& key, const std::string& message,
              const Sample& input, const std::vector<RunId>& payers = {});
  /// Its own limits.
  void budget(const journal::BudgetRow& row);
  void usage(const RunId& payer, const journal::UsageRow& row);
  void started(const Path& path, const std::string& name, journal::EffectClass effect,
               std::uint32_t attempt);
  void step(const Path& path, const std::string& name, const Sample& result);
  /// Many results in one change.
  void steps(const std::vector<Sample>& results);
  void failed_step(const Path& path, const std::string& name, const Error& error,
                   std::uint32_t attempts);
  void attempts(const journal::AttemptsRow& row, journal::RunStatus status);
  void park(Code code, const std::string& reason);
  void complete(const Sample& reply);
  void fail(const Error& error, journal::RunStatus status);
  [[nodiscard]] const RunId& id() const noexcept { return id_; }
  [[nodiscard]] journal::Stamp now() const { return clock_.wall().time_since_epoch().count(); }

 private:
  [[nodiscard]] journal::StepResult result_of(const Path& path, const std::string& name,
                                              const Sample& result) const;
  template <class T>
  void append(journal::Change& change, const T& record) {
    change.append(id_, count_++, record);
  }
  void end(journal::RunStatus status, const journal::RunEnded& record);
  void finish(journal::Change&& change, journal::RunStatus status, Code code = Code::user,
              const std::string& reason = "");

  RunId id_;
  journal::SessionId session_;
  journal::Writer& writer_;
  core::ManualClock& clock_;
  const std::size_t inline_bytes_max_;
  std::uint32_t count_ = 0;
};

}  // namespace perdure::format_test
