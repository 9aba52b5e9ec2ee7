#include "cli/verify.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "cli/json.hpp"
#include "cli/text.hpp"
#include "journal/directory.hpp"
#include "journal/page_checker.hpp"
#include "journal/verify.hpp"

namespace perdure::cli {
namespace {

using journal::Finding;
using journal::PageFinding;
using journal::PageReport;
using journal::VerifyReport;

/// Whether rows were held against each other, or only read from the pages that can be reached.
enum class Rows : std::uint8_t { checked, only_read };

JsonObject json_of(const Finding& finding) {
  return JsonObject()
      .text("table", to_string(finding.table))
      .text("key", finding.key)
      .text("place", finding.place)
      .text("what", finding.what)
      .text("remedy", finding.remedy);
}

JsonObject json_of(const PageFinding& finding) {
  return JsonObject()
      .number("page", finding.page)
      .number("offset", finding.offset)
      .text("tree", finding.tree)
      .text("what", finding.what)
      .text("remedy", finding.remedy);
}

template <class T>
std::string json_of(const std::vector<T>& findings) {
  std::string text = "[";
  for (const T& finding : findings)
    text += (text.size() > 1 ? ",\n" : "\n") + json_of(finding).line();
  return text + "\n]";
}

void write_as_json(const PageReport& pages, const VerifyReport& report, Rows checked,
                   const Screen& screen) {
  JsonObject rows;
  for (std::size_t i = 0; i < journal::kTableCount; ++i)
    rows.number(std::string(to_string(static_cast<journal::Table>(i + 1))), report.rows[i]);
  const JsonObject of_pages = JsonObject()
                                  .truth("sound", pages.sound())
                                  .number("page_bytes", pages.page_bytes)
                                  .number("transaction", pages.transaction)
                                  .number("used", pages.pages_used)
                                  .number("free", pages.pages_free)
                                  .number("lost", pages.pages_lost)
                                  .number("findings_count", pages.findings_count)
                                  .raw("findings", json_of(pages.findings));
  screen.out << JsonObject()
                    .truth("sound", pages.sound() && report.sound())
                    .object("pages", of_pages)
                    .truth("rows_checked", checked == Rows::checked)
                    .number("runs", report.runs)
                    .number("records", report.records)
                    .number("bytes", report.bytes)
                    .object("rows", rows)
                    .number("findings_count", report.findings_count)
                    .raw("findings", json_of(report.findings))
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

void write_finding(const PageFinding& finding, const Screen& screen) {
  screen.out << inked("data.mdb", Ink::bold, screen.colour) << ": " << safe_line(finding.what)
             << "\n  at byte " << finding.offset << ", in " << safe_line(finding.tree)
             << "\n  remedy: " << safe_line(finding.remedy) << '\n';
}

template <class T>
void write_findings(const std::vector<T>& findings, std::uint64_t all, const Screen& screen) {
  for (const T& finding : findings) write_finding(finding, screen);
  if (all > findings.size())
    screen.out << "and " << counted(all - findings.size(), "finding") << " more\n";
}

void write_as_text(const PageReport& pages, const VerifyReport& report, Rows checked,
                   const Screen& screen) {
  write_findings(pages.findings, pages.findings_count, screen);
  write_findings(report.findings, report.findings_count, screen);
  const std::string looked_at = counted(report.runs, "run") + ", " +
                                counted(report.records, "record") + ", " + size_text(report.bytes);
  const std::uint64_t findings = pages.findings_count + report.findings_count;
  if (findings == 0)
    screen.out << inked("Sound", Ink::green, screen.colour) << ": " << looked_at << ", "
               << counted(pages.pages_used, "page") << " looked at.\n";
  else
    screen.out << inked("Not sound", Ink::red, screen.colour) << ": "
               << counted(findings, "finding") << "; " << looked_at
               << (checked == Rows::checked ? " looked at.\n"
                                            : " could still be read from the pages.\n");
}

}  // namespace

Result<ExitCode> verify_journal(const std::filesystem::path& directory, const Screen& screen) {
  PERDURE_TRY(PageReport pages, journal::check_journal_pages(directory));
  VerifyReport report;
  Rows checked = Rows::checked;
  if (pages.sound()) {
    PERDURE_TRY(const auto opened, journal::JournalForReading::open(directory));
    PERDURE_TRY(report, journal::verify(opened->store()));
  } else {
    // LMDB must not read it. What can be reached without is told row by row.
    PERDURE_TRY(pages,
                journal::check_journal_pages(
                    directory, {.values = journal::PageValues::check, .stop = {}, .hold = {}}));
    report = pages.values;
    checked = Rows::only_read;
  }
  if (screen.format == Format::json)
    write_as_json(pages, report, checked, screen);
  else
    write_as_text(pages, report, checked, screen);
  return pages.sound() && report.sound() ? ExitCode::ok : ExitCode::findings;
}

}  // namespace perdure::cli
