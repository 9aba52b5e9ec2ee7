// The disk that loses power: what is certain comes back, what is not may come in any state that a
// disk may have.
#include "tests/crash/disk_model.hpp"
#include "tests/crash/process.hpp"

#include <gtest/gtest.h>

#include <set>

namespace perdure::crash {
namespace {

class DiskModelTest : public ::testing::Test {
 protected:
  void apply(DiskEvent event, std::uint64_t file, std::uint64_t offset, const std::string& path,
             const std::string& data) {
    disk_.apply({event, file, offset, path, data});
  }
  void create(std::uint64_t file, const std::string& path) {
    apply(DiskEvent::create_file, file, 0, path, "");
  }
  void write(std::uint64_t file, std::uint64_t offset, const std::string& data) {
    apply(DiskEvent::write, file, offset, "", data);
  }
  void sync(std::uint64_t file) {
    apply(DiskEvent::sync_begin, file, ++syncs_, "", "");
    apply(DiskEvent::sync_end, file, syncs_, "", "");
  }
  /// All that was found of `path` in many losses; "-" where there was no such file.
  std::set<std::string> found(const std::string& path, double kept = 0.5) {
    std::set<std::string> states;
    for (int i = 0; i < 60; ++i) {
      disk_.lose_power(image_, kept, random_);
      const auto files = files_in(image_);
      const auto file = files.find(path);
      states.insert(file == files.end() ? "-" : file->second);
    }
    return states;
  }
  static std::string sectors(std::string_view letters) {
    std::string bytes;
    for (const char letter : letters) bytes += std::string(kSectorBytes, letter);
    return bytes;
  }
  using Set = std::set<std::string>;

