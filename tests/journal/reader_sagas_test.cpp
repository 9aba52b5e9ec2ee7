// What the reader says of sagas, over both stores.

#include "journal/lmdb_store.hpp"
#include "journal/memory_store.hpp"
#include "journal/place.hpp"
#include "journal/reader.hpp"
#include "tests/journal/journal_fixture.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace perdure::journal {
namespace {

constexpr std::array<std::uint32_t, 2> kStep{3, 1};

SagaRow saga_named(std::string_view name, SagaState state) {
  SagaRow row;
  row.name = name;
  row.state = state;
  return row;
}

UndoRow undo_named(std::string_view name) {
  UndoRow row;
  row.path = kStep;
  row.name = name;
  row.undo = "cancel";
  row.payload = kPayload;
  return row;
}

class ReaderSagasTest : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    if (GetParam() == "memory") {
      store_ = std::make_unique<MemoryStore>();
    } else {
      ASSERT_TRUE(LmdbStore::create(directory_.path()));
      store_ = LmdbStore::open(directory_.path(), LmdbAccess::write).value();
    }
    TestRows rows;
    rows.put(Table::sagas, saga_row(run_id(1), 1), saga_named("of another run", SagaState::open));
    rows.put(Table::sagas, saga_row(run_id(2), 1), saga_named("trip", SagaState::stuck));
    rows.put(Table::sagas, saga_row(run_id(2), 300), saga_named("hotel", SagaState::committed));
    rows.put(Table::sagas, saga_row(run_id(3), 2), saga_named("last", SagaState::compensated));
    // Not all have an index: some were refused before they began.
    for (const std::uint32_t index : {0U, 2U, 300U})
      rows.put(Table::undos, undo_row(run_id(2), 1, index), undo_named(name_of(index)));
    rows.put(Table::undos, undo_row(run_id(2), 300, 0), undo_named("of another saga"));
    rows.put(Table::undos, undo_row(run_id(1), 1, 0), undo_named("of another run"));
    UndoStateRow state;
    state.state = UndoState::happened;
    state.ended = 4;
    rows.put(Table::undos, undo_state_row(run_id(2), 1, 0), state);
    state.state = UndoState::stuck;
    state.ended = 0;
    state.error = ErrorView{Code::busy, "later", {}, {}, {}};
    rows.put(Table::undos, undo_state_row(run_id(2), 1, 300), state);
    ASSERT_TRUE(rows.commit(*store_));
  }
  static std::string_view name_of(std::uint32_t index) {
    return index == 0 ? "book" : index == 2 ? "pay" : "board";
  }
  Reader reader() { return Reader::open(*store_).value(); }
  static std::string undo_place() {
    return "what is to be undone of saga 1 of run " + perdure::to_string(run_id(2));
  }

  std::unique_ptr<Store> store_;

 private:
  TemporaryDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(Stores, ReaderSagasTest, testing::Values("memory", "lmdb"),
                         [](const auto& which) { return std::string(which.param); });

TEST_P(ReaderSagasTest, TellsTheSagasOfARun) {
  const std::vector<StoredSaga> sagas = reader().sagas(run_id(2)).value();
  ASSERT_EQ(sagas.size(), 2U);
  EXPECT_EQ(sagas[0].run, run_id(2));
  EXPECT_EQ(sagas[0].number, 1U);
  EXPECT_EQ(sagas[0].name, "trip");
  EXPECT_EQ(sagas[0].state, SagaState::stuck);
  EXPECT_EQ(sagas[1].number, 300U);
  EXPECT_EQ(sagas[1].name, "hotel");
  EXPECT_TRUE(reader().sagas(run_id(77)).value().empty());
}

TEST_P(ReaderSagasTest, TellsOneSaga) {
  const std::optional<StoredSaga> saga = reader().saga(run_id(2), 300).value();
  ASSERT_TRUE(saga);
  EXPECT_EQ(saga->run, run_id(2));
  EXPECT_EQ(saga->number, 300U);
  EXPECT_EQ(saga->name, "hotel");
  EXPECT_FALSE(reader().saga(run_id(2), 2).value());
  EXPECT_FALSE(reader().saga(run_id(77), 1).value());
}

TEST_P(ReaderSagasTest, TellsAllSagasUntilItIsTold) {
  std::vector<std::string> names;
  ASSERT_TRUE(reader().each_saga([&](const StoredSaga& saga) {
    names.push_back(saga.name + " " + std::to_string(saga.number));
    return true;
  }));
  EXPECT_EQ(names, (std::vector<std::string>{"of another run 1", "trip 1", "hotel 300", "last 2"}));
  int seen = 0;
  ASSERT_TRUE(reader().each_saga([&](const StoredSaga& saga) {
    ++seen;
    return saga.run != run_id(2);
  }));
  EXPECT_EQ(seen, 2);
}

