#include "cli/verify.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "cli/json.hpp"
#include "cli/text.hpp"
#include "journal/blob_directory.hpp"
#include "journal/directory.hpp"
#include "journal/page_checker.hpp"
#include "journal/verify.hpp"

namespace perdure::cli {
namespace {

using journal::Finding;
using journal::PageFinding;
using journal::PageReport;
using journal::VerifyReport;
using LogReport = journal::WalReader::Report;

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

/// What lies where blobs are.
struct BlobsReport {
  std::uint64_t referred_to = 0;
  std::uint64_t bytes = 0;         ///< Of their content.
  std::uint64_t others = 0;        ///< Blobs that no row refers to: left by crashes, or on the way.
  std::uint64_t others_bytes = 0;  ///< Of their files.
};

JsonObject json_of(const BlobsReport& blobs) {
  return JsonObject()
      .number("referred_to", blobs.referred_to)
      .number("bytes", blobs.bytes)
      .number("others", blobs.others)
      .number("others_bytes", blobs.others_bytes);
}

/// All that was looked at.
struct Checked {
  PageReport pages;
  LogReport log;
  VerifyReport rows;
  BlobsReport blobs;
  Rows how = Rows::checked;

  [[nodiscard]] std::uint64_t findings() const {
    return pages.findings_count + rows.findings_count + (log.damage ? 1 : 0);
  }
};

JsonObject json_of(const PageReport& pages) {
  return JsonObject()
      .truth("sound", pages.sound())
      .number("page_bytes", pages.page_bytes)
      .number("transaction", pages.transaction)
      .number("used", pages.pages_used)
      .number("free", pages.pages_free)
      .number("lost", pages.pages_lost)
      .number("findings_count", pages.findings_count)
      .raw("findings", json_of(pages.findings));
}

JsonObject json_of(const LogReport& log) {
  JsonObject object;
  object.truth("sound", !log.damage).number("batches", log.batches).number("bytes", log.bytes);
  if (log.damage)
    object.number("offset", log.damage->place)
        .text("what", log.damage->what)
        .text("remedy", log.damage->remedy);
  return object;
}

void write_as_json(const Checked& checked, const Screen& screen) {
  const VerifyReport& report = checked.rows;
  JsonObject rows;
  for (std::size_t i = 0; i < journal::kTableCount; ++i)
    rows.number(std::string(to_string(static_cast<journal::Table>(i + 1))), report.rows[i]);
  screen.out << JsonObject()
                    .truth("sound", checked.findings() == 0)
                    .object("pages", json_of(checked.pages))
                    .object("log", json_of(checked.log))
                    .truth("rows_checked", checked.how == Rows::checked)
                    .number("runs", report.runs)
                    .number("records", report.records)
                    .number("bytes", report.bytes)
                    .object("rows", rows)
                    .object("blobs", json_of(checked.blobs))
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

void write_finding(const journal::WalFile::Damage& damage, const Screen& screen) {
  screen.out << inked("wal", Ink::bold, screen.colour) << ": " << safe_line(damage.what)
             << "\n  at byte " << damage.place << "\n  remedy: " << safe_line(damage.remedy)
             << '\n';
}

template <class T>
void write_findings(const std::vector<T>& findings, std::uint64_t all, const Screen& screen) {
  for (const T& finding : findings) write_finding(finding, screen);
  if (all > findings.size())
    screen.out << "and " << counted(all - findings.size(), "finding") << " more\n";
}

void write_as_text(const Checked& checked, const Screen& screen) {
  const VerifyReport& report = checked.rows;
  write_findings(checked.pages.findings, checked.pages.findings_count, screen);
  if (checked.log.damage) write_finding(*checked.log.damage, screen);
  write_findings(report.findings, report.findings_count, screen);
  std::string looked_at = counted(report.runs, "run") + ", " + counted(report.records, "record") +
                          ", " + size_text(report.bytes);
  if (checked.blobs.referred_to != 0)
    looked_at +=
        ", " + counted(checked.blobs.referred_to, "blob") + " of " + size_text(checked.blobs.bytes);
  if (checked.findings() == 0)
    screen.out << inked("Sound", Ink::green, screen.colour) << ": " << looked_at << ", "
               << counted(checked.pages.pages_used, "page") << " looked at.\n";
  else
    screen.out << inked("Not sound", Ink::red, screen.colour) << ": "
               << counted(checked.findings(), "finding") << "; " << looked_at
               << (checked.how == Rows::checked ? " looked at.\n"
                                                : " could still be read from the pages.\n");
  if (checked.blobs.others != 0)
    screen.out << counted(checked.blobs.others, "blob") << " ("
               << size_text(checked.blobs.others_bytes)
               << ") that nothing refers to, of a process that died or on the way: of no harm.\n";
}

/// LMDB must not read it. What can be reached without is told row by row.
Result<void> read_from_pages(const std::filesystem::path& directory, Checked& checked) {
  PERDURE_TRY(checked.pages,
              journal::check_journal_pages(
                  directory, {.values = journal::PageValues::check, .stop = {}, .hold = {}}));
  checked.rows = checked.pages.values;
  checked.how = Rows::only_read;
  return success();
}

Result<void> read_all(const std::filesystem::path& directory, Checked& checked) {
  PERDURE_TRY(const auto opened,
              journal::JournalForReading::open(directory, journal::DamagedLog::read));
  PERDURE_TRY(checked.log, opened->check_log());
  PERDURE_TRY(checked.rows, journal::verify(opened->store()));
  checked.blobs.referred_to = checked.rows.blobs.size();
  checked.blobs.bytes = checked.rows.blob_bytes;
  return journal::BlobDirectory(directory).for_each([&](const journal::ListedBlob& blob) {
    if (!checked.rows.blobs.contains(blob.id)) {
      ++checked.blobs.others;
      checked.blobs.others_bytes += blob.stored_bytes;
    }
    return Result<void>(success());
  });
}

}  // namespace

Result<ExitCode> verify_journal(const std::filesystem::path& directory, const Screen& screen) {
  Checked checked;
  PERDURE_TRY(checked.pages, journal::check_journal_pages(directory));
  if (checked.pages.sound()) {
    Result<void> read = read_all(directory, checked);
    if (!read) {
      // Without the row that says whose journal it is, say, the tables can't be put together.
      if (read.error().code != Code::corrupt) return read.error();
      PERDURE_TRY(read_from_pages(directory, checked));
      if (checked.findings() == 0) return read.error();
    }
  } else {
    PERDURE_TRY(read_from_pages(directory, checked));
  }
  if (screen.format == Format::json)
    write_as_json(checked, screen);
  else
    write_as_text(checked, screen);
  return checked.findings() == 0 ? ExitCode::ok : ExitCode::findings;
}

}  // namespace perdure::cli
