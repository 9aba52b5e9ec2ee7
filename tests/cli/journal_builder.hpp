/// What the command's tests share: journals with runs in them, made of records and rows as a
/// runtime writes them, and a screen over a string.
#pragma once

#include <gtest/gtest.h>

#include <perdure/codec.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/screen.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/random.hpp"
#include "journal/change.hpp"
#include "journal/gate.hpp"
#include "journal/reader.hpp"
#include "journal/saga_rows.hpp"
#include "journal/step_path.hpp"
#include "journal/writer.hpp"

namespace perdure::cli {

using Path = std::vector<std::uint32_t>;

template <class T>
core::Bytes payload(const T& value) {
  auto bytes = encode(value);
  EXPECT_TRUE(bytes.has_value());
  return core::Bytes(bytes.value().begin(), bytes.value().end());
}

/// Writes runs into a store. Its clock stands still until a test moves it.
class JournalBuilder {
 public:
  explicit JournalBuilder(journal::Store& store, journal::RecordNumber last_number = 0)
      : writer_(store, gate_, {.last_number = last_number}) {}

  core::ManualClock clock;
  /// Payloads above it are blobs.
  std::size_t inline_bytes_max = std::numeric_limits<std::size_t>::max();

  RunId start(const std::string& agent, const std::string& key,
              const std::string& message_key = "start") {
    return start(core::draw_run_id(clock, random_), agent, key, message_key);
  }
  RunId start(const RunId& run, const std::string& agent, const std::string& key,
              const std::string& message_key = "start",
              const core::Bytes& input = payload(std::string("the input"))) {
    const journal::SessionId session = journal::session_hash(agent, key);
    journal::Change change(inline_bytes_max);
    change.put(journal::Table::sessions, journal::Key{}.add(session),
               journal::SessionRow{agent, key, now()});
    change.put(journal::Table::keys, journal::message_key_row(session, message_key),
               journal::MessageKeyRow{message_key, run});
    change.put(journal::Table::runs, journal::Key{}.add(run),
               journal::RunRow{session, agent, 3, "main", key, now()});
    change.put(journal::Table::ready, journal::Key{}.add(run), journal::ReadyRow{session});
    change.put(journal::Table::open, journal::Key{}.add(session), journal::OpenRow{run});
    sessions_[run] = session;
    change.append(
        run, 0,
        journal::RunCreated{agent, 3, "main", key, message_key, "string", input, 42, now()});
    counts_[run] = 1;
    put_head(change, run, journal::RunStatus::running);
    submit(std::move(change));
    return run;
  }

