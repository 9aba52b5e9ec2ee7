// File systems and files that can't be written, on LMDB.
#include "journal/directory.hpp"
#include "journal/reader.hpp"
#include "tests/disks/child.hpp"
#include "tests/disks/ears.hpp"
#include "tests/disks/mounts.hpp"
#include "tests/journal/store_fixture.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace perdure::test {
namespace {

class ReadOnlyTest : public ::testing::Test {
 protected:
  ReadOnlyTest() {
    // In a child, since this process is to stay without threads.
    EXPECT_EQ(in_child([&] {
                Ears ears;
                auto runtime = ears.open(place()).value();
                return runtime.session(writer, "s").start(0).value().wait().value() == kReply ? 0
                                                                                              : 1;
              }),
              0);
  }
  [[nodiscard]] fs::path place() const { return directory_.path(); }
  /// Reads it whole; refuses to write it, naming `remedy`. 0: so it was.
  int reads_only(std::string_view remedy) const {
    Ears ears;
    const auto refused = ears.open(place());
    if (refused || refused.error().code != pd::Code::misuse) return 1;
    if (refused.error().message.find(remedy) == std::string::npos) return 2;
    const auto reading = journal::JournalForReading::open(place() / "journal");
    if (!reading) return 3;
    journal::Reader reader = journal::Reader::open(reading.value()->store()).value();
    int runs = 0;
    (void)reader
        .each_run([&](const journal::RunInfo& info) {
          runs += info.head.status == journal::RunStatus::completed ? 1 : 0;
          return true;
        })
        .value();
    return runs == 1 ? 0 : 4;
  }

 private:
  journal::TemporaryDirectory directory_;
};

TEST_F(ReadOnlyTest, AReadOnlyFileSystemIsReadAndNotWritten) {
  const int status = in_child([&] {
    if (!mount_read_only(place())) return kNoMounts;
    return reads_only("Mount it writable");
  });
  PERDURE_SKIP_WITHOUT_MOUNTS(status);
  EXPECT_EQ(status, 0);
}

TEST_F(ReadOnlyTest, AJournalWithoutWritePermissionIsReadAndNotWritten) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
  constexpr uid_t kNobody = 65534;
  const auto may = fs::perms::others_read | fs::perms::group_read;
  const auto enter = may | fs::perms::others_exec | fs::perms::group_exec;
  fs::permissions(place(), enter, fs::perm_options::add);
  fs::permissions(place() / "journal", enter, fs::perm_options::add);
  for (const auto& entry : fs::recursive_directory_iterator(place()))
    fs::permissions(entry.path(), entry.is_directory() ? enter : may, fs::perm_options::add);
  EXPECT_EQ(in_child([&] {
              if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) return 9;
              return reads_only("give this user the right");
            }),
            0);
}

}  // namespace
}  // namespace perdure::test
