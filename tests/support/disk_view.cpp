#include "tests/support/disk_view.hpp"

#include "journal/verify.hpp"

namespace perdure::test {

journal::Reader DiskView::read() const { return journal::Reader::open(store_).value(); }

journal::Head DiskView::head(const RunId& run) const { return read().head(run).value().value(); }

bool DiskView::is_ready(const RunId& run) const {
  bool found = false;
  read()
      .each_ready([&](const journal::ReadyRun& ready) {
        found = found || ready.run == run;
        return true;
      })
      .value();
  return found;
}

std::vector<journal::Due> DiskView::due() const {
  std::vector<journal::Due> rows;
  read()
      .each_due([&](const journal::Due& due) {
        rows.push_back(due);
        return true;
      })
      .value();
  return rows;
}

std::vector<journal::Attempts> DiskView::attempts(const RunId& run) const {
  return read().attempts(run).value();
}

std::vector<std::string> DiskView::records(const RunId& run) const {
  std::vector<std::string> lines;
  journal::Reader reader = read();
  journal::RecordStream stream = reader.records(run).value();
  while (const journal::RecordBuffer* record = stream.next().value()) {
    std::string line(to_string(record->kind()));
    if (record->kind() == journal::Kind::step_result) {
      const auto result = record->as<journal::StepResult>().value();
      if (result.step_kind != journal::StepKind::step) line = to_string(result.step_kind);
      line += " " + journal::StepPath(result.path).to_string() + " '" + std::string(result.name) +
              "' " + (result.error ? std::string(to_string(result.error->code)) : "ok");
    } else if (record->kind() == journal::Kind::step_started) {
      const auto started = record->as<journal::StepStarted>().value();
      line += " " + journal::StepPath(started.path).to_string() + " '" + std::string(started.name) +
              "' #" + std::to_string(started.attempt);
    } else if (record->kind() == journal::Kind::run_ended) {
      line += record->as<journal::RunEnded>().value().error ? " failed" : " ok";
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string DiskView::damage() const {
  std::string lines;
  const journal::VerifyReport report = journal::verify(store_).value();
  for (const journal::Finding& finding : report.findings)
    lines += finding.place + ": " + finding.what + "\n";
  return lines;
}

std::size_t DiskView::blobs() const { return journal::verify(store_).value().blobs.size(); }

}  // namespace perdure::test
