// Verify looks at the blobs that payloads are and speak of, and names each row whose blob is not
// what it should be.

#include <perdure/blob.hpp>
#include <perdure/codec.hpp>

#include "core/bytes.hpp"
#include "journal/blob_place.hpp"
#include "journal/blob_store.hpp"
#include "journal/file_system.hpp"
#include "journal/store_with_blobs.hpp"
#include "tests/journal/verify_fixture.hpp"
#include "tests/journal/wal_fixture.hpp"

#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::journal {
namespace {

class VerifyBlobsTest : public VerifyTest {
 protected:
  void SetUp() override {
    VerifyTest::SetUp();
    store_ = std::make_unique<StoreWithBlobs>(memory_, BlobStore::open(directory_.path()).value());
  }
  BlobRef put(core::ByteView content) {
    return store_->blobs()->put(content, Durability::full).value();
  }
  BlobRef put(std::string_view content) { return put(core::as_bytes(content)); }
  static core::Bytes speaking_of(const BlobRef& ref) {
    return encode(std::vector<Blob>(2, Blob(to_string(ref.id), ref.bytes))).value();
  }
  [[nodiscard]] std::filesystem::path file(const BlobRef& ref) const {
    return BlobPlace(directory_.path()).file(ref.id);
  }
  [[nodiscard]] std::string file_bytes(const BlobRef& ref) const {
    return read_file(file(ref), 1U << 20U).value();
  }
  /// Record 3 of run 1.
  void record(const PayloadView& payload) {
    StepResult result;
    result.path = kPath;
    result.stamp = 103;
    result.payload = payload;
    ASSERT_TRUE(TestRows(4).append(run_id(1), 3, result).commit(memory_));
  }
  void state(const PayloadView& payload) {
    ASSERT_TRUE(damage()
                    .put(Table::state, state_row(session_id(), "total"),
                         StateRow{"total", "int", 0, payload})
                    .commit(memory_));
  }
  VerifyReport report() { return verify(*store_).value(); }
  /// One finding, at record 3 of run 1 if nothing else is said, whose words begin and contain so.
  void expect_fault(std::string_view begin, std::string_view contained,
                    const std::string& at = "record 3 of run " + run_text(1)) {
    const VerifyReport found = report();
    ASSERT_EQ(found.findings.size(), 1U) << begin;
    const Finding& finding = found.findings.front();
    EXPECT_EQ(finding.place, at);
    EXPECT_TRUE(finding.what.starts_with(begin)) << finding.what;
    EXPECT_NE(finding.what.find(contained), std::string::npos) << finding.what;
    EXPECT_NE(finding.remedy.find("backup"), std::string::npos) << finding.remedy;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<StoreWithBlobs> store_;
};

TEST_F(VerifyBlobsTest, SoundBlobsAreCountedOnce) {
  const BlobRef number = put(kPayload);
  const BlobRef content = put("any bytes");
  const BlobRef names = put(speaking_of(content));
  record(number);
  state(names);
  ArrivalRow signal = arrival(ArrivalRow::What::signal);
  signal.payload = number;
  ASSERT_TRUE(TestRows(signal_).arrive(Table::kept, session_id(), signal).commit(memory_));
  put("nothing refers to this");
  const VerifyReport found = report();
  EXPECT_TRUE(found.sound()) << found.findings.front().what;
  EXPECT_EQ(found.blobs.size(), 3U);
  EXPECT_TRUE(found.blobs.contains(content.id));
  EXPECT_EQ(found.blob_bytes, number.bytes + content.bytes + names.bytes);
}

TEST_F(VerifyBlobsTest, FindsAMissingBlob) {
  const BlobRef ref = put(kPayload);
  record(ref);
  std::filesystem::remove(file(ref));
  expect_fault("the blob " + to_string(ref.id), "is not there");
}

TEST_F(VerifyBlobsTest, FindsADamagedBlob) {
  const BlobRef ref = put(kPayload);
  record(ref);
  std::string bytes = file_bytes(ref);
  bytes[kBlobHeaderBytes] = static_cast<char>(bytes[kBlobHeaderBytes] ^ 1);
  set_bytes(file(ref), bytes);
  expect_fault("'" + file(ref).string() + "' is damaged", "the checksum of chunk 0 is wrong");
}

TEST_F(VerifyBlobsTest, FindsABlobOfOtherContent) {
  const BlobRef ref = put(kPayload);
  record(ref);
  // The file of other content as a writer would make it, but for the id.
  constexpr std::size_t kIdAt = 16;
  constexpr std::size_t kChecksumAt = 80;
  std::string other = file_bytes(put("abc"));
  std::memcpy(other.data() + kIdAt, ref.id.bytes.data(), ref.id.bytes.size());
  const std::uint64_t checksum = core::checksum(core::as_bytes(other).first(kChecksumAt));
  std::memcpy(other.data() + kChecksumAt, &checksum, sizeof checksum);
  set_bytes(file(ref), other);
  expect_fault("'" + file(ref).string(), "it holds other content than its id says");
}

TEST_F(VerifyBlobsTest, FindsABlobOfAnotherSize) {
  BlobRef ref = put(kPayload);
  ++ref.bytes;
  record(ref);
  expect_fault("'" + file(ref).string(), "it has 3 bytes of content");
}

TEST_F(VerifyBlobsTest, FindsABlobWhoseContentIsNoPayload) {
  const BlobRef ref = put("no flexbuffer");
  record(ref);
  expect_fault("its payload is not encoded as values are", "");
  // What a payload speaks of need be none.
  record(speaking_of(ref));
  EXPECT_TRUE(report().sound());
}

TEST_F(VerifyBlobsTest, FindsWhatAPayloadSpeaksOfAndIsNotThere) {
  const BlobRef ref = put("content");
  const core::Bytes names = speaking_of(ref);
  record(names);
  EXPECT_TRUE(report().sound());
  std::filesystem::remove(file(ref));
  const std::string words = "the blob " + to_string(ref.id) + ", which its payload speaks of, ";
  expect_fault(words, "there is no blob '" + file(ref).string());
  // As well where the payload is a blob.
  record(put(names));
  expect_fault(words, "there is no blob '" + file(ref).string());
  set_bytes(file(ref), "");
  expect_fault(words, "it is cut off");
}

TEST_F(VerifyBlobsTest, NamesEachRowThatRefersToIt) {
  const BlobRef ref = put(kPayload);
  record(ref);
  state(ref);
  const BlobRef names = put(speaking_of(ref));
  ASSERT_TRUE(
      damage()
          .put(Table::before, before_row(run_id(4), "total"), StateRow{"total", "int", 0, names})
          .commit(memory_));
  EXPECT_TRUE(report().sound());
  std::filesystem::remove(file(ref));
  const VerifyReport found = report();
  ASSERT_EQ(found.findings.size(), 3U);
  EXPECT_EQ(found.findings[0].table, Table::records);
  EXPECT_EQ(found.findings[1].table, Table::state);
  EXPECT_EQ(found.findings[2].table, Table::before);
}

}  // namespace
}  // namespace perdure::journal
