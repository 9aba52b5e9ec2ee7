/// `perdure blob`, and what `perdure verify` says of blobs, on journals in files.
#include <gtest/gtest.h>

#include <perdure/blob.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/command.hpp"
#include "journal/blob_place.hpp"
#include "journal/blobs.hpp"
#include "journal/directory.hpp"
#include "tests/cli/journal_builder.hpp"

namespace perdure::cli {
namespace {

namespace fs = std::filesystem;
using journal::BlobRef;

struct Ended {
  ExitCode code;
  std::string out;
  std::string err;
};

class BlobTest : public testing::Test {
 protected:
  static constexpr std::size_t kThreshold = 1'000;

  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "perdure-cli-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    home_ = name;
    auto opened = journal::JournalForWriting::open(journal(), clock_, random_);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    journal::Blobs& blobs = *opened.value()->store().blobs();
    JournalBuilder builder(opened.value()->store(), opened.value()->last_number());
    builder.inline_bytes_max = kThreshold;
    run_ = builder.start("trip", "alice");
    builder.step(run_, {1}, "write", large_);
    value_ = ref_of(large_);
    photo_ = blobs.put(core::as_bytes(photo_content_), journal::Durability::full).value();
    builder.step(run_, {2}, "photo", payload(Blob(to_string(photo_.id), photo_.bytes)), "blob");
    builder.complete(run_, payload(std::string("done")));
    ASSERT_TRUE(opened.value()->close_cleanly(builder.last_number(), builder.now()));
  }
  void TearDown() override { fs::remove_all(home_); }

  static BlobRef ref_of(const core::Bytes& content) {
    core::Bytes copy = content;
    journal::Change change(0);
    journal::Payload whole(std::move(copy));
    change.place(whole);
    return whole.blob.value();
  }
  [[nodiscard]] std::string journal() const { return (home_ / "trips.journal").string(); }
  [[nodiscard]] fs::path file(const BlobRef& ref) const {
    return journal::BlobPlace(journal()).file(ref.id);
  }
  Ended run(std::vector<std::string> words) {
    words.insert(words.begin(), "perdure");
    words.insert(words.end(), {"--journal", journal()});
    std::vector<const char*> arguments;
    for (const std::string& word : words) arguments.push_back(word.c_str());
    std::ostringstream out;
    std::ostringstream err;
    const ExitCode code = run_command(arguments, {.out = out, .err = err, .clock = clock_});
    return {code, out.str(), err.str()};
  }
  void expect_refused(const std::vector<std::string>& words, ExitCode code,
                      const std::string& what) {
    const Ended ended = run(words);
    EXPECT_EQ(ended.code, code) << what;
    EXPECT_EQ(ended.out, "") << what;
    EXPECT_NE(ended.err.find(what), std::string::npos) << ended.err;
  }
  /// Another blob whose id begins with the same `digits` digits.
  void add_one_like(const BlobRef& ref, std::size_t digits) const {
    std::string name = to_string(ref.id);
    for (std::size_t i = digits; i < name.size(); ++i) name[i] = name[i] == 'f' ? '0' : 'f';
    std::ofstream(file({journal::parse_blob_id(name).value(), 1})) << "something";
  }
  void flip(const BlobRef& ref, std::uint64_t place) const {
    std::fstream stream(file(ref), std::ios::binary | std::ios::in | std::ios::out);
    stream.seekg(static_cast<std::streamoff>(place));
    const char changed = static_cast<char>(stream.get() ^ 1);
    stream.seekp(static_cast<std::streamoff>(place));
    stream.put(changed);
  }

