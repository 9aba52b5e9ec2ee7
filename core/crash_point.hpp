/// Named crash points.
///
/// What this is: places in the code at which a test can kill the process with SIGKILL, to prove
/// that what was promised holds when it dies exactly there.
/// What it promises: disarmed (always, but for tests) a point costs one relaxed atomic load. Armed
/// by the environment variable `PERDURE_CRASH_AT=name` or `name:N` (the N-th passing, from 1), the
/// process kills itself there.
/// What it does not: return an error or unwind; the point of it is that nothing runs afterwards.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace perdure::core {

enum class CrashPoint : std::uint8_t {
  run_created,            ///< A run's first record is handed to the writer, not yet durable.
  body_before,            ///< Before a step's body.
  body_after,             ///< After a step's body, before anything is known of its result.
  result_submitted,       ///< A step's result is handed to the writer, not yet durable.
  commit_before,          ///< The writer has taken a batch and not begun to write it.
  log_extended,           ///< The log has grown by zeros, which are not durable.
  commit_written,         ///< The batch is written into the log, not durable.
  commit_after,           ///< The batch is durable, nobody has been told.
  gate_opened,            ///< The watermark has moved; what waited for it has not yet left.
  end_submitted,          ///< A run's end is handed to the writer, not yet durable.
  recovery_scanned,       ///< Recovery knows the unfinished runs and has resumed none.
  checkpoint_before,      ///< Batches of the log are about to be written into the tables.
  checkpoint_written,     ///< They are written into the transaction, not committed.
  checkpoint_after,       ///< They are durable in the tables; the log still has them.
  shutdown_begun,         ///< A clean shutdown has begun.
  shutdown_before_clean,  ///< Everything is durable; the mark of a clean end is not written.
  blob_written,           ///< A blob's file is written under a name of its own, not durable.
  blob_synced,            ///< It is durable, and not yet where it belongs.
  blob_renamed,           ///< It is where it belongs, which is not yet durable.
};
inline constexpr std::size_t kCrashPointCount = 19;
extern const std::array<std::string_view, kCrashPointCount> kCrashPointNames;

namespace detail {
extern std::atomic<int> armed_crash_point;
void pass_armed(CrashPoint point) noexcept;
}  // namespace detail

/// Reads `PERDURE_CRASH_AT`. False when it names no crash point. Thread: before others start.
[[nodiscard]] bool arm_crash_point_from_environment();
/// Arms `point` for its `passing`-th passing from now (from 1).
void arm_crash_point(CrashPoint point, std::uint64_t passing);

/// Dies here when armed for it.
inline void crash_point(CrashPoint point) noexcept {
  if (detail::armed_crash_point.load(std::memory_order_relaxed) == static_cast<int>(point))
    detail::pass_armed(point);
}

}  // namespace perdure::core
