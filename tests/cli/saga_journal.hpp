/// What the tests about sagas share: a journal with sagas in all their states, and how it is shown.
#pragma once

#include "cli/find_saga.hpp"
#include "cli/saga_show.hpp"
#include "cli/sagas.hpp"
#include "core/ids.hpp"
#include "journal/memory_store.hpp"
#include "saga/pay_order.hpp"
#include "tests/cli/journal_builder.hpp"

namespace perdure::cli {

class SagaJournalTest : public testing::Test {
 protected:
  std::string listed(SagasRequest::Which which = SagasRequest::Which::unfinished,
                     Format format = Format::text) {
    TestScreen shown(builder.now(), format);
    journal::Reader reader = reader_of(store);
    const auto result = list_sagas(reader, {which}, shown.screen);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return shown.text();
  }
  std::string shown(std::uint32_t saga, Format format = Format::text) {
    TestScreen screen(builder.now(), format);
    journal::Reader reader = reader_of(store);
    const auto result = show_saga(reader, {run, saga}, std::nullopt, screen.screen);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return screen.text();
  }
  /// The `index`-th action of a saga, undone by `cancel NAME`.
  static journal::StoredUndo action(std::uint32_t index, const std::string& name,
                                    journal::UndoState state) {
    journal::StoredUndo undo;
    undo.index = index;
    undo.path = {index + 1};
    undo.name = "book " + name;
    undo.tool = undo.name;
    undo.undo = "cancel " + name;
    undo.output_type = "string";
    undo.state = state;
    if (state == journal::UndoState::happened) undo.ended = 2 * index + 2;
    return undo;
  }
  static journal::StoredSaga in_state(journal::SagaState state) {
    journal::StoredSaga saga;
    saga.state = state;
    return saga;
  }
  [[nodiscard]] std::string id(std::uint32_t saga) const { return journal::saga_id(run, saga); }
  /// A saga that ann aborted, of three actions: the last is undone, that of the hotel is stuck.
  void stuck_saga() {
    using journal::UndoState;
    journal::StoredSaga saga = in_state(journal::SagaState::stuck);
    saga.code = Code::saga_aborted;
    saga.who = "ann";
    saga.why = "saga 'trip' is stuck: no answer";
    saga.stuck = 1;
    saga.paid_with = 1;
    builder.saga(run, 1, saga);
    builder.undo(run, 1, action(0, "flight", UndoState::happened));
    journal::StoredUndo hotel = action(1, "hotel", UndoState::stuck);
    hotel.error = Error{Code::unauthenticated, "no answer"};
    builder.undo(run, 1, hotel);
    builder.undo(run, 1, action(2, "car", UndoState::paid));
  }
  /// The run that undoes it: it has undone the car, and tries the hotel again.
  RunId pay() {
    saga::PayOrder order;
    order.what = "abort";
    order.run = to_string(run);
    order.saga = 1;
    order.name = "trip";
    order.code = "saga_aborted";
    order.who = "ann";
    order.why = "the trip is off";
    for (std::uint32_t index = 0; index < 3; ++index) {
      saga::OwedAction owed;
      owed.what = "undo";
      owed.saga = owed.of = 1;
      owed.index = index;
      order.owed.push_back(owed);
    }
    const RunId payer = builder.start(core::draw_run_id(builder.clock, random_), "perdure.saga",
                                      id(1), "abort", payload(order));
    builder.step(payer, {3, 1}, "cancel car", {}, "void");
    builder.failed_step(payer, {2, 1}, "cancel hotel", {Code::unauthenticated, "no answer"});
    const Path path{2, 2};
    const Error late{Code::timeout, "no answer yet"};
    journal::AttemptsRow row;
    row.path = path;
    row.name = "cancel hotel";
    row.count = 3;
    row.last_error = journal::view_of(late);
    row.last_stamp = builder.now();
    row.next_due = builder.now() + 60'000'000;
    builder.attempts(payer, row);
    return payer;
  }

  journal::MemoryStore store;
  JournalBuilder builder{store};
  const RunId run = builder.start("trip", "alice");

 private:
  core::SeededRandom random_{7};
};

}  // namespace perdure::cli