  void started(const RunId& run, const Path& path, const std::string& name,
               std::uint32_t attempt = 1) {
    append(run,
           journal::StepStarted{path, name, journal::EffectClass::at_most_once, attempt, now()});
  }
  void step(const RunId& run, const Path& path, const std::string& name, const core::Bytes& result,
            const std::string& type = "string") {
    journal::StepResult record;
    record.path = path;
    record.name = name;
    record.type = type;
    record.stamp = now();
    record.busy_us = 1500;
    record.payload = result;
    append(run, record);
  }
  void failed_step(const RunId& run, const Path& path, const std::string& name,
                   const Error& error) {
    journal::StepResult record;
    record.path = path;
    record.name = name;
    record.type = "string";
    record.attempts = 4;
    record.stamp = now();
    record.error = journal::view_of(error);
    append(run, record);
  }
  void attempts(const RunId& run, const journal::AttemptsRow& row) {
    journal::Change change(inline_bytes_max);
    change.put(journal::Table::attempts,
               journal::Key{}.add(run).add(journal::StepPath(row.path).hash()), row);
    submit(std::move(change));
  }
  /// A record of any kind.
  template <class T>
  void record(const RunId& run, const T& value) {
    append(run, value);
  }
  template <class T>
  void put(journal::Table table, const journal::Key& key, const T& row) {
    journal::Change change(inline_bytes_max);
    change.put(table, key, row);
    submit(std::move(change));
  }
  /// The step waits, and with it the run.
  void wait(const RunId& run, const journal::WaitRow& row) {
    put(journal::Table::waits, journal::Key{}.add(run).add(journal::StepPath(row.path).hash()),
        row);
    status(run, journal::RunStatus::waiting);
  }
  /// The child `child` of `run`, which the step at `path` started in the session `cart/bob`.
  void child(const RunId& run, const Path& path, const RunId& child, journal::ParentEnd parent_end,
             journal::Child what = {}) {
    what.path = path;
    what.session = journal::session_hash("cart", "bob");
    what.agent = "cart";
    what.session_key = "bob";
    what.run = child;
    what.parent_end = parent_end;
    put(journal::Table::children, journal::Key{}.add(run).add(journal::StepPath(path).hash()),
        journal::view_of(what));
  }
  /// A saga of `run` as it stands now; what is not set is that of an open one called `trip`.
  void saga(const RunId& run, std::uint32_t number, journal::StoredSaga what = {}) {
    if (what.name.empty()) what.name = "trip";
    if (what.created == 0) what.created = now();
    if (what.changed == 0) what.changed = now();
    put(journal::Table::sagas, journal::saga_row(run, number), journal::view_of(what));
  }
  /// An action of it, called with `input`, and what became of it.
  void undo(const RunId& run, std::uint32_t saga, journal::StoredUndo what,
            const core::Bytes& input = payload(std::string("Rome"))) {
    if (what.stamp == 0) what.stamp = now();
    if (what.input_type.empty()) what.input_type = "string";
    journal::UndoRow row = journal::view_of(what);
    row.payload = input;
    put(journal::Table::undos, journal::undo_row(run, saga, what.index), row);
    if (what.state == journal::UndoState::registered) return;
    if (what.changed == 0) what.changed = now();
    put(journal::Table::undos, journal::undo_state_row(run, saga, what.index),
        journal::state_of(what));
  }
  /// Borrowed from `name` and `value`.
  static journal::ArrivalRow arrival(journal::ArrivalRow::What what, std::string_view name,
                                     core::ByteView value) {
    journal::ArrivalRow row;
    row.what = what;
    row.agent = "trip";
    row.session_key = "alice";
    row.name = name;
    row.type = "string";
    row.payload = value;
    return row;
  }
  /// A row of `inbox` or `kept`, sent now; gives its number.
  journal::RecordNumber arrive(journal::Table table, journal::ArrivalRow row) {
    row.stamp = now();
    journal::Change change(inline_bytes_max);
    change.put_numbered(table,
                        journal::Key{}.add(journal::session_hash(row.agent, row.session_key)), row);
    submit(std::move(change));
    return last_number();
  }
  /// A message that waits in `trip/alice`, and its run.
  RunId queue(journal::Stamp due = 0) {
    const RunId run = core::draw_run_id(clock, random_);
    const core::Bytes input = payload(std::string("later"));
    journal::ArrivalRow row = arrival(journal::ArrivalRow::What::message, "main", input);
    row.run = run;
    row.due = due;
    row.message_key = "second";
    journal::RunRow queued{
        journal::session_hash("trip", "alice"), "trip", 3, "main", "alice", now()};
    queued.queued = 1;
    put(journal::Table::runs, journal::Key{}.add(run), queued);
    arrive(journal::Table::kept, row);
    return run;
  }
  void status(const RunId& run, journal::RunStatus status, Code code = Code::user,
              const std::string& reason = "") {
    journal::Change change(inline_bytes_max);
    put_head(change, run, status, code, reason);
    submit(std::move(change));
  }
  void complete(const RunId& run, const core::Bytes& reply) {
    end(run, journal::RunStatus::completed,
        journal::RunEnded{now(), "string", std::nullopt, reply});
  }
  void fail(const RunId& run, const Error& error) {
    end(run, journal::RunStatus::failed,
        journal::RunEnded{now(), "string", journal::view_of(error), {}});
  }
  [[nodiscard]] journal::Stamp now() { return clock.wall().time_since_epoch().count(); }
  [[nodiscard]] journal::RecordNumber last_number() const { return writer_.last_number(); }
  void submit(journal::Change&& change) {
    const auto number = writer_.submit(std::move(change), journal::Admission::new_work);
    ASSERT_TRUE(number.has_value()) << number.error().message;
    writer_.commit_here();
  }

 private:
  template <class T>
  void append(const RunId& run, const T& record) {
    journal::Change change(inline_bytes_max);
    change.append(run, counts_[run]++, record);
    put_head(change, run, journal::RunStatus::running);
    submit(std::move(change));
  }
  void end(const RunId& run, journal::RunStatus status, const journal::RunEnded& record) {
    journal::Change change(inline_bytes_max);
    change.append(run, counts_[run]++, record);
    change.erase(journal::Table::ready, journal::Key{}.add(run));
    change.erase(journal::Table::open, journal::Key{}.add(sessions_[run]));
    put_head(change, run, status);
    submit(std::move(change));
  }
  void put_head(journal::Change& change, const RunId& run, journal::RunStatus status,
                Code code = Code::user, const std::string& reason = "") {
    change.put(journal::Table::records, journal::Key{}.add(run).add(journal::kHeadIndex),
               journal::HeadRow{counts_[run], status, now(), code, reason});
  }

  core::SeededRandom random_{1};
  journal::Gate gate_;
  journal::Writer writer_;
  std::map<RunId, std::uint32_t> counts_;
  std::map<RunId, journal::SessionId> sessions_;
};

/// A reader of `store` as it is now.
inline journal::Reader reader_of(journal::Store& store) {
  return journal::Reader::open(store).value();
}

inline RunId id_of(const std::string& text) { return RunId::parse(text).value(); }

/// A screen in UTC over a string, with the builder's time.
class TestScreen {
 public:
  explicit TestScreen(journal::Stamp now, Format format = Format::text)
      : screen{.out = out_, .now = now, .format = format, .zone = Zone::utc} {}
  Screen screen;
  [[nodiscard]] std::string text() const { return out_.str(); }
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(out_.str()); }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> all;
    std::istringstream in(out_.str());
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }

 private:
  std::ostringstream out_;
};

}  // namespace perdure::cli
