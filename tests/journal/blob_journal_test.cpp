// Blobs in the directory of a real journal.
#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/directory.hpp"
#include "tests/journal/blob_fixture.hpp"

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;

class BlobJournalTest : public BlobTest {
 protected:
  Result<std::unique_ptr<JournalForWriting>> open_journal() {
    return JournalForWriting::open(directory_.path(), clock_, random_);
  }

  core::ManualClock clock_;
  core::SeededRandom random_{1};
};

TEST_F(BlobJournalTest, AJournalIsOpenedWithItsBlobs) {
  ASSERT_TRUE(open_journal());
  const BlobRef ref = put(core::as_bytes("a result"));
  ASSERT_TRUE(open_journal());
  ASSERT_TRUE(JournalForReading::open(directory_.path()));
  EXPECT_TRUE(get(ref));
}

/// It is still told what the journal has lost, and not that it is none.
TEST_F(BlobJournalTest, OneThatLostItsCurrentIsSaidSoAlsoWithBlobs) {
  ASSERT_TRUE(open_journal());
  put(core::as_bytes("a result"));
  fs::remove(directory_.path() / "CURRENT");
  const auto refused = open_journal();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::corrupt) << refused.error().message;
  EXPECT_NE(refused.error().message.find("no CURRENT"), std::string::npos);
}

}  // namespace
}  // namespace perdure::journal
