#include "core/crash_point.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>

namespace perdure::core {

const std::array<std::string_view, kCrashPointCount> kCrashPointNames = {
    "run_created",        "body_before",      "body_after",       "result_submitted",
    "commit_before",      "log_extended",     "commit_written",   "commit_after",
    "gate_opened",        "end_submitted",    "recovery_scanned", "checkpoint_before",
    "checkpoint_written", "checkpoint_after", "shutdown_begun",   "shutdown_before_clean",
    "blob_written",       "blob_synced",      "blob_renamed"};

namespace detail {

std::atomic<int> armed_crash_point{-1};

namespace {
std::atomic<std::uint64_t> passings_left{0};
}

void pass_armed(CrashPoint) noexcept {
  if (passings_left.fetch_sub(1) != 1) return;
  // SIGKILL and not abort: nothing may run afterwards, no handler, no destructor, no flush.
  std::raise(SIGKILL);
}

}  // namespace detail

void arm_crash_point(CrashPoint point, std::uint64_t passing) {
  detail::passings_left.store(passing);
  detail::armed_crash_point.store(static_cast<int>(point));
}

bool arm_crash_point_from_environment() {
  const char* value = std::getenv("PERDURE_CRASH_AT");
  if (value == nullptr) return true;
  std::string_view text{value};
  std::uint64_t passing = 1;
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    const std::string_view count = text.substr(colon + 1);
    const auto [end, failed] = std::from_chars(count.data(), count.data() + count.size(), passing);
    if (failed != std::errc{} || end != count.data() + count.size() || passing == 0) return false;
    text = text.substr(0, colon);
  }
  const auto found = std::ranges::find(kCrashPointNames, text);
  if (found == kCrashPointNames.end()) return false;
  arm_crash_point(static_cast<CrashPoint>(found - kCrashPointNames.begin()), passing);
  return true;
}

}  // namespace perdure::core
