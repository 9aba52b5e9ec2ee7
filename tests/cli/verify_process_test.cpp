/// `perdure verify` as a process, on damaged files: it says what is wrong, and never dies of it.
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

#include "cli/exit_code.hpp"
#include "journal/directory.hpp"
#include "tests/cli/journal_builder.hpp"

namespace perdure::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kPageBytes = 4096;

struct Ended {
  int code = -1;  ///< As a shell has it: 128 and the signal for a process that was killed.
  std::string text;
};

class VerifyProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "perdure-cli-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    auto opened = journal::JournalForWriting::open(journal(), clock_, random_);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    {
      JournalBuilder builder(opened.value()->store(), opened.value()->last_number());
      for (int i = 0; i < 30; ++i) {
        const RunId run = builder.start("trip", "session " + std::to_string(i));
        builder.step(run, {1}, "book", payload(std::string(i == 7 ? 9000U : 200U, 'b')));
        builder.complete(run, payload(std::string("done")));
      }
    }
    // A clean end brings all of it into data.mdb.
    ASSERT_TRUE(opened.value()->close_cleanly(0, 0));
    opened.value().reset();
    std::ifstream in(file(), std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
    ASSERT_GT(bytes_.size(), 10 * kPageBytes);
  }
  void TearDown() override { fs::remove_all(directory_); }

  [[nodiscard]] fs::path journal() const { return directory_ / "trips.journal"; }
  [[nodiscard]] fs::path file() const { return journal() / "generation-000001" / "data.mdb"; }
  void write(std::string_view bytes) const {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << bytes;
  }
  [[nodiscard]] Ended verify(const std::string& more = "") const { return run("verify", more); }
  [[nodiscard]] Ended run(const std::string& verb, const std::string& more = "") const {
    const std::string command = std::string("'") + PERDURE_COMMAND + "' " + verb + " --journal '" +
                                journal().string() + "' " + more + " 2>&1";
    Ended ended;
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return ended;
    std::array<char, 4096> part{};
    for (std::size_t n = 0; (n = std::fread(part.data(), 1, part.size(), pipe)) > 0;)
      ended.text.append(part.data(), n);
    const int status = ::pclose(pipe);
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ended;
  }

  fs::path directory_;
  core::ManualClock clock_;
  core::SeededRandom random_{7};
  std::string bytes_;
};

int number(ExitCode code) { return static_cast<int>(code); }

TEST_F(VerifyProcessTest, NamesPageOffsetFaultAndRemedy) {
  std::string changed = bytes_;
  std::size_t at = 0;
  // The first page that is missed.
  for (std::size_t page = 2; at == 0 && page < bytes_.size() / kPageBytes; ++page) {
    changed = bytes_;
    changed[page * kPageBytes] ^= 64;
    write(changed);
    if (verify().code != 0) at = page;
  }
  const Ended text = verify();
  EXPECT_EQ(text.code, number(ExitCode::findings)) << text.text;
  const std::string page = std::to_string(at);
  for (const std::string& part :
       {"data.mdb: page " + page + " calls itself page " + std::to_string(at ^ 64U),
        "at byte " + std::to_string(at * kPageBytes) + ", in ", std::string("remedy: restore"),
        std::string("Not sound: "), std::string("could still be read")})
    EXPECT_NE(text.text.find(part), std::string::npos) << part << " in " << text.text;
  const Ended json = verify("--json");
  EXPECT_EQ(json.code, number(ExitCode::findings));
  const auto parsed = nlohmann::json::parse(json.text);
  EXPECT_EQ(parsed["sound"], false);
  EXPECT_EQ(parsed["rows_checked"], false);
  EXPECT_EQ(parsed["pages"]["sound"], false);
  EXPECT_EQ(parsed["pages"]["findings_count"], parsed["pages"]["findings"].size());
  const auto& finding = parsed["pages"]["findings"][0];
  EXPECT_EQ(finding["page"], at);
  EXPECT_EQ(finding["offset"], at * kPageBytes);
  EXPECT_FALSE(finding["tree"].get<std::string>().empty());
  EXPECT_FALSE(finding["remedy"].get<std::string>().empty());
  write(bytes_);
  const auto sound = nlohmann::json::parse(verify("--json").text);
  EXPECT_EQ(sound["rows_checked"], true);
  EXPECT_EQ(sound["pages"]["sound"], true);
  EXPECT_EQ(sound["pages"]["page_bytes"], kPageBytes);
  EXPECT_GT(sound["pages"]["used"], 10);
}

