#include "tests/format/sample_session.hpp"

#include <perdure/error.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "journal/change.hpp"
#include "journal/reader.hpp"
#include "journal/step_path.hpp"
#include "tests/format/checked.hpp"
#include "tests/format/payload_samples.hpp"

namespace perdure::format_test {
namespace {

using namespace journal;
using Path = std::vector<std::uint32_t>;
using What = ArrivalRow::What;

constexpr Stamp kSecond = 1'000'000;

/// The session `mail/alice`, and its run.
class MailSession {
 public:
  MailSession(Writer& writer, core::ManualClock& clock, core::Random& random)
      : writer_(writer),
        clock_(clock),
        random_(random),
        run_(core::draw_run_id(clock, random)),
        deadline_(now() + 3600 * kSecond) {}

  void create() {
    Change change;
    change.put(Table::sessions, Key{}.add(session_), SessionRow{"mail", "alice", now()});
    change.put(Table::keys, message_key_row(session_, "first"), MessageKeyRow{"first", run_});
    change.put(Table::runs, Key{}.add(run_), RunRow{session_, "mail", 3, "main", "alice", now()});
    change.put(Table::open, Key{}.add(session_), OpenRow{run_});
    change.put(Table::due, due_row(deadline_, run_, DueRow::What::deadline),
               DueRow{DueRow::What::deadline, {}, 0, now()});
    const Sample input = text_sample(12);
    RunCreated created{"mail", 3, "main", "alice", "first", input.first, input.second, 5, now()};
    created.caller = caller();
    created.deadline = deadline_;
    change.append(run_, count_++, created);
    finish(std::move(change), RunStatus::running);
  }
  void steps() {
    Change change;
    change.append(run_, count_++, VersionMark{"fee", 2, now()});
    ended(change, StepKind::sleep, {1}, "sleep");
    ended(change, StepKind::receive, {2}, "approval");
    ended(change, StepKind::call, {3, 0}, "pay/bob add");
    ended(change, StepKind::send, {3, 1}, "pay/bob note");
    ended(change, StepKind::spawn, {4}, "pay/bob add");
    ended(change, StepKind::join, {5}, "pay/bob add");
    change.append(run_, count_++, VersionMark{"größe", 70'000, now()});
    finish(std::move(change), RunStatus::running);
  }
  void cancel() {
    const std::int64_t grace_ms = 30'000;
    Change change;
    change.append(run_, count_++,
                  CancelRequested{Code::timeout, "ann", "it takes too long", grace_ms, now()});
    change.put(Table::due, due_row(now() + grace_ms * 1000, run_, DueRow::What::grace),
               DueRow{DueRow::What::grace, {}, 0, now()});
    finish(std::move(change), RunStatus::running);
  }
  void wait() {
    Change change;
    put_wait(change, {StepKind::sleep, sleep_, "sleep", now(), now() + 60 * kSecond, 1, {}, {}});
    put_wait(change, {StepKind::receive, receive_, "approval", now(), now() + kSecond, 0, {}, {}});
    put_wait(change, {StepKind::receive, ever_, "enough", now(), 0, 0, {}, {}});
    put_wait(change, {StepKind::call, call_, "pay/bob add", now(), 0, 0, session_hash("pay", "bob"),
                      core::draw_run_id(clock_, random_)});
    put_wait(change, {StepKind::join, join_, "pay/bob add", now(), 0, 0, session_hash("pay", "bob"),
                      core::draw_run_id(clock_, random_)});
    change.put(Table::due, due_row(1, run_, DueRow::What::circle),
               DueRow{DueRow::What::circle, {}, 0, 1});
    const Sample value = text_sample(30);
    for (const std::string name : {"total", "größe"}) {
      change.put(Table::state, state_row(session_, name),
                 StateRow{name, value.first, 0, value.second});
      const bool was_there = name == "total";
      change.put(Table::before, before_row(run_, name),
                 StateRow{name, value.first, static_cast<std::uint8_t>(was_there ? 0 : 1),
                          was_there ? core::ByteView(value.second) : core::ByteView{}});
    }
    finish(std::move(change), RunStatus::waiting);
  }
  /// One whose message nobody has looked at, one whose run has ended, one whose message was
  /// refused, and one that another process may have begun.
  void children() {
    const RunId ended = core::draw_run_id(clock_, random_);
    end_at_once(ended, "pay", "carol");
    Change change;
    put_child(change, {Path{4}, "pay", "bob", core::draw_run_id(clock_, random_), ParentEnd::wait});
    put_child(change, {Path{6, 1}, "pay", "carol", ended, ParentEnd::cancel, 1});
    const Error busy{Code::busy, "später", true, std::chrono::milliseconds(5)};
    put_child(change, {Path{7}, "pay", "bob", core::draw_run_id(clock_, random_), ParentEnd::cancel,
                       1, view_of(busy)});
    put_child(change,
              {Path{8}, "größe", "東京", core::draw_run_id(clock_, random_), ParentEnd::abandon});
    submit(std::move(change));
  }
  void keep() {
    for (const Stamp in : {0 * kSecond, 90 * kSecond, 0 * kSecond}) {
      ArrivalRow row = message("add");
      row.due = in == 0 ? 0 : now() + in;
      row.by_wall_clock = in == 0 ? 0 : 1;
      row.deadline = deadline_;
      Change change;
      change.put(Table::runs, Key{}.add(*row.run),
                 RunRow{session_, "mail", 3, "add", "alice", now(), 1});
      if (row.due != 0)
        change.put(Table::due, due_row(row.due, *row.run, DueRow::What::message),
                   DueRow{DueRow::What::message, {}, row.by_wall_clock, now(), session_});
      put_arrival(std::move(change), Table::kept, row);
    }
    ArrivalRow joined = message("main");
    joined.other = run_;
    joined.caller = caller();
    joined.message_key = "first";
    put_arrival({}, Table::kept, joined);
    ArrivalRow signal = arrival(What::signal, "approval");
    put_arrival({}, Table::kept, signal);
    signal.run = run_;
    put_arrival({}, Table::kept, signal);
  }
  void come() {
    ArrivalRow call = message("add");
    call.caller = caller();
    call.message_key = "twice";
    put_arrival({}, Table::inbox, call);
    put_arrival({}, Table::inbox, arrival(What::signal, "größe"));
    ArrivalRow reply = arrival(What::reply, "");
    reply.run = run_;
    reply.path = call_;
    reply.other = core::draw_run_id(clock_, random_);
    put_arrival({}, Table::inbox, reply);
    reply.error = ErrorView{Code::busy, "later", {}, {}, ErrorEffect::refused};
    put_arrival({}, Table::inbox, reply);
    for (const What what : {What::cancel, What::kill, What::retry_now}) {
      ArrivalRow asked = arrival(what, "");
      asked.run = run_;
      asked.who = "ann";
      asked.why = "it takes\ntoo long";
      asked.grace_ms = 30'000;
      put_arrival({}, Table::inbox, asked);
    }
    ArrivalRow raise = arrival(What::raise, "");
    raise.run = run_;
    raise.who = "ann";
    raise.limits = {.money = 0, .gpu_us = 5, .wall_us = 1LL << 60U};
    put_arrival({}, Table::inbox, raise);
    ArrivalRow unread = message("add");
    unread.session_key = "nobody yet";
    put_arrival({}, Table::inbox, unread, session_hash("mail", "nobody yet"));
  }

 private:
  [[nodiscard]] Stamp now() const { return clock_.wall().time_since_epoch().count(); }
  [[nodiscard]] Caller caller() const {
    return {session_hash("shop", "s"), "shop", "s", caller_, call_};
  }
  [[nodiscard]] ArrivalRow arrival(What what, std::string_view name) const {
    ArrivalRow row;
    row.what = what;
    row.agent = "mail";
    row.session_key = "alice";
    row.name = name;
    row.stamp = now();
    if (name.empty()) return row;
    row.type = value_.first;
    row.payload = value_.second;
    return row;
  }
  [[nodiscard]] ArrivalRow message(std::string_view name) {
    ArrivalRow row = arrival(What::message, name);
    row.agent_version = 3;
    row.run = core::draw_run_id(clock_, random_);
    return row;
  }
  void put_wait(Change& change, const WaitRow& row) {
    const StepPath path(row.path);
    change.put(Table::waits, Key{}.add(run_).add(path.hash()), row);
    if (row.due != 0)
      change.put(Table::due, due_row(row.due, run_, path),
                 DueRow{DueRow::What::wait, row.path, row.by_wall_clock, row.begun});
    change.erase(Table::ready, Key{}.add(run_));
  }
  struct ChildSample {
    Path path;
    std::string_view agent;
    std::string_view session_key;
    RunId run;
    ParentEnd parent_end = ParentEnd::wait;
    std::uint8_t ended = 0;
    std::optional<ErrorView> error = {};
  };
  void put_child(Change& change, const ChildSample& child) {
    change.put(Table::children, Key{}.add(run_).add(StepPath(child.path).hash()),
               ChildRow{child.path, session_hash(child.agent, child.session_key), child.agent,
                        child.session_key, child.run, child.parent_end, child.ended, child.error});
  }
  /// A run of a session of its own, which has ended.
  void end_at_once(const RunId& run, std::string_view agent, std::string_view key) {
    const SessionId session = session_hash(agent, key);
    Change change;
    change.put(Table::sessions, Key{}.add(session), SessionRow{agent, key, now()});
    change.put(Table::runs, Key{}.add(run), RunRow{session, agent, 3, "main", key, now()});
    RunCreated created{agent, 3, "main", key, "", "void", {}, 5, now()};
    created.caller = Caller{session_, "mail", "alice", run_, call_};
    change.append(run, 0, created);
    change.append(run, 1, RunEnded{now(), "void", std::nullopt, {}});
    change.put(Table::records, Key{}.add(run).add(kHeadIndex),
               HeadRow{2, RunStatus::completed, now(), Code::user, ""});
    submit(std::move(change));
  }
  void put_arrival(Change&& change, Table table, const ArrivalRow& row) {
    put_arrival(std::move(change), table, row, session_);
  }
  void put_arrival(Change&& change, Table table, const ArrivalRow& row, const SessionId& to) {
    change.put_numbered(table, Key{}.add(to), row);
    submit(std::move(change));
  }
  void ended(Change& change, StepKind kind, const Path& path, const std::string& name) {
    const bool has_value = kind == StepKind::receive;
    StepResult record;
    record.path = path;
    record.step_kind = kind;
    record.name = name;
    record.type = has_value ? std::string_view(value_.first) : "void";
    record.stamp = now();
    const Error busy{Code::busy, "later"};
    if (kind == StepKind::call) record.error = view_of(busy);
    if (has_value) record.payload = value_.second;
    change.append(run_, count_++, record);
  }
  void finish(Change&& change, RunStatus status) {
    if (status == RunStatus::running) change.put(Table::ready, Key{}.add(run_), ReadyRow{session_});
    change.put(Table::records, Key{}.add(run_).add(kHeadIndex),
               HeadRow{count_, status, now(), Code::user, ""});
    submit(std::move(change));
  }
  void submit(Change&& change) {
    static_cast<void>(checked(writer_.submit(std::move(change), Admission::new_work)));
    writer_.commit_here();
    clock_.advance(std::chrono::milliseconds(3));
  }

  Writer& writer_;
  core::ManualClock& clock_;
  core::Random& random_;
  const SessionId session_ = session_hash("mail", "alice");
  const RunId run_;
  const RunId caller_ = core::draw_run_id(clock_, random_);
  const Stamp deadline_;
  const Sample value_ = text_sample(20);
  const Path sleep_{10};
  const Path receive_{11, 0};
  const Path ever_{11, 1};
  const Path call_{12, 2, 7};
  const Path join_{13};
  std::uint32_t count_ = 0;
};

}  // namespace

void write_sessions(Writer& writer, core::ManualClock& clock, core::Random& random) {
  MailSession session(writer, clock, random);
  session.create();
  session.steps();
  session.cancel();
  session.wait();
  session.children();
  session.keep();
  session.come();
}

}  // namespace perdure::format_test
