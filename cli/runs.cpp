#include "cli/runs.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "cli/table.hpp"
#include "cli/text.hpp"
#include "cli/values.hpp"

namespace perdure::cli {
namespace {

using journal::RunInfo;
using journal::RunStatus;

constexpr std::size_t kSessionColumns = 48;
constexpr std::size_t kReasonColumns = 120;

Ink ink_of(RunStatus status) {
  switch (status) {
    case RunStatus::parked: return Ink::yellow;
    case RunStatus::failed: return Ink::red;
    case RunStatus::completed: return Ink::green;
    default: return Ink::plain;
  }
}

bool wanted(const RunsRequest& request, const RunInfo& run) {
  if (request.agent && run.agent != *request.agent) return false;
  return request.statuses.empty() ||
         std::ranges::find(request.statuses, run.head.status) != request.statuses.end();
}

struct Counts {
  std::uint64_t shown = 0;
  std::uint64_t matching = 0;
};

/// Calls `each` for the newest runs that are wanted, the newest last, while somebody reads.
Result<Counts> each_wanted(journal::Reader& reader, const RunsRequest& request,
                           const Screen& screen, const std::function<void(const RunInfo&)>& each) {
  Counts counts;
  std::deque<RunInfo> newest;
  PERDURE_TRY(reader.each_run([&](const RunInfo& run) {
    if (!wanted(request, run)) return true;
    ++counts.matching;
    if (!request.limit) {
      each(run);
      return screen.open();
    }
    newest.push_back(run);
    if (newest.size() > *request.limit) newest.pop_front();
    return true;
  }));
  for (const RunInfo& run : newest) each(run);
  counts.shown = request.limit ? newest.size() : counts.matching;
  return counts;
}

std::string why(const RunInfo& run) {
  if (run.head.status != RunStatus::parked) return "";
  return std::string(to_string(run.head.code)) + ": " + first_line(run.head.reason, kReasonColumns);
}

Result<void> list_as_text(journal::Reader& reader, const RunsRequest& request,
                          const Screen& screen) {
  using Align = Column::Align;
  Table table(screen, {{"RUN", Align::left},
                       {"SESSION", Align::left},
                       {"STATUS", Align::left},
                       {"RECORDS", Align::right},
                       {"STARTED", Align::left},
                       {"LAST CHANGE", Align::right},
                       {"WHY", Align::left}});
  PERDURE_TRY(const Counts counts, each_wanted(reader, request, screen, [&](const RunInfo& run) {
                table.add({{to_string(run.id)},
                           {safe_line(run.agent + "/" + run.session_key, kSessionColumns)},
                           {std::string(to_string(run.head.status)), ink_of(run.head.status)},
                           {count_text(run.head.count)},
                           {iso_time(run.created, screen.zone)},
                           {relative(run.head.stamp, screen.now)},
                           {why(run)}});
              }));
  table.finish();
  if (counts.matching == 0) {
    const bool narrowed = request.agent || !request.statuses.empty();
    screen.out << (narrowed ? "No run matches.\n" : "The journal has no runs.\n");
  } else if (counts.shown < counts.matching) {
    screen.out << "The newest " << count_text(counts.shown) << " of "
               << counted(counts.matching, "run") << "; --all shows every one.\n";
  }
  return success();
}

Result<void> list_as_json(journal::Reader& reader, const RunsRequest& request,
                          const Screen& screen) {
  const char* between = "\n";
  screen.out << "{\"runs\":[";
  PERDURE_TRY(const Counts counts, each_wanted(reader, request, screen, [&](const RunInfo& run) {
                screen.out << std::exchange(between, ",\n") << json_of(run).line();
              }));
  screen.out << "\n],\"shown\":" << counts.shown << ",\"matching\":" << counts.matching << "}\n";
  return success();
}

}  // namespace

Result<void> list_runs(journal::Reader& reader, const RunsRequest& request, const Screen& screen) {
  return screen.format == Format::json ? list_as_json(reader, request, screen)
                                       : list_as_text(reader, request, screen);
}

}  // namespace perdure::cli