  TemporaryDirectory directory_{"disk-model"};
  std::filesystem::path empty_ = directory_.path() / "empty";
  std::filesystem::path image_ = directory_.path() / "image";
  DiskModel disk_{(std::filesystem::create_directories(empty_), empty_), Syncs::honoured};
  std::mt19937_64 random_{1};
  std::uint64_t syncs_ = 0;
};

TEST_F(DiskModelTest, AFileIsThereWhenItsDirectoryWasSynced) {
  create(5, "a");
  EXPECT_EQ(found("a"), (Set{"-", ""}));
  sync(kDiskRoot);
  EXPECT_EQ(found("a"), Set{""});
}

TEST_F(DiskModelTest, UnsyncedSectorsComeInAnySubsetAndLengthsToo) {
  create(5, "a");
  sync(kDiskRoot);
  write(5, 0, sectors("ab"));
  const Set states = found("a");
  EXPECT_EQ(states, (Set{"", sectors("ab"), sectors("a") + std::string(kSectorBytes, '\0'),
                         std::string(kSectorBytes, '\0') + sectors("b"),
                         std::string(2 * kSectorBytes, '\0')}));
  sync(5);
  EXPECT_EQ(found("a"), Set{sectors("ab")});
}

TEST_F(DiskModelTest, ASectorComesInOneOfItsVersions) {
  create(5, "a");
  sync(kDiskRoot);
  write(5, 0, sectors("a"));
  sync(5);
  write(5, 0, sectors("b"));
  write(5, 1, "c");
  std::string last = sectors("b");
  last[1] = 'c';
  EXPECT_EQ(found("a"), (Set{sectors("a"), sectors("b"), last}));
}

TEST_F(DiskModelTest, ASyncCoversWhatCameBeforeItBegan) {
  create(5, "a");
  sync(kDiskRoot);
  write(5, 0, sectors("a"));
  apply(DiskEvent::sync_begin, 5, 77, "", "");
  EXPECT_GT(found("a").size(), 1U) << "it is under way";
  write(5, 0, sectors("b"));
  apply(DiskEvent::sync_end, 5, 77, "", "");
  EXPECT_EQ(found("a"), (Set{sectors("a"), sectors("b")}));
}

TEST_F(DiskModelTest, AWriteThroughIsCertainAndNothingBesideIt) {
  create(5, "a");
  sync(kDiskRoot);
  write(5, 0, sectors("ab"));
  sync(5);
  write(5, 0, sectors("x"));
  write(5, kSectorBytes + 8, "y");
  std::string y = sectors("b");
  y[8] = 'y';
  EXPECT_EQ(found("a").size(), 4U) << "it is under way";
  apply(DiskEvent::write_through, 5, kSectorBytes + 8, "", "");
  EXPECT_EQ(found("a"), (Set{sectors("a") + y, sectors("x") + y}));
}

TEST_F(DiskModelTest, ATruncationIsAsUncertainAsAWrite) {
  create(5, "a");
  sync(kDiskRoot);
  write(5, 0, sectors("ab"));
  sync(5);
  apply(DiskEvent::truncate, 5, kSectorBytes, "", "");
  const Set states = found("a");
  EXPECT_TRUE(states.contains(sectors("ab")));
  EXPECT_TRUE(states.contains(sectors("a")));
  sync(5);
  EXPECT_EQ(found("a"), Set{sectors("a")});
}

TEST_F(DiskModelTest, ARenameIsWholeOrNotAtAll) {
  create(5, "a");
  write(5, 0, "old");
  sync(5);
  create(6, "a.new");
  write(6, 0, "new");
  sync(6);
  sync(kDiskRoot);
  apply(DiskEvent::rename, 0, 0, "a.new", "a");
  EXPECT_EQ(found("a"), (Set{"old", "new"}));
  EXPECT_EQ(found("a", 0.0), Set{"old"});
  EXPECT_EQ(disk_.seen().at("a"), "new");
  sync(kDiskRoot);
  EXPECT_EQ(found("a"), Set{"new"});
  EXPECT_EQ(found("a.new"), Set{"-"});
}

TEST_F(DiskModelTest, ARenameIntoAnotherDirectoryIsCertainWhereThatWasSynced) {
  apply(DiskEvent::create_directory, 6, 0, "from", "");
  apply(DiskEvent::create_directory, 7, 0, "to", "");
  sync(kDiskRoot);
  create(5, "from/a");
  write(5, 0, "new");
  sync(5);
  sync(6);
  apply(DiskEvent::rename, 0, 0, "from/a", "to/b");
  EXPECT_EQ(disk_.seen().count("from/a"), 0U);
  EXPECT_EQ(disk_.seen().at("to/b"), "new");
  EXPECT_EQ(found("to/b"), (Set{"-", "new"}));
  EXPECT_EQ(found("from/a"), (Set{"-", "new"}));
  sync(7);
  EXPECT_EQ(found("to/b"), Set{"new"});
  EXPECT_EQ(found("from/a"), (Set{"-", "new"}));
  sync(6);
  EXPECT_EQ(found("from/a"), Set{"-"});
}

TEST_F(DiskModelTest, ARemovalIsCertainWhenTheDirectoryWasSynced) {
  apply(DiskEvent::create_directory, 4, 0, "d", "");
  create(5, "d/a");
  sync(4);
  sync(kDiskRoot);
  apply(DiskEvent::remove, 0, 0, "d/a", "");
  EXPECT_EQ(found("d/a"), (Set{"-", ""}));
  sync(4);
  EXPECT_EQ(found("d/a"), Set{"-"});
}

TEST_F(DiskModelTest, AFileInADirectoryThatIsLostIsLost) {
  apply(DiskEvent::create_directory, 4, 0, "d", "");
  create(5, "d/a");
  sync(5);
  sync(4);
  EXPECT_EQ(found("d/a"), (Set{"-", ""}));
}

TEST_F(DiskModelTest, ACopyGoesItsOwnWay) {
  apply(DiskEvent::create_directory, 4, 0, "d", "");
  create(5, "d/a");
  sync(4);
  sync(kDiskRoot);
  write(5, 0, sectors("a"));
  DiskModel copy(disk_, Syncs::without_files);
  const auto before = copy.seen();
  write(5, 0, sectors("b"));
  EXPECT_EQ(copy.seen(), before);
  copy.apply({DiskEvent::write, 5, 0, "", sectors("c")});
  EXPECT_EQ(copy.seen().at("d/a"), sectors("c"));
  EXPECT_EQ(disk_.seen().at("d/a"), sectors("b"));
  sync(5);
  EXPECT_EQ(found("d/a"), Set{sectors("b")});
}

}  // namespace
}  // namespace perdure::crash
