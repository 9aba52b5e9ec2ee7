#include <array>
#include <numeric>

#include "journal/batch.hpp"
#include "tests/journal/writer_fixture.hpp"

namespace perdure::journal {
namespace {

constexpr HeadRow head(std::uint32_t count) {
  return {
      .count = count, .status = RunStatus::running, .stamp = 1, .code = Code::user, .reason = {}};
}

std::vector<NumberedChange> numbered(std::vector<Change> changes, RecordNumber before = 0) {
  std::vector<NumberedChange> all;
  for (Change& change : changes) {
    before += Batch::numbers(change);
    all.push_back({std::move(change), before, 0});
  }
  return all;
}

TEST(Batch, SortsByTableAndKeyAndSealsWithNumbers) {
  std::vector<Change> changes;
  changes.push_back(step_of(2, 0));
  changes.push_back(step_of(1, 0));
  Change ready;
  ready.put(Table::ready, Key{}.add(run_of(1)), head(0));
  ready.put(Table::runs, Key{}.add(run_of(9)), head(0));
  changes.push_back(std::move(ready));

  std::vector<NumberedChange> all = numbered(std::move(changes), 10);
  Batch batch;
  const std::span<const Mutation> mutations = batch.build(all);
  ASSERT_EQ(mutations.size(), 6U);
  const std::array expected{Table::runs,    Table::records, Table::records,
                            Table::records, Table::records, Table::ready};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(mutations[i].table, expected[i]) << i;
  EXPECT_EQ(mutations[1].key, record_key(1, 0));
  EXPECT_EQ(mutations[2].key, record_key(1, kHeadIndex));
  EXPECT_EQ(mutations[3].key, record_key(2, 0));
  EXPECT_EQ(mutations[4].key, record_key(2, kHeadIndex));
  const std::array<RecordNumber, 6> numbers{13, 12, 12, 11, 11, 13};
  for (std::size_t i = 0; i < numbers.size(); ++i)
    EXPECT_EQ(number_in(mutations[i].value), numbers[i]) << i;
}

TEST(Batch, GivesEveryRecordItsNumberAndRowsTheLast) {
  Change change;
  const RunEnded end{.stamp = 1, .type = "t", .error = {}, .payload = {}};
  change.append(run_of(1), 0, end);
  change.put(Table::records, record_key(1, kHeadIndex), head(3));
  change.append(run_of(1), 1, end);
  change.append(run_of(1), 2, end);
  std::vector<Change> changes;
  changes.push_back(std::move(change));
  std::vector<NumberedChange> all = numbered(std::move(changes));
  EXPECT_EQ(all[0].last, 3U);

  Batch batch;
  const std::span<const Mutation> mutations = batch.build(all);
  ASSERT_EQ(mutations.size(), 4U);
  const std::array<RecordNumber, 4> numbers{1, 2, 3, 3};
  for (std::size_t i = 0; i < numbers.size(); ++i)
    EXPECT_EQ(number_in(mutations[i].value), numbers[i]) << i;
}

TEST(Batch, TheLastMutationOfARowWins) {
  std::vector<Change> changes;
  for (std::uint32_t index = 0; index < 5; ++index) changes.push_back(step_of(1, index));
  Change changed_its_mind;
  changed_its_mind.put(Table::ready, Key{}.add(run_of(1)), head(0));
  changed_its_mind.erase(Table::ready, Key{}.add(run_of(1)));
  changed_its_mind.erase(Table::ready, Key{}.add(run_of(2)));
  changed_its_mind.put(Table::ready, Key{}.add(run_of(2)), head(0));
  changes.push_back(std::move(changed_its_mind));

  std::vector<NumberedChange> all = numbered(std::move(changes));
  Batch batch;
  const std::span<const Mutation> mutations = batch.build(all);
  ASSERT_EQ(mutations.size(), 8U) << "five records, one head, two ready rows";
  EXPECT_EQ(mutations[5].key, record_key(1, kHeadIndex));
  EXPECT_EQ(number_in(mutations[5].value), 5U);
  EXPECT_EQ(mutations[6].kind, Mutation::Kind::erase);
  EXPECT_TRUE(mutations[6].value.empty());
  EXPECT_EQ(mutations[7].kind, Mutation::Kind::put);
  EXPECT_EQ(number_in(mutations[7].value), 6U);
}

TEST(Batch, TellsKeysApartBehindTheirFirst24BytesAndByLength) {
  const RunId run = run_of(1);
  const std::array keys{
      Key{}.add(run),
      Key{}.add(run).add(std::uint32_t{0}),
      Key{}.add(run).add(std::uint64_t{0}),
      Key{}.add(run).add(std::uint64_t{0}).add(std::uint64_t{1}),
      Key{}.add(run).add(std::uint64_t{0}).add(std::uint64_t{2}),
  };
  Change change;
  for (const std::size_t i : {3U, 1U, 4U, 0U, 2U}) change.put(Table::due, keys[i], head(0));
  std::vector<Change> changes;
  changes.push_back(std::move(change));
  std::vector<NumberedChange> all = numbered(std::move(changes));
  Batch batch;
  const std::span<const Mutation> mutations = batch.build(all);
  ASSERT_EQ(mutations.size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(mutations[i].key, keys[i]) << i;
}

TEST(Batch, IsTheSameWhenBuiltTwice) {
  std::vector<Change> changes;
  for (std::uint64_t run = 20; run > 0; --run) changes.push_back(step_of(run, 3, run));
  std::vector<NumberedChange> all = numbered(std::move(changes));
  Batch batch;
  const auto bytes = [&] {
    core::Bytes flat;
    for (const Mutation& m : batch.build(all)) {
      flat.insert(flat.end(), m.key.view().begin(), m.key.view().end());
      flat.insert(flat.end(), m.value.begin(), m.value.end());
    }
    return flat;
  };
  const core::Bytes first = bytes();
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(bytes(), first);
}

TEST(Batch, IsEmptyForAChangeWithNothingInIt) {
  std::vector<Change> changes(2);
  std::vector<NumberedChange> all = numbered(std::move(changes));
  EXPECT_EQ(all[1].last, 2U) << "it takes a number all the same";
  Batch batch;
  EXPECT_TRUE(batch.build(all).empty());
}

}  // namespace
}  // namespace perdure::journal