TEST_F(VerifyProcessTest, DamagedFilesEndItInOrder) {
  core::SeededRandom random{1};
  std::map<int, int> codes;
  for (int i = 0; i < 60; ++i) {
    std::string changed = bytes_;
    const std::size_t at = random.next() % bytes_.size();
    switch (i % 5) {
      case 0: changed.resize(at); break;
      case 1: std::fill(changed.begin() + static_cast<std::ptrdiff_t>(at), changed.end(), 0); break;
      case 2: changed[at] = static_cast<char>(changed[at] ^ 4); break;
      case 3: changed[at / kPageBytes * kPageBytes + at % 32] ^= 1; break;
      default: changed[at % (2 * kPageBytes) / kPageBytes * kPageBytes + at % 152] ^= 2;
    }
    write(changed);
    const Ended ended = verify(i % 2 == 0 ? "" : "--json");
    ++codes[ended.code];
    EXPECT_TRUE(ended.code == 0 || ended.code == number(ExitCode::findings) ||
                ended.code == number(ExitCode::unreadable))
        << "file " << i << ": " << ended.code << "\n"
        << ended.text;
    EXPECT_NE(ended.text, "");
  }
  EXPECT_GT(codes[number(ExitCode::findings)], 20);
}

TEST_F(VerifyProcessTest, SaysWhatIsNoneOfItsFiles) {
  write("");
  EXPECT_EQ(verify().code, number(ExitCode::findings));
  write("Dear diary,\n" + std::string(10'000, '.'));
  const Ended text = verify();
  EXPECT_EQ(text.code, number(ExitCode::findings));
  EXPECT_NE(text.text.find("does not begin as LMDB's"), std::string::npos) << text.text;
  std::string newer = bytes_;
  newer[20] = 2;
  write(newer);
  const Ended refused = verify();
  EXPECT_EQ(refused.code, number(ExitCode::unreadable));
  EXPECT_NE(refused.text.find("use a newer Perdure"), std::string::npos) << refused.text;
  fs::remove(file());
  EXPECT_EQ(verify().code, number(ExitCode::unreadable));
}

TEST_F(VerifyProcessTest, NamesTheRowWithoutWhichNothingElseCanBePutTogether) {
  const std::string_view created_by = "perdure 0.1.0";
  const std::size_t identity = bytes_.find(created_by);
  ASSERT_NE(identity, std::string::npos);
  std::string changed = bytes_;
  for (std::size_t at = identity; at != std::string::npos; at = changed.find(created_by, at))
    changed[at] = 'P';
  write(changed);
  const Ended text = verify();
  EXPECT_EQ(text.code, number(ExitCode::findings)) << text.text;
  EXPECT_NE(text.text.find("the journal's identity: its checksum"), std::string::npos) << text.text;
  EXPECT_NE(text.text.find("30 runs"), std::string::npos) << text.text;
}

TEST_F(VerifyProcessTest, NamesDamageInTheLogAndReadsUpToIt) {
  constexpr std::uint64_t kSecondEntry = 2 * kPageBytes;
  const fs::path log = journal() / "generation-000001" / "wal";
  {
    const auto opened = journal::JournalForWriting::open(journal(), clock_, random_).value();
    JournalBuilder builder(opened->store(), opened->last_number());
    const RunId run = builder.start(core::draw_run_id(clock_, random_), "trip", "one more session");
    builder.complete(run, payload(std::string("done")));
  }
  const auto sound = nlohmann::json::parse(verify("--json").text);
  EXPECT_EQ(sound["sound"], true) << sound.dump(1);
  EXPECT_EQ(sound["log"]["batches"], 3) << "the opening, the start and the end";
  EXPECT_EQ(sound["runs"], 31);
  {
    std::fstream file(log, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(kSecondEntry + 60);
    file << "damage";
  }
  const Ended text = verify();
  EXPECT_EQ(text.code, number(ExitCode::findings)) << text.text;
  for (const std::string& part :
       {std::string("wal: batch "), std::string("Not sound: 1 finding"),
        "at byte " + std::to_string(kSecondEntry), std::string("remedy: "), std::string("30 runs")})
    EXPECT_NE(text.text.find(part), std::string::npos) << part << " in " << text.text;
  const auto parsed = nlohmann::json::parse(verify("--json").text);
  EXPECT_EQ(parsed["sound"], false);
  EXPECT_EQ(parsed["pages"]["sound"], true);
  EXPECT_EQ(parsed["log"]["sound"], false);
  EXPECT_EQ(parsed["log"]["offset"], kSecondEntry);
  EXPECT_EQ(parsed["findings_count"], 0) << "of rows";
  const Ended listed = run("runs");
  EXPECT_EQ(listed.code, number(ExitCode::unreadable));
  EXPECT_NE(listed.text.find("wal' is damaged at byte 8192"), std::string::npos) << listed.text;
}

}  // namespace
}  // namespace perdure::cli
