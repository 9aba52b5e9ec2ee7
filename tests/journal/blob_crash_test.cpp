// The process dies at each of a blob's crash points: what is left is whole, and the next process
// goes on.
#include "core/crash_point.hpp"
#include "tests/journal/blob_fixture.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace perdure::journal {
namespace {

using core::CrashPoint;

/// Where, at which passing, and how durable it was to be.
struct Death {
  CrashPoint point;
  std::uint64_t passing;
  Durability durability;
};

class BlobCrashTest : public BlobTest, public testing::WithParamInterface<Death> {
 protected:
  static core::Bytes content(std::uint64_t number) {
    return content_of(static_cast<Content>(number % 3), 20'000, number);
  }
  /// Puts some, of which two are equal, and dies where it should.
  void die() {
    const pid_t child = ::fork();
    if (child == 0) {
      core::arm_crash_point(GetParam().point, GetParam().passing);
      for (const std::uint64_t number : {1U, 2U, 1U, 3U, 4U})
        if (!store_->put(content(number), GetParam().durability)) ::_exit(1);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "nothing passes it so often";
  }
};

TEST_P(BlobCrashTest, LeavesWholeBlobsOnlyAndTheNextProcessGoesOn) {
  put(content(9));
  for (int again = 0; again < 2; ++again) {
    die();
    EXPECT_EQ(damages(), "") << "whoever reads now sees no torn one";
    const bool has_name = GetParam().point == CrashPoint::blob_renamed;
    EXPECT_EQ(files_in(unfinished()), has_name ? 0U : 1U);
    open();
    EXPECT_EQ(files_in(unfinished()), 0U);
    // What was acknowledged is there: all before the one that was under way.
    const std::size_t whole = listed().size();
    if (again == 0) {
      const std::uint64_t named = GetParam().passing + (has_name ? 1 : 0);
      EXPECT_EQ(whole, named);
    }
  }
  for (const std::uint64_t number : {1U, 2U, 3U, 4U, 9U})
    EXPECT_EQ(get(put(content(number))).value(), content(number));
  EXPECT_EQ(damages(), "");
  EXPECT_EQ(listed().size(), 5U);
}

INSTANTIATE_TEST_SUITE_P(
    Every, BlobCrashTest,
    testing::Values(Death{CrashPoint::blob_written, 1, Durability::full},
                    Death{CrashPoint::blob_written, 2, Durability::full},
                    Death{CrashPoint::blob_synced, 1, Durability::full},
                    Death{CrashPoint::blob_synced, 2, Durability::full},
                    Death{CrashPoint::blob_renamed, 1, Durability::full},
                    Death{CrashPoint::blob_renamed, 2, Durability::full},
                    Death{CrashPoint::blob_written, 2, Durability::none},
                    Death{CrashPoint::blob_renamed, 2, Durability::none}),
    [](const auto& which) {
      return std::string(core::kCrashPointNames[static_cast<std::size_t>(which.param.point)]) +
             "_" + std::to_string(which.param.passing) +
             (which.param.durability == Durability::full ? "_full" : "_none");
    });

}  // namespace
}  // namespace perdure::journal