  fs::path home_;
  core::ManualClock clock_;
  core::SeededRandom random_{7};
  RunId run_;
  const core::Bytes large_ = payload(std::string(kThreshold, 'w'));
  const std::string photo_content_ = std::string("\x1b[31m\0 any bytes\n", 17);
  BlobRef value_;
  BlobRef photo_;
};

TEST_F(BlobTest, WritesTheContentAsItIs) {
  const std::string id = to_string(photo_.id);
  std::string upper = id;
  for (char& digit : upper)
    if (digit >= 'a') digit = static_cast<char>(digit - 'a' + 'A');
  for (const std::string& name : {id, upper, id.substr(0, 4), id.substr(0, 63)}) {
    const Ended ended = run({"blob", name});
    EXPECT_EQ(ended.code, ExitCode::ok) << ended.err;
    EXPECT_EQ(ended.out, photo_content_) << name;
    EXPECT_EQ(ended.err, "");
  }
  EXPECT_EQ(run({"blob", to_string(value_.id)}).out, core::as_text(large_));
}

TEST_F(BlobTest, ShowsAPayloadAsJson) {
  const Ended shown = run({"blob", to_string(value_.id), "--json"});
  EXPECT_EQ(shown.code, ExitCode::ok) << shown.err;
  EXPECT_EQ(nlohmann::json::parse(shown.out), std::string(kThreshold, 'w'));
  EXPECT_EQ(shown.out.back(), '\n');
  expect_refused({"blob", to_string(photo_.id), "--json"}, ExitCode::unreadable, "is no payload");
}

TEST_F(BlobTest, RefusesWhatNamesNoneOrSeveral) {
  const std::string id = to_string(photo_.id);
  std::string other = id;
  other.back() = other.back() == '0' ? '1' : '0';
  expect_refused({"blob", other}, ExitCode::not_found, "the journal has no blob " + other);
  expect_refused({"blob", other.substr(60) + id}, ExitCode::usage, "is no blob");
  expect_refused({"blob", id.substr(0, 3)}, ExitCode::usage, "at least 4");
  expect_refused({"blob", "photo.jpg"}, ExitCode::usage, "'photo.jpg' is no blob");
  expect_refused({"blob", "../../CURRENT"}, ExitCode::usage, "is no blob");
  expect_refused({"blob"}, ExitCode::usage, "BLOB");
  add_one_like(photo_, 5);
  expect_refused({"blob", id.substr(0, 5)}, ExitCode::not_found,
                 "the ids of several blobs begin with " + id.substr(0, 5));
  EXPECT_EQ(run({"blob", id.substr(0, 6)}).out, photo_content_);
}

TEST_F(BlobTest, OfAJournalWithoutBlobsThereAreNone) {
  fs::remove_all(fs::path(journal()) / "blobs");
  expect_refused({"blob", "abcd"}, ExitCode::not_found, "begins with abcd");
  fs::remove(fs::path(journal()) / "CURRENT");
  expect_refused({"blob", "abcd"}, ExitCode::unreadable, "CURRENT");
}

TEST_F(BlobTest, SaysWhereItIsDamaged) {
  constexpr std::uint64_t kFirstChunk = 88;
  flip(photo_, kFirstChunk);
  flip(value_, kFirstChunk);
  for (const char* const format : {"", "--json"}) {
    std::vector<std::string> words{"blob", to_string(value_.id)};
    if (*format != '\0') words.emplace_back(format);
    expect_refused(words, ExitCode::unreadable, "is damaged at byte 88: the checksum of chunk 0");
  }
  const Ended shown = run({"show", to_string(run_), "--json"});
  EXPECT_EQ(shown.code, ExitCode::ok) << shown.err;
  EXPECT_NE(nlohmann::json::parse(shown.out)["steps"][0]["result_error"].get<std::string>().find(
                "is damaged at byte 88"),
            std::string::npos);
}

TEST_F(BlobTest, VerifyCountsThem) {
  EXPECT_NE(run({"verify"}).out.find(", 2 blobs of "), std::string::npos) << run({"verify"}).out;
  const auto report = nlohmann::json::parse(run({"verify", "--json"}).out);
  EXPECT_EQ(report["sound"], true);
  EXPECT_EQ(report["blobs"], (nlohmann::json{{"referred_to", 2},
                                             {"bytes", value_.bytes + photo_.bytes},
                                             {"others", 0},
                                             {"others_bytes", 0}}));
  add_one_like(photo_, 4);
  const Ended text = run({"verify"});
  EXPECT_EQ(text.code, ExitCode::ok);
  EXPECT_NE(text.out.find("\n1 blob (9 B) that nothing refers to"), std::string::npos) << text.out;
  const auto others = nlohmann::json::parse(run({"verify", "--json"}).out)["blobs"];
  EXPECT_EQ(others["others"], 1);
  EXPECT_EQ(others["others_bytes"], 9);
}

TEST_F(BlobTest, VerifyNamesTheRecordsOfMissingAndDamagedBlobs) {
  fs::remove(file(value_));
  flip(photo_, 90);
  const Ended text = run({"verify"});
  EXPECT_EQ(text.code, ExitCode::findings) << text.out;
  const std::string of_run = " of run " + to_string(run_) + ": ";
  for (const std::string& part :
       {"record 1" + of_run + "the blob " + to_string(value_.id), std::string("is not there"),
        "record 2" + of_run + "the blob " + to_string(photo_.id) + ", which its payload speaks of",
        std::string("the checksum of chunk 0 is wrong"), std::string("Not sound: 2 findings")})
    EXPECT_NE(text.out.find(part), std::string::npos) << part << " in " << text.out;
  const auto report = nlohmann::json::parse(run({"verify", "--json"}).out);
  EXPECT_EQ(report["sound"], false);
  EXPECT_EQ(report["findings_count"], 2);
  EXPECT_EQ(report["findings"][0]["table"], "records");
  EXPECT_EQ(report["findings"][1]["place"], "record 2 of run " + to_string(run_));
}

}  // namespace
}  // namespace perdure::cli
