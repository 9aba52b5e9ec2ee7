// What sessions write comes back as it went in.

#include "tests/journal/records_fixture.hpp"

#include <optional>
#include <vector>

namespace perdure::journal {
namespace {

using core::as_bytes;

/// A session's id or a run's, of sixteen times the same byte.
template <class Id>
Id id_of(unsigned char byte) {
  Id id;
  id.bytes.fill(std::byte{byte});
  return id;
}

void expect_same(const std::optional<Caller>& caller) {
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->session, id_of<SessionId>(1));
  EXPECT_EQ(caller->agent, "shop");
  EXPECT_EQ(caller->session_key, "s");
  EXPECT_EQ(caller->run, id_of<RunId>(2));
  EXPECT_TRUE(same(caller->path, kPath));
}

TEST(Records, WhatSessionsWriteIntoRunsComesBack) {
  RecordBuffer buffer;
  RunCreated created;
  created.caller = Caller{id_of<SessionId>(1), "shop", "s", id_of<RunId>(2), kPath};
  created.deadline = 77;
  const RunCreated started = reload(buffer, created);
  expect_same(started.caller);
  EXPECT_EQ(started.deadline, 77);
  EXPECT_FALSE(reload(buffer, RunCreated{}).caller);
  const VersionMark mark = reload(buffer, VersionMark{"fee", 3, 9});
  EXPECT_EQ(mark.name, "fee");
  EXPECT_EQ(mark.version, 3U);
  EXPECT_EQ(mark.stamp, 9);
  const CancelRequested cancel =
      reload(buffer, CancelRequested{Code::timeout, "ann", "late", 30'000, 9});
  EXPECT_EQ(cancel.code, Code::timeout);
  EXPECT_EQ(cancel.who, "ann");
  EXPECT_EQ(cancel.why, "late");
  EXPECT_EQ(cancel.grace_ms, 30'000);
  EXPECT_EQ(cancel.stamp, 9);
  RunRow run;
  run.queued = 1;
  EXPECT_EQ(reload(buffer, run).queued, 1);
  EXPECT_EQ(reload(buffer, RunRow{}).queued, 0);
}

TEST(Records, RowsOfSessionsComeBack) {
  RecordBuffer buffer;
  EXPECT_EQ(reload(buffer, OpenRow{id_of<RunId>(3)}).run, id_of<RunId>(3));
  const DueRow due =
      reload(buffer, DueRow{DueRow::What::message, kPath, 1, 5, id_of<SessionId>(4)});
  EXPECT_EQ(due.what, DueRow::What::message);
  EXPECT_TRUE(same(due.path, kPath));
  EXPECT_EQ(due.by_wall_clock, 1);
  EXPECT_EQ(due.begun, 5);
  EXPECT_EQ(due.session, id_of<SessionId>(4));
  EXPECT_FALSE(reload(buffer, DueRow{}).session);
  const WaitRow wait = reload(
      buffer, WaitRow{StepKind::call, kPath, "pay", 5, 6, 1, id_of<SessionId>(4), id_of<RunId>(3)});
  EXPECT_EQ(wait.step_kind, StepKind::call);
  EXPECT_TRUE(same(wait.path, kPath));
  EXPECT_EQ(wait.name, "pay");
  EXPECT_EQ(wait.begun, 5);
  EXPECT_EQ(wait.due, 6);
  EXPECT_EQ(wait.by_wall_clock, 1);
  EXPECT_EQ(wait.session, id_of<SessionId>(4));
  EXPECT_EQ(wait.run, id_of<RunId>(3));
  EXPECT_FALSE(reload(buffer, WaitRow{}).run);
  const StateRow state = reload(buffer, StateRow{"total", "i32", 1, as_bytes("v")});
  EXPECT_EQ(state.name, "total");
  EXPECT_EQ(state.type, "i32");
  EXPECT_EQ(state.absent, 1);
  EXPECT_TRUE(same(state.payload.inlined(), as_bytes("v")));
}

TEST(Records, ChildrenComeBack) {
  RecordBuffer buffer;
  ChildRow in{kPath, id_of<SessionId>(4), "pay", "bob", id_of<RunId>(3), ParentEnd::wait, 1, {}};
  in.error = ErrorView{Code::busy, "later", {}, {}, ErrorEffect::refused};
  const ChildRow out = reload(buffer, in);
  EXPECT_TRUE(same(out.path, kPath));
  EXPECT_EQ(out.session, in.session);
  EXPECT_EQ(out.agent, "pay");
  EXPECT_EQ(out.session_key, "bob");
  EXPECT_EQ(out.run, in.run);
  EXPECT_EQ(out.parent_end, ParentEnd::wait);
  EXPECT_EQ(out.ended, 1);
  ASSERT_TRUE(out.error);
  EXPECT_EQ(out.error->code, Code::busy);
  EXPECT_EQ(out.error->effect, ErrorEffect::refused);
  const ChildRow none = reload(buffer, ChildRow{});
  EXPECT_EQ(none.parent_end, ParentEnd::cancel);
  EXPECT_EQ(none.ended, 0);
  EXPECT_FALSE(none.error);
}

TEST(Records, BudgetsComeBack) {
  RecordBuffer buffer;
  const Limits some{.money = 0, .gpu_us = 5, .wall_us = 1LL << 62U};
  const BudgetRow budget = reload(buffer, BudgetRow{some, 1, -7, "ann", 9});
  EXPECT_EQ(budget.limits, some);
  EXPECT_EQ(budget.fails_steps, 1);
  EXPECT_EQ(budget.created, -7);
  EXPECT_EQ(budget.raised_by, "ann");
  EXPECT_EQ(budget.raised, 9);
  EXPECT_EQ(reload(buffer, BudgetRow{}).limits, Limits{});
  const UsageRow usage = reload(buffer, UsageRow{{1, 2, 3, 4}, {5, 6, 7, 8}, {1, 0, 3, 0}});
  EXPECT_EQ(usage.used, (Amounts{1, 2, 3, 4}));
  EXPECT_EQ(usage.reserved, (Amounts{5, 6, 7, 8}));
  EXPECT_EQ(usage.assumed, (Amounts{1, 0, 3, 0}));
  EXPECT_EQ(reload(buffer, UsageRow{}).used, Amounts{});
  EXPECT_EQ(view_of(owned(budget)).limits, some);
}

TEST(Records, BudgetsThatRunsDrawOnComeBack) {
  RecordBuffer buffer;
  const std::vector<RunId> payers{id_of<RunId>(7), id_of<RunId>(8)};
  RunCreated created;
  created.payers = ids_of(payers);
  created.caller = Caller{id_of<SessionId>(1), "shop", "s", id_of<RunId>(2), kPath, ids_of(payers)};
  const RunCreated out = reload(buffer, created);
  EXPECT_EQ(payers_of(out.payers), payers);
  EXPECT_EQ(payers_of(out.caller->payers), payers);
  EXPECT_TRUE(payers_of(reload(buffer, RunCreated{}).payers).empty());
  ArrivalRow raise;
  raise.what = ArrivalRow::What::raise;
  raise.limits = {.tokens = 5};
  EXPECT_EQ(reload(buffer, raise).limits, raise.limits);
}

TEST(Records, ABudgetThatNobodyWritesIsDamage) {
  RecordBuffer buffer;
  const auto code_of = [&]<class T>(const T& value) {
    EXPECT_TRUE(buffer.load(kKey.view(), sealed(value)));
    return buffer.as<T>().error().code;
  };
  EXPECT_EQ(code_of(BudgetRow{.limits = {.tokens = -1}}), Code::corrupt);
  EXPECT_EQ(code_of(UsageRow{.used = {.gpu_us = -1}, .reserved = {}, .assumed = {}}),
            Code::corrupt);
  EXPECT_EQ(code_of(UsageRow{.used = {}, .reserved = {.attempts = -1}, .assumed = {}}),
            Code::corrupt);
  const core::Bytes part(15);
  RunCreated created;
  created.payers = part;
  EXPECT_EQ(code_of(created), Code::corrupt);
  const std::vector<RunId> many(core::limits::kNestedBudgets + 1);
  created.payers = ids_of(many);
  EXPECT_EQ(check_limits(created).error().code, Code::too_large);
}

TEST(Records, ArrivalsComeBack) {
  RecordBuffer buffer;
  ArrivalRow in;
  in.what = ArrivalRow::What::reply;
  in.agent = "cart";
  in.session_key = "alice";
  in.name = "add";
  in.type = "Order";
  in.payload = as_bytes("bytes");
  in.message_key = "once";
  in.agent_version = 4;
  in.run = id_of<RunId>(5);
  in.path = kPath;
  in.other = id_of<RunId>(6);
  in.caller = Caller{id_of<SessionId>(1), "shop", "s", id_of<RunId>(2), kPath};
  in.due = 7;
  in.by_wall_clock = 1;
  in.deadline = 8;
  in.error = ErrorView{Code::busy, "later", {}, {}, {}};
  in.who = "ann";
  in.why = "late";
  in.grace_ms = 9;
  in.stamp = 10;
  const ArrivalRow out = reload(buffer, in);
  EXPECT_EQ(out.what, in.what);
  EXPECT_EQ(out.agent, in.agent);
  EXPECT_EQ(out.session_key, in.session_key);
  EXPECT_EQ(out.name, in.name);
  EXPECT_EQ(out.type, in.type);
  EXPECT_TRUE(same(out.payload, in.payload));
  EXPECT_EQ(out.message_key, in.message_key);
  EXPECT_EQ(out.agent_version, in.agent_version);
  EXPECT_EQ(out.run, in.run);
  EXPECT_TRUE(same(out.path, kPath));
  EXPECT_EQ(out.other, in.other);
  expect_same(out.caller);
  EXPECT_EQ(out.due, in.due);
  EXPECT_EQ(out.by_wall_clock, in.by_wall_clock);
  EXPECT_EQ(out.deadline, in.deadline);
  ASSERT_TRUE(out.error);
  EXPECT_EQ(out.error->code, Code::busy);
  EXPECT_EQ(out.who, in.who);
  EXPECT_EQ(out.why, in.why);
  EXPECT_EQ(out.grace_ms, in.grace_ms);
  EXPECT_EQ(out.stamp, in.stamp);
  const ArrivalRow none = reload(buffer, ArrivalRow{});
  EXPECT_FALSE(none.run || none.other || none.caller || none.error);
}

}  // namespace
}  // namespace perdure::journal
