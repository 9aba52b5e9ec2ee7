// Blobs that nothing refers to are removed, and never one that somebody may be about to refer to.
#include "tests/journal/blob_fixture.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <set>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class BlobRemovalTest : public BlobTest {
 protected:
  /// A blob of an earlier process, written so long before the clock's now.
  BlobRef put_before(std::uint64_t number, std::chrono::seconds ago) {
    const BlobRef ref = put(content_of(Content::words, 5000, number));
    const auto then = clock_.wall().time_since_epoch() - ago;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(then);
    const timespec time{.tv_sec = seconds.count(), .tv_nsec = 0};
    const timespec times[]{time, time};
    EXPECT_EQ(::utimensat(AT_FDCWD, file(ref).c_str(), times, 0), 0);
    return ref;
  }
  BlobRemoval remove(const std::set<BlobId>& referenced, std::chrono::microseconds age) {
    return store_
        ->remove_unreferenced([&](const BlobId& id) { return referenced.contains(id); }, age,
                              clock_)
        .value();
  }

  core::ManualClock clock_;
};

TEST_F(BlobRemovalTest, TakesWhatIsOldAndNotReferredTo) {
  const BlobRef old = put_before(1, 2h);
  const BlobRef referenced = put_before(2, 2h);
  const BlobRef young = put_before(3, 30min);
  const BlobRef coming = put_before(4, -1h);
  const auto old_bytes = fs::file_size(file(old));
  open();
  const BlobRemoval removal = remove({referenced.id}, 1h);
  EXPECT_EQ(removal.removed, 1U);
  EXPECT_EQ(removal.removed_bytes, old_bytes);
  EXPECT_EQ(removal.kept_young, 2U);
  EXPECT_EQ(removal.kept_known, 0U);
  EXPECT_EQ(get(old).error().code, Code::not_found);
  for (const BlobRef& kept : {referenced, young, coming}) EXPECT_TRUE(get(kept));
  clock_.advance(1h);
  EXPECT_EQ(remove({referenced.id}, 1h).removed, 1U);
  EXPECT_FALSE(get(young));
  EXPECT_TRUE(get(coming));
}

TEST_F(BlobRemovalTest, LeavesWhatThisProcessWroteOrWasAskedToWrite) {
  const BlobRef written = put_before(1, 2h);
  EXPECT_EQ(remove({}, 1h).kept_known, 1U);
  open();
  EXPECT_EQ(put(content_of(Content::words, 5000, 1)), written) << "which finds it there";
  const BlobRemoval removal = remove({}, 1h);
  EXPECT_EQ(removal.removed, 0U);
  EXPECT_EQ(removal.kept_known, 1U);
  EXPECT_TRUE(get(written));
  open();
  EXPECT_EQ(remove({}, 1h).removed, 1U);
}

/// Who removes has been told that nothing refers to it, a moment before somebody is told that it
/// is there.
TEST_F(BlobRemovalTest, AsksAgainWhatThisProcessKnowsAfterItAskedWhoRefersToIt) {
  const BlobRef ref = put_before(1, 2h);
  open();
  const auto removal = store_->remove_unreferenced(
      [&](const BlobId&) {
        EXPECT_EQ(put(content_of(Content::words, 5000, 1)), ref);
        return false;
      },
      1h, clock_);
  EXPECT_EQ(removal.value().removed, 0U);
  EXPECT_TRUE(get(ref));
}

TEST_F(BlobRemovalTest, AReaderGoesOnAndTheContentCanBePutAgain) {
  const core::Bytes content = content_of(Content::words, 5000, 1);
  const BlobRef ref = put_before(1, 2h);
  open();
  const auto reader = blobs().open(ref).value();
  EXPECT_EQ(remove({}, 1h).removed, 1U);
  EXPECT_EQ(streamed(*reader, 700).value(), content);
  EXPECT_EQ(put(content), ref);
  EXPECT_EQ(get(ref).value(), content);
}

TEST_F(BlobRemovalTest, SeveralMayRemoveAtOnce) {
  const BlobRef ref = put_before(1, 2h);
  open();
  const auto removal = store_->remove_unreferenced(
      [&](const BlobId&) {
        EXPECT_EQ(remove({}, 1h).removed, 1U);
        return false;
      },
      1h, clock_);
  ASSERT_TRUE(removal) << removal.error().message;
  EXPECT_EQ(removal.value().removed, 0U) << "the other one was faster";
  EXPECT_FALSE(get(ref));
}

TEST_F(BlobRemovalTest, WithoutBlobsThereIsNothingToRemove) {
  EXPECT_EQ(remove({}, 0s).removed, 0U);
}

}  // namespace
}  // namespace perdure::journal