TEST_P(ReaderSagasTest, TellsWhatIsToBeUndoneAndWhatBecameOfIt) {
  const std::vector<StoredUndo> undos = reader().undos(run_id(2), 1).value();
  ASSERT_EQ(undos.size(), 3U);
  EXPECT_EQ(undos[0].index, 0U);
  EXPECT_EQ(undos[0].name, "book");
  EXPECT_EQ(undos[0].undo, "cancel");
  EXPECT_EQ(StepPath(undos[0].path).to_string(), "3.1");
  EXPECT_EQ(undos[0].state, UndoState::happened);
  EXPECT_EQ(undos[0].ended, 4U);
  EXPECT_FALSE(undos[0].error);
  EXPECT_EQ(undos[1].index, 2U);
  EXPECT_EQ(undos[1].name, "pay");
  EXPECT_EQ(undos[1].state, UndoState::registered);
  EXPECT_EQ(undos[2].index, 300U);
  EXPECT_EQ(undos[2].state, UndoState::stuck);
  ASSERT_TRUE(undos[2].error);
  EXPECT_EQ(undos[2].error->code, Code::busy);
  EXPECT_EQ(reader().undos(run_id(2), 300).value().size(), 1U);
  EXPECT_TRUE(reader().undos(run_id(2), 2).value().empty());
}

TEST_P(ReaderSagasTest, ReadsTheInputOfAnAction) {
  const core::Bytes input = reader().undo_input(run_id(2), 1, 2).value();
  EXPECT_TRUE(std::ranges::equal(input, kPayload));
  const Error none = reader().undo_input(run_id(2), 1, 1).error();
  EXPECT_EQ(none.code, Code::not_found);
  EXPECT_EQ(none.message, "action 1 of saga " + saga_id(run_id(2), 1) + " is not in the journal");
}

TEST_P(ReaderSagasTest, SaysWhenWhatBecameOfAnActionStandsAlone) {
  for (const std::uint32_t index : {1U, 301U}) {
    const Key key = undo_state_row(run_id(2), 1, index);
    ASSERT_TRUE(TestRows{}.put(Table::undos, key, UndoStateRow{}).commit(*store_));
    const Error error = reader().undos(run_id(2), 1).error();
    EXPECT_EQ(error.code, Code::corrupt);
    EXPECT_TRUE(
        error.message.starts_with(undo_place() + ": it speaks of an action that is not there"))
        << error.message;
    ASSERT_TRUE(TestRows{}.erase(Table::undos, key).commit(*store_));
  }
  // Other sagas can be read all the same.
  EXPECT_EQ(reader().undos(run_id(2), 300).value().size(), 1U);
}

TEST_P(ReaderSagasTest, SaysWhichRowIsDamaged) {
  const auto damage = [&](Table table, const Key& key) {
    ASSERT_TRUE(TestBatch{}.put(table, key, "damaged").commit(*store_));
  };
  damage(Table::undos, undo_row(run_id(2), 1, 2));
  const Error undo = reader().undos(run_id(2), 1).error();
  EXPECT_EQ(undo.code, Code::corrupt);
  EXPECT_TRUE(undo.message.starts_with(undo_place() + ": ")) << undo.message;
  EXPECT_EQ(reader().undo_input(run_id(2), 1, 2).error().code, Code::corrupt);
  EXPECT_TRUE(reader().undo_input(run_id(2), 1, 0));
  damage(Table::sagas, saga_row(run_id(2), 1));
  const std::string place = "saga 1 of run " + perdure::to_string(run_id(2)) + ": ";
  for (const Error& error : {reader().sagas(run_id(2)).error(), reader().saga(run_id(2), 1).error(),
                             reader().each_saga([](const StoredSaga&) { return true; }).error()}) {
    EXPECT_EQ(error.code, Code::corrupt);
    EXPECT_TRUE(error.message.starts_with(place)) << error.message;
  }
  EXPECT_EQ(reader().sagas(run_id(3)).value().size(), 1U);
}

TEST_P(ReaderSagasTest, SaysWhenARowIsOfAnotherSort) {
  ASSERT_TRUE(
      TestRows{}.put(Table::undos, undo_row(run_id(2), 1, 5), UndoStateRow{}).commit(*store_));
  EXPECT_EQ(reader().undos(run_id(2), 1).error().code, Code::corrupt);
  ASSERT_TRUE(TestRows{}
                  .put(Table::undos, undo_row(run_id(2), 1, 5), undo_named("pay"))
                  .put(Table::undos, undo_state_row(run_id(2), 1, 5), undo_named("pay"))
                  .commit(*store_));
  EXPECT_EQ(reader().undos(run_id(2), 1).error().code, Code::corrupt);
}

TEST_P(ReaderSagasTest, SaysWhenAKeyIsNone) {
  const Key key = Key{}.add(saga_row(run_id(2), 1).view()).add(std::uint64_t{0}).add(1U);
  ASSERT_TRUE(TestRows{}.put(Table::undos, key, undo_named("book")).commit(*store_));
  const Error error = reader().undos(run_id(2), 1).error();
  EXPECT_EQ(error.code, Code::corrupt);
  EXPECT_NE(error.message.find("its key is no key of an undo"), std::string::npos);
}

TEST(Place, SaysWhereSagasAre) {
  const std::string run = perdure::to_string(run_id(2));
  EXPECT_EQ(place_of(Table::sagas, saga_row(run_id(2), 258).view()), "saga 258 of run " + run);
  EXPECT_EQ(place_of(Table::undos, undo_row(run_id(2), 258, 1).view()),
            "what is to be undone of saga 258 of run " + run);
  EXPECT_EQ(place_of(Table::undos, undo_state_row(run_id(2), 258, 1).view()),
            "what is to be undone of saga 258 of run " + run);
  EXPECT_EQ(place_of(Table::sagas, Key{}.add(1U).view()), "row 00000001 of table sagas");
  EXPECT_EQ(place_of(Table::undos, Key{}.add(1U).view()), "row 00000001 of table undos");
}

}  // namespace
}  // namespace perdure::journal
