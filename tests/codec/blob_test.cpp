// pd::Blob in payloads, and finding it there.
#include <perdure/blob.hpp>

#include "journal/payload_blobs.hpp"
#include "journal/payload_json.hpp"
#include "tests/codec/codec_fixture.hpp"

#include <string>
#include <vector>

namespace perdure::testing_codec {
namespace {

const std::string kOne(64, '1');
const std::string kTwo(64, '2');

std::vector<std::string> blobs_in(const Result<Bytes>& payload) {
  std::vector<std::string> found;
  journal::each_blob_in(payload.value(), [&](const journal::BlobRef& ref) {
    found.push_back(journal::to_string(ref.id) + " " + std::to_string(ref.bytes));
  });
  return found;
}

Code error_of(std::string_view json) {
  const Result<Blob> read = decode<Blob>(journal::json_to_payload(json).value());
  return read.has_error() ? read.error().code : Code::user;
}

TEST(BlobCodec, ComesBackAndIsReadable) {
  const Bytes payload = encode(Blob(kOne, 123)).value();
  EXPECT_EQ(decode<Blob>(payload).value(), Blob(kOne, 123));
  EXPECT_EQ(journal::payload_to_json(payload).value(),
            R"({"bytes":123,"perdure.blob":")" + kOne + "\"}");
  EXPECT_EQ(decode<Blob>(encode(Blob()).value()).value(), Blob());
  EXPECT_EQ(type_name<Blob>(), "blob");
}

TEST(BlobCodec, RefusesWhatIsNone) {
  EXPECT_EQ(encode(Blob("1234", 5)).error().code, Code::misuse);
  const std::string one = "\"" + kOne + "\"";
  EXPECT_EQ(error_of(R"({"bytes":1,"perdure.blob":)" + one + "}"), Code::user);
  for (const std::string& wrong : std::vector<std::string>{
           "1", "{}", R"({"perdure.blob":)" + one + "}",
           R"({"bytes":0,"perdure.blob":)" + one + "}",
           R"({"bytes":-1,"perdure.blob":)" + one + "}", R"({"bytes":1,"perdure.blob":"../x"})",
           R"({"bytes":1,"perdure.blob":7})",
           R"({"bytes":1,"perdure.blob":)" + one + R"(,"more":1})"})
    EXPECT_EQ(error_of(wrong), Code::undecodable) << wrong;
}

TEST(BlobCodec, IsFoundWhereverItStands) {
  EXPECT_EQ(blobs_in(encode(Blob(kOne, 1))), std::vector<std::string>{kOne + " 1"});
  const std::map<std::string, std::vector<Blob>> deep{{"a", {Blob(kOne, 1), Blob(), Blob()}},
                                                      {"b", {Blob(kTwo, 2), Blob(kOne, 1)}}};
  EXPECT_EQ(blobs_in(encode(deep)),
            (std::vector<std::string>{kOne + " 1", kTwo + " 2", kOne + " 1"}));
  EXPECT_TRUE(blobs_in(encode(std::string("perdure.blob"))).empty());
  EXPECT_TRUE(blobs_in(encode()).empty());
  EXPECT_TRUE(blobs_in(Bytes(5, std::byte{0xEE})).empty()) << "damage is somebody else's";
}

}  // namespace
}  // namespace perdure::testing_codec
