// A reader that keeps the journal's file from being used again, as `explain` tells of it.
#include "journal/directory.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/reader.hpp"
#include "tests/disks/child.hpp"
#include "tests/disks/ears.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <array>

namespace perdure::test {
namespace {

/// A process that reads in one snapshot. No other thread runs when it begins.
class Reading {
 public:
  explicit Reading(const fs::path& journal) {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0 || ::pipe(end_.data()) != 0) std::abort();
    process_ = ::fork();
    if (process_ == 0) {
      ::close(end_[1]);
      const auto opened = journal::JournalForReading::open(journal).value();
      const auto reader = journal::Reader::open(opened->store()).value();
      char mark = 'x';
      ::_exit(::write(ready[1], &mark, 1) == 1 && ::read(end_[0], &mark, 1) == 0 ? 0 : 1);
    }
    char mark = 0;
    if (::read(ready[0], &mark, 1) != 1) std::abort();
  }
  void end() const {
    ::close(end_[1]);
    int status = 0;
    if (::waitpid(process_, &status, 0) != process_ || status != 0) std::abort();
  }
  [[nodiscard]] std::string name() const { return "process " + std::to_string(process_); }

 private:
  std::array<int, 2> end_{};
  pid_t process_ = -1;
};

TEST(PinnedTest, ExplainNamesAReaderThatMakesTheFileGrow) {
  const journal::TemporaryDirectory directory;
  const fs::path& place = directory.path();
  EXPECT_EQ(in_child([&] {
              if (!grow_log(place)) return 1;
              const Reading reading(place / "journal");
              // One life, with a run that has not ended; its clean end is a checkpoint.
              std::uint64_t lives = 0;
              const auto names_it = [&] {
                Ears ears;
                auto runtime = ears.open(place).value();
                const auto run = runtime.session(waiting, std::to_string(++lives)).start(0).value();
                return runtime.explain(run.id()).value().starts_with(
                    reading.name() + " has read in one snapshot for ");
              };
              if (names_it()) return 2;
              while (!names_it())
                if (lives > journal::LmdbStore::kManyCommits) return 3;
              reading.end();
              return names_it() ? 4 : 0;
            }),
            0);
}

}  // namespace
}  // namespace perdure::test
