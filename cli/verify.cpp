#include "cli/verify.hpp"

#include <string>
#include <utility>
#include <vector>

#include "cli/json.hpp"
#include "cli/text.hpp"
#include "journal/verify.hpp"

namespace perdure::cli {
namespace {

using journal::Finding;
using journal::VerifyReport;

JsonObject json_of(const Finding& finding) {
  return JsonObject()
      .text("table", to_string(finding.table))
      .text("key", finding.key)
      .text("place", finding.place)
      .text("what", finding.what)
      .text("remedy", finding.remedy);
}

void write_as_json(const VerifyReport& report, const Screen& screen) {
  JsonObject rows;
  for (std::size_t i = 0; i < journal::kTableCount; ++i)
    rows.number(std::string(to_string(static_cast<journal::Table>(i + 1))), report.rows[i]);
  std::string findings = "[";
  for (const Finding& finding : report.findings)
    findings += (findings.size() > 1 ? ",\n" : "\n") + json_of(finding).line();
  screen.out << JsonObject()
                    .truth("sound", report.sound())
                    .number("runs", report.runs)
                    .number("records", report.records)
                    .number("bytes", report.bytes)
                    .object("rows", rows)
                    .number("findings_count", report.findings_count)
                    .raw("findings", findings + "\n]")
                    .line()
             << '\n';
}

void write_finding(const Finding& finding, const Screen& screen) {
  const std::vector<std::string> what = safe_lines(finding.what);
  screen.out << inked(safe_line(finding.place), Ink::bold, screen.colour) << ": " << what.front()
             << '\n';
  for (std::size_t i = 1; i < what.size(); ++i) screen.out << "  " << what[i] << '\n';
  screen.out << "  table " << to_string(finding.table) << ", key " << safe_line(finding.key)
             << "\n  remedy: " << safe_line(finding.remedy) << '\n';
}

void write_as_text(const VerifyReport& report, const Screen& screen) {
  for (const Finding& finding : report.findings) write_finding(finding, screen);
  if (report.findings_count > report.findings.size())
    screen.out << "and " << counted(report.findings_count - report.findings.size(), "finding")
               << " more\n";
  const std::string looked_at = counted(report.runs, "run") + ", " +
                                counted(report.records, "record") + ", " + size_text(report.bytes) +
                                " looked at";
  if (report.sound())
    screen.out << inked("Sound", Ink::green, screen.colour) << ": " << looked_at << ".\n";
  else
    screen.out << inked("Not sound", Ink::red, screen.colour) << ": "
               << counted(report.findings_count, "finding") << "; " << looked_at << ".\n";
}

}  // namespace

Result<ExitCode> verify_journal(journal::Store& store, const Screen& screen) {
  PERDURE_TRY(const VerifyReport report, journal::verify(store));
  if (screen.format == Format::json)
    write_as_json(report, screen);
  else
    write_as_text(report, screen);
  return report.sound() ? ExitCode::ok : ExitCode::findings;
}

}  // namespace perdure::cli
