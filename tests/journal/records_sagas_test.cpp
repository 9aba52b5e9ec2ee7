// What is written of sagas comes back as it went in, and within limits.

#include "journal/arrival.hpp"
#include "journal/change.hpp"
#include "tests/journal/records_fixture.hpp"

#include <optional>
#include <string>
#include <vector>

namespace perdure::journal {
namespace {

using core::as_bytes;

RunId run_of(unsigned char byte) {
  RunId id;
  id.bytes.fill(std::byte{byte});
  return id;
}

SagaRow saga_sample() {
  SagaRow row;
  row.name = "trip";
  row.state = SagaState::stuck;
  row.created = 5;
  row.changed = -6;
  row.stuck = 3;
  row.parent_run = run_of(7);
  row.parent = 2;
  row.parallel = 1;
  row.goes_on = 1;
  row.code = Code::timeout;
  row.who = "ann";
  row.why = "late";
  row.deadline = 8;
  row.reaches_parked = 1;
  row.paid_with = 4;
  return row;
}

UndoRow undo_sample() {
  UndoRow row;
  row.what = UndoWhat::run;
  row.path = kPath;
  row.name = "book";
  row.tool = "hotel.book";
  row.undo = "hotel.cancel";
  row.input_type = "Order";
  row.output_type = "Booking";
  row.payload = as_bytes("bytes");
  row.settle_ms = 9;
  row.begun = 10;
  row.stamp = 11;
  row.saga = 12;
  row.run = run_of(8);
  row.agent = "pay";
  row.session_key = "bob";
  return row;
}

UndoStateRow state_sample() {
  UndoStateRow row;
  row.state = UndoState::marked;
  row.ended = 7;
  row.not_before = 8;
  row.error = ErrorView{Code::busy, "later", {}, {}, ErrorEffect::refused};
  row.who = "ann";
  row.why = "by phone";
  row.stamp = 9;
  return row;
}

void expect_same(const SagaRow& row, const SagaRow& out) {
  EXPECT_EQ(out.name, row.name);
  EXPECT_EQ(out.state, row.state);
  EXPECT_EQ(out.created, row.created);
  EXPECT_EQ(out.changed, row.changed);
  EXPECT_EQ(out.stuck, row.stuck);
  EXPECT_EQ(out.parent_run, row.parent_run);
  EXPECT_EQ(out.parent, row.parent);
  EXPECT_EQ(out.parallel, row.parallel);
  EXPECT_EQ(out.goes_on, row.goes_on);
  EXPECT_EQ(out.code, row.code);
  EXPECT_EQ(out.who, row.who);
  EXPECT_EQ(out.why, row.why);
  EXPECT_EQ(out.deadline, row.deadline);
  EXPECT_EQ(out.reaches_parked, row.reaches_parked);
  EXPECT_EQ(out.paid_with, row.paid_with);
}

/// But for the payload.
void expect_same(const UndoRow& row, const UndoRow& out) {
  EXPECT_EQ(out.what, row.what);
  EXPECT_TRUE(same(out.path, row.path));
  EXPECT_EQ(out.name, row.name);
  EXPECT_EQ(out.tool, row.tool);
  EXPECT_EQ(out.undo, row.undo);
  EXPECT_EQ(out.input_type, row.input_type);
  EXPECT_EQ(out.output_type, row.output_type);
  EXPECT_EQ(out.settle_ms, row.settle_ms);
  EXPECT_EQ(out.begun, row.begun);
  EXPECT_EQ(out.stamp, row.stamp);
  EXPECT_EQ(out.saga, row.saga);
  EXPECT_EQ(out.run, row.run);
  EXPECT_EQ(out.agent, row.agent);
  EXPECT_EQ(out.session_key, row.session_key);
}

void expect_same(const UndoStateRow& row, const UndoStateRow& out) {
  EXPECT_EQ(out.state, row.state);
  EXPECT_EQ(out.ended, row.ended);
  EXPECT_EQ(out.not_before, row.not_before);
  ASSERT_EQ(out.error.has_value(), row.error.has_value());
  if (row.error) {
    EXPECT_EQ(to_error(*out.error), to_error(*row.error));
  }
  EXPECT_EQ(out.who, row.who);
  EXPECT_EQ(out.why, row.why);
  EXPECT_EQ(out.stamp, row.stamp);
}

TEST(Records, AbortsOfSagasComeBack) {
  RecordBuffer buffer;
  const SagaAborted out = reload(buffer, SagaAborted{kAllSagas, Code::timeout, "ann", "late", 9});
  EXPECT_EQ(out.saga, kAllSagas);
  EXPECT_EQ(out.code, Code::timeout);
  EXPECT_EQ(out.who, "ann");
  EXPECT_EQ(out.why, "late");
  EXPECT_EQ(out.stamp, 9);
  EXPECT_EQ(reload(buffer, SagaAborted{}).code, Code::saga_aborted);
}

TEST(Records, SagasComeBack) {
  RecordBuffer buffer;
  expect_same(saga_sample(), reload(buffer, saga_sample()));
  expect_same(SagaRow{}, reload(buffer, SagaRow{}));
}

TEST(Records, WhatIsToBeUndoneComesBack) {
  RecordBuffer buffer;
  const UndoRow in = undo_sample();
  const UndoRow out = reload(buffer, in);
  expect_same(in, out);
  EXPECT_TRUE(same(out.payload, in.payload));
  expect_same(UndoRow{}, reload(buffer, UndoRow{}));
  UndoRow large;
  large.payload = BlobRef{{}, 7};
  EXPECT_TRUE(same(reload(buffer, large).payload, large.payload));
}

TEST(Records, WhatBecameOfAnActionComesBack) {
  RecordBuffer buffer;
  expect_same(state_sample(), reload(buffer, state_sample()));
  expect_same(UndoStateRow{}, reload(buffer, UndoStateRow{}));
}

TEST(Records, WhatSessionsTellOfSagasComesBack) {
  RecordBuffer buffer;
  ArrivalRow abort;
  abort.what = ArrivalRow::What::abort_saga;
  abort.saga = kAllSagas;
  abort.caller = Caller{{}, "perdure.saga", "s", run_of(2), kPath, {}, 3};
  const ArrivalRow out = reload(buffer, abort);
  EXPECT_EQ(out.what, ArrivalRow::What::abort_saga);
  EXPECT_EQ(out.saga, kAllSagas);
  ASSERT_TRUE(out.caller);
  EXPECT_EQ(out.caller->saga, 3U);
  const Arrival owned_one = owned(out, 1);
  EXPECT_EQ(view_of(owned_one).saga, kAllSagas);
  EXPECT_EQ(view_of(owned_one).caller->saga, 3U);
  abort.what = ArrivalRow::What::saga_told;
  EXPECT_EQ(reload(buffer, abort).what, ArrivalRow::What::saga_told);
  EXPECT_EQ(reload(buffer, ArrivalRow{}).saga, 0U);
  const std::array<std::uint32_t, 2> path{0, 1};
  EXPECT_EQ(reload(buffer, DueRow{DueRow::What::saga, path}).what, DueRow::What::saga);
  for (const StepKind kind : {StepKind::commit, StepKind::compensate})
    EXPECT_EQ(reload(buffer, WaitRow{kind, path, {}}).step_kind, kind);
}

TEST(Records, SagasAreOwned) {
  const StoredSaga saga = owned(run_of(1), 6, saga_sample());
  EXPECT_EQ(saga.run, run_of(1));
  EXPECT_EQ(saga.number, 6U);
  expect_same(saga_sample(), view_of(saga));
  const StoredSaga plain = owned(run_of(1), 6, SagaRow{});
  EXPECT_FALSE(plain.parallel || plain.goes_on || plain.reaches_parked);
  expect_same(SagaRow{}, view_of(plain));
}

TEST(Records, WhatIsToBeUndoneIsOwned) {
  StoredUndo undo = owned(6, undo_sample());
  EXPECT_EQ(undo.index, 6U);
  EXPECT_EQ(undo.state, UndoState::registered);
  expect_same(undo_sample(), view_of(undo));
  add_state(undo, state_sample());
  expect_same(state_sample(), state_of(undo));
  expect_same(undo_sample(), view_of(undo));
  // The error of what was known before does not stay.
  add_state(undo, UndoStateRow{});
  expect_same(UndoStateRow{}, state_of(undo));
}

TEST(Records, UnknownNumbersInSagasAreNewer) {
  RecordBuffer buffer;
  const auto code_of = [&]<class T>(const T& value) {
    EXPECT_TRUE(buffer.load(kKey.view(), sealed(value)));
    return buffer.as<T>().error().code;
  };
  SagaRow saga;
  saga.state = static_cast<SagaState>(7);
  EXPECT_EQ(code_of(saga), Code::newer_format);
  saga = {};
  saga.code = static_cast<Code>(999);
  EXPECT_EQ(code_of(saga), Code::newer_format);
  UndoRow undo;
  undo.what = static_cast<UndoWhat>(5);
  EXPECT_EQ(code_of(undo), Code::newer_format);
  UndoStateRow state;
  state.state = static_cast<UndoState>(8);
  EXPECT_EQ(code_of(state), Code::newer_format);
  EXPECT_EQ(code_of(SagaAborted{.code = static_cast<Code>(999), .who = {}, .why = {}}),
            Code::newer_format);
}

TEST(Records, SagasKeepTheLimits) {
  const auto refusal = [](const auto& value) {
    Change change;
    change.put(Table::meta, Key{}, value);
    return change.refusal() ? change.refusal()->message : std::string();
  };
  const std::string name(core::limits::kNameBytes + 1, 'n');
  const std::string key(core::limits::kKeyBytes + 1, 'k');
  const core::Bytes payload(core::limits::kInlinePayloadBytes + 1);
  const std::vector<std::uint32_t> path(core::limits::kPathDepth + 1, 1);
  const std::string of_name = " has 257 bytes, the limit kNameBytes is 256";
  const std::string of_key = " has 1025 bytes, the limit kKeyBytes is 1024";
  EXPECT_EQ(refusal(SagaAborted{.who = name, .why = {}}),
            "the name of who aborts the saga" + of_name);
  EXPECT_EQ(refusal(SagaRow{.name = name, .who = {}, .why = {}}), "the saga's name" + of_name);
  EXPECT_EQ(refusal(SagaRow{.name = {}, .who = name, .why = {}}),
            "the name of who aborts it" + of_name);
  const auto of_undo = [&](auto UndoRow::* field, const auto& value) {
    UndoRow row;
    row.*field = value;
    return refusal(row);
  };
  EXPECT_EQ(of_undo(&UndoRow::path, path),
            "a step path has 65 components, the limit kPathDepth is 64");
  EXPECT_EQ(of_undo(&UndoRow::name, name), "the step's name" + of_name);
  EXPECT_EQ(of_undo(&UndoRow::tool, name), "the tool's name" + of_name);
  EXPECT_EQ(of_undo(&UndoRow::undo, name), "the compensation's name" + of_name);
  EXPECT_EQ(of_undo(&UndoRow::input_type, key), "the input's type name" + of_key);
  EXPECT_EQ(of_undo(&UndoRow::output_type, key), "the output's type name" + of_key);
  EXPECT_EQ(of_undo(&UndoRow::agent, name), "the agent's name" + of_name);
  EXPECT_EQ(of_undo(&UndoRow::session_key, key), "the session key" + of_key);
  EXPECT_NE(of_undo(&UndoRow::payload, core::ByteView(payload)).find("the action's input has "),
            std::string::npos);
  UndoStateRow state;
  state.who = name;
  EXPECT_EQ(refusal(state), "the name of who decided" + of_name);
}

TEST(Records, LongReasonsOfSagasAreCut) {
  const std::string why(core::limits::kErrorMessageBytes + 1, 'w');
  RecordBuffer buffer;
  SagaRow saga;
  saga.why = why;
  EXPECT_EQ(reload(buffer, saga).why.size(), core::limits::kErrorMessageBytes);
  UndoStateRow state;
  state.why = why;
  EXPECT_EQ(reload(buffer, state).why.size(), core::limits::kErrorMessageBytes);
  const SagaAborted aborted{.who = {}, .why = why};
  EXPECT_EQ(reload(buffer, aborted).why.size(), core::limits::kErrorMessageBytes);
}

TEST(SagaId, IsTheRunAndTheNumber) {
  const RunId run = run_of(0x5A);
  const std::string text = saga_id(run, 12);
  EXPECT_EQ(text, perdure::to_string(run) + ".12");
  const SagaId id = parse_saga_id(text).value();
  EXPECT_EQ(id.run, run);
  EXPECT_EQ(id.number, 12U);
  EXPECT_EQ(parse_saga_id(saga_id(run, kAllSagas - 1)).value().number, kAllSagas - 1);
}

TEST(SagaId, SaysHowOneLooks) {
  const std::string run = perdure::to_string(run_of(0x5A));
  for (const std::string& text :
       {std::string(), std::string("."), run, run + ".", run + ".0", run + ".4294967295",
        run + ".4294967296", run + ".-1", run + ".+1", run + ".1 ", run + ". 1", run + ".1.2",
        run + ".x", std::string(".1"), run.substr(1) + ".1", std::string("no run.1")}) {
    const Result<SagaId> parsed = parse_saga_id(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::misuse);
    EXPECT_NE(parsed.error().message.find("a run's id, a dot and a number"), std::string::npos);
  }
  const std::string long_one = parse_saga_id(std::string(1000, 'x')).error().message;
  EXPECT_LT(long_one.size(), 250U);
}

}  // namespace
}  // namespace perdure::journal
