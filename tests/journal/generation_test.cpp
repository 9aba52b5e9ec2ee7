// Tables and log of one generation that don't belong together, as a half restored backup leaves
// them.
#include "journal/generation.hpp"
#include "tests/journal/wal_fixture.hpp"

#include <gtest/gtest.h>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;

class GenerationTest : public testing::Test {
 protected:
  void SetUp() override { make(journal()); }
  [[nodiscard]] fs::path journal() const { return directory_.path() / "journal"; }
  [[nodiscard]] fs::path other() const { return directory_.path() / "other"; }
  void make(const fs::path& path) {
    fs::create_directory(path);
    ASSERT_TRUE(Generation::create(path, clock_, random_));
  }
  [[nodiscard]] Result<std::unique_ptr<Generation>> open() const {
    return Generation::open_for_writing(journal());
  }
  /// How reading it goes when nobody writes.
  [[nodiscard]] Result<void> read() const {
    PERDURE_TRY(const auto opened, Generation::open_for_reading(journal(), LmdbAccess::read));
    return opened->need_sound_log(false);
  }
  static void put(Generation& generation, std::uint64_t number, std::size_t bytes = 0) {
    TestBatch batch;
    batch.put(Table::runs, number_key(number), std::to_string(number) + std::string(bytes, 'x'));
    ASSERT_TRUE(batch.commit(generation.store()));
  }
  /// So many batches and then a death, or all of them brought into the tables.
  enum class End : std::uint8_t { death, settled };
  void write(std::uint64_t from, std::uint64_t to, End end = End::death) {
    const auto generation = open().value();
    for (std::uint64_t number = from; number <= to; ++number) put(*generation, number);
    if (end == End::settled) ASSERT_TRUE(generation->settle());
  }
  /// The files that are there, as a backup has them.
  void save(const std::string& name) const {
    fs::copy(journal(), directory_.path() / name, fs::copy_options::recursive);
  }
  void restore(const std::string& name, const std::string& file) const {
    fs::copy_file(directory_.path() / name / file, journal() / file,
                  fs::copy_options::overwrite_existing);
  }
  void expect_corrupt(std::string_view words) const {
    for (const Error& why : {open().error(), read().error()}) {
      EXPECT_EQ(why.code, Code::corrupt) << why.message;
      EXPECT_NE(why.message.find(words), std::string::npos) << why.message;
      EXPECT_NE(why.message.find("estore the journal from a backup, all of it"), std::string::npos)
          << why.message;
    }
  }
  void expect_has(std::uint64_t last) const {
    const Result<void> reading = read();
    EXPECT_TRUE(reading) << reading.error().message;
    const auto opened = open();
    ASSERT_TRUE(opened) << opened.error().message;
    Store& store = opened.value()->store();
    for (std::uint64_t number = 1; number <= last; ++number)
      EXPECT_EQ(value_at(store, Table::runs, number_key(number)), std::to_string(number));
    EXPECT_EQ(value_at(store, Table::runs, number_key(last + 1)), "-");
  }

  TemporaryDirectory directory_;
  core::ManualClock clock_;
  core::SeededRandom random_{1};
};

TEST_F(GenerationTest, KeepsWhatWasCommitted) {
  expect_has(0);
  write(1, 3);
  expect_has(3);
  write(4, 5, End::settled);
  write(6, 6);
  expect_has(6);
}

TEST_F(GenerationTest, AMissingLogIsCorrupt) {
  write(1, 3);
  fs::remove(journal() / "wal");
  expect_corrupt("wal");
}

TEST_F(GenerationTest, MissingTablesAreCorrupt) {
  write(1, 3);
  fs::remove(journal() / "data.mdb");
  expect_corrupt("journal");
}

TEST_F(GenerationTest, AnotherJournalsLogIsCorrupt) {
  write(1, 3);
  make(other());
  fs::copy_file(other() / "wal", journal() / "wal", fs::copy_options::overwrite_existing);
  expect_corrupt("another journal's log");
}

TEST_F(GenerationTest, AnotherJournalsTablesAreCorrupt) {
  write(1, 3);
  make(other());
  fs::copy_file(other() / "data.mdb", journal() / "data.mdb", fs::copy_options::overwrite_existing);
  expect_corrupt("another journal's log");
}

TEST_F(GenerationTest, ACutLogIsCorruptOrHasWhatIsInFrontOfTheCut) {
  write(1, 3);
  fs::resize_file(journal() / "wal", 17);
  expect_corrupt("is cut off");
}

TEST_F(GenerationTest, OlderTablesWithALogThatStillHasAllOfItAreSound) {
  write(1, 3, End::settled);
  save("backup");
  // In the file behind what is in the backup's tables, and nothing of it written over.
  write(4, 6);
  restore("backup", "data.mdb");
  expect_has(6);
}

TEST_F(GenerationTest, OlderTablesWithALogThatWentOnAreCorrupt) {
  write(1, 3, End::settled);
  save("backup");
  write(4, 20, End::settled);
  write(21, 23);
  restore("backup", "data.mdb");
  expect_corrupt("can't be read, but there are later ones");
}

TEST_F(GenerationTest, TablesOfTheBeginningWithALogThatWentOnAreCorrupt) {
  save("backup");
  write(1, 3, End::settled);
  write(4, 6, End::settled);
  restore("backup", "data.mdb");
  expect_corrupt("can't be read, but there are later ones");
}

TEST_F(GenerationTest, AnOlderLogWithTablesThatHaveAllOfItIsSound) {
  write(1, 3);
  save("backup");
  write(4, 20, End::settled);
  restore("backup", "wal");
  expect_has(20);
  // And the numbers go on behind the tables' own, not behind the log's.
  write(21, 22);
  expect_has(22);
}

}  // namespace
}  // namespace perdure::journal
