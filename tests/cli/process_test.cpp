/// The built command, as a shell sees it: another process than the one that has the journal open.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/exit_code.hpp"
#include "journal/directory.hpp"
#include "journal/lmdb_store.hpp"
#include "tests/cli/journal_builder.hpp"

extern char** environ;

namespace perdure::cli {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct Ended {
  int code = -1;
  std::string out;
  std::string err;
};

std::string all_of(int descriptor) {
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t count = ::read(descriptor, part.data(), part.size());
    if (count <= 0) return text;
    text.append(part.data(), static_cast<std::size_t>(count));
  }
}

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class ProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "perdure-cli-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory = name;
    journal_path = directory / "trips.journal";
  }
  void TearDown() override { fs::remove_all(directory); }

  std::unique_ptr<journal::JournalForWriting> create() {
    auto opened = journal::JournalForWriting::open(journal_path, clock, random);
    EXPECT_TRUE(opened.has_value()) << opened.error().message;
    return std::move(opened).value();
  }
  /// A journal with one completed run, that nobody has open.
  RunId dead_journal() {
    const auto journal = create();
    JournalBuilder builder(journal->store(), journal->last_number());
    const RunId run = builder.start("trip", "alice");
    builder.step(run, {1}, "book", payload(std::string("F-1")));
    builder.complete(run, payload(std::string("done")));
    EXPECT_TRUE(journal->close_cleanly(builder.last_number(), builder.now()).has_value());
    return run;
  }

  /// Starts the command with `out` as its standard output and errors in a file.
  pid_t start(const std::vector<std::string>& arguments, int out) {
    std::vector<std::string> words = arguments;
    words.insert(words.begin(), PERDURE_COMMAND);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors().c_str(),
                                       O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t child = -1;
    EXPECT_EQ(::posix_spawn(&child, PERDURE_COMMAND, &actions, nullptr, argv.data(), environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    return child;
  }
  static int wait_for(pid_t child) {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  Ended run(const std::vector<std::string>& arguments) {
    std::array<int, 2> pipe{};
    EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const pid_t child = start(arguments, pipe[1]);
    ::close(pipe[1]);
    Ended ended;
    ended.out = all_of(pipe[0]);
    ::close(pipe[0]);
    ended.code = wait_for(child);
    ended.err = content(errors());
    return ended;
  }
  Ended on_journal(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--journal", journal_path.string()});
    return run(arguments);
  }
  [[nodiscard]] std::string errors() const { return (directory / "errors").string(); }

  fs::path directory;
  fs::path journal_path;
  core::ManualClock clock;
  core::SeededRandom random{7};
};

int number(ExitCode code) { return static_cast<int>(code); }

TEST_F(ProcessTest, ReadsADeadJournal) {
  const RunId id = dead_journal();
  const Ended runs = on_journal({"runs"});
  EXPECT_EQ(runs.code, 0) << runs.err;
  EXPECT_NE(runs.out.find(to_string(id) + "  trip/alice  completed"), std::string::npos)
      << runs.out;
  const Ended shown = on_journal({"show", "trip/alice"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_NE(shown.out.find("\"F-1\""), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("not open for writing"), std::string::npos);
  const Ended records = on_journal({"journal", to_string(id)});
  EXPECT_EQ(records.code, 0) << records.err;
  EXPECT_NE(records.out.find("#2  run_ended"), std::string::npos) << records.out;
  const Ended verified = on_journal({"verify"});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  EXPECT_TRUE(verified.out.starts_with("Sound: 1 run, 3 records, ")) << verified.out;
  for (const Ended& each : {runs, shown, records, verified}) {
    EXPECT_EQ(each.err, "");
    EXPECT_EQ(each.out.find('\x1b'), std::string::npos) << "no colours into a pipe";
  }
}

TEST_F(ProcessTest, ReadsALiveJournalAndFollowsIt) {
  const auto journal = create();
  JournalBuilder builder(journal->store(), journal->last_number());
  const RunId id = builder.start("trip", "alice");
  const std::string holder = "process " + std::to_string(::getpid());
  const Ended shown = on_journal({"show", to_string(id), "--json"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  const auto first = nlohmann::json::parse(shown.out);
  EXPECT_TRUE(first["holder"].get<std::string>().starts_with(holder)) << first["holder"];
  EXPECT_EQ(first["steps"].size(), 0U);
  builder.step(id, {1}, "book", payload(std::string("F-1")));
  const auto second = nlohmann::json::parse(on_journal({"show", to_string(id), "--json"}).out);
  EXPECT_EQ(second["steps"].size(), 1U);
  EXPECT_NE(on_journal({"show", to_string(id)}).out.find("open in " + holder), std::string::npos);
  EXPECT_EQ(on_journal({"verify"}).code, 0);
}

TEST_F(ProcessTest, WritesJsonThatParses) {
  const RunId id = dead_journal();
  const auto runs = nlohmann::json::parse(on_journal({"runs", "--json"}).out);
  EXPECT_EQ(runs["runs"][0]["id"], to_string(id));
  const auto shown = nlohmann::json::parse(on_journal({"show", "--json", "trip/alice"}).out);
  EXPECT_EQ(shown["steps"][0]["result"], "F-1");
  const auto session = nlohmann::json::parse(on_journal({"session", "--json", "trip/alice"}).out);
  EXPECT_EQ(session["agent"], "trip");
  EXPECT_EQ(session["holder"], nullptr);
  const auto verified = nlohmann::json::parse(on_journal({"verify", "--json"}).out);
  EXPECT_EQ(verified["sound"], true);
  EXPECT_EQ(verified["rows"]["runs"], 1);
  EXPECT_EQ(verified["findings"].size(), 0U);
  std::istringstream lines(on_journal({"journal", to_string(id), "--json"}).out);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    EXPECT_EQ(nlohmann::json::parse(line)["index"], count);
  EXPECT_EQ(count, 3U);
}

TEST_F(ProcessTest, ChangesNothing) {
  dead_journal();
  const std::string before = content(journal_path / "generation-000001" / "data.mdb");
  ASSERT_FALSE(before.empty());
  for (const char* verb : {"runs", "verify"}) EXPECT_EQ(on_journal({verb}).code, 0);
  EXPECT_EQ(on_journal({"show", "trip/alice"}).code, 0);
  EXPECT_EQ(on_journal({"session", "trip/alice"}).code, 0);
  EXPECT_TRUE(before == content(journal_path / "generation-000001" / "data.mdb"));
}

TEST_F(ProcessTest, RefusesABadCommandLine) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, {"nonsense"}, {"runs"}, {"runs", "--journal"}}) {
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.code, number(ExitCode::usage));
    EXPECT_EQ(ended.out, "");
    EXPECT_NE(ended.err.find("--help"), std::string::npos) << ended.err;
  }
  dead_journal();
  EXPECT_EQ(on_journal({"show", "no such"}).code, number(ExitCode::usage));
  EXPECT_EQ(on_journal({"session", "no address"}).code, number(ExitCode::usage));
}

TEST_F(ProcessTest, HelpsOnStandardOutput) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"show", "--help"}, {"--version"}}) {
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.code, 0);
    EXPECT_NE(ended.out.find("perdure"), std::string::npos);
    EXPECT_EQ(ended.err, "");
  }
}

TEST_F(ProcessTest, SaysThatThereIsNoJournal) {
  for (const char* verb : {"runs", "verify"}) {
    const Ended missing = on_journal({verb});
    EXPECT_EQ(missing.code, number(ExitCode::unreadable));
    EXPECT_EQ(missing.out, "");
    EXPECT_NE(missing.err.find(journal_path.string()), std::string::npos) << missing.err;
  }
  EXPECT_FALSE(fs::exists(journal_path)) << "a reader made it";
  fs::create_directory(journal_path);
  std::ofstream(journal_path / "holiday.jpg") << "no journal";
  const Ended other = on_journal({"runs"});
  EXPECT_EQ(other.code, number(ExitCode::unreadable));
  EXPECT_NE(other.err.find(journal_path.string()), std::string::npos) << other.err;
}

TEST_F(ProcessTest, SaysThatAJournalIsDamaged) {
  dead_journal();
  fs::resize_file(journal_path / "generation-000001" / "data.mdb", 8192);
  const Ended cut = on_journal({"runs"});
  EXPECT_EQ(cut.code, number(ExitCode::unreadable)) << cut.out;
  EXPECT_NE(cut.err.find("data.mdb"), std::string::npos) << cut.err;
  std::ofstream(journal_path / "CURRENT") << "something else\n";
  const Ended current = on_journal({"runs"});
  EXPECT_EQ(current.code, number(ExitCode::unreadable));
  EXPECT_NE(current.err.find("CURRENT"), std::string::npos) << current.err;
}

TEST_F(ProcessTest, TellsFindingsFromSoundness) {
  {
    const auto journal = create();
    JournalBuilder builder(journal->store(), journal->last_number());
    const RunId run = builder.start("trip", "alice");
    builder.step(run, {1}, "book", payload(std::string("F-1")));
    journal::Change change;
    change.erase(journal::Table::records, journal::Key{}.add(run).add(std::uint32_t{1}));
    builder.submit(std::move(change));
  }
  const Ended verified = on_journal({"verify"});
  EXPECT_EQ(verified.code, number(ExitCode::findings)) << verified.out << verified.err;
  EXPECT_NE(verified.out.find("remedy: "), std::string::npos) << verified.out;
  EXPECT_NE(verified.out.find("Not sound: "), std::string::npos) << verified.out;
  EXPECT_EQ(verified.err, "");
  const Ended json = on_journal({"verify", "--json"});
  EXPECT_EQ(json.code, number(ExitCode::findings));
  const auto parsed = nlohmann::json::parse(json.out);
  EXPECT_EQ(parsed["sound"], false);
  EXPECT_EQ(parsed["findings"].size(), parsed["findings_count"]);
  EXPECT_FALSE(parsed["findings"][0]["remedy"].get<std::string>().empty());
  const Ended shown = on_journal({"show", "trip/alice"});
  EXPECT_EQ(shown.code, number(ExitCode::unreadable));
  EXPECT_NE(shown.err.find("record 1 of run "), std::string::npos) << shown.err;
}

TEST_F(ProcessTest, SaysThatThereIsNoSuchRun) {
  dead_journal();
  for (const char* name : {"trip/bob", "ZZZZ", "01HF7YAT00AAAAAAAAAAAAAA09"}) {
    const Ended ended = on_journal({"show", name});
    EXPECT_EQ(ended.code, number(ExitCode::not_found)) << name;
    EXPECT_EQ(ended.out, "");
    EXPECT_NE(ended.err.find(name), std::string::npos) << ended.err;
  }
  EXPECT_EQ(on_journal({"session", "trip/bob"}).code, number(ExitCode::not_found));
}

TEST_F(ProcessTest, EndsQuietlyWhenNobodyReads) {
  {
    const auto journal = create();
    JournalBuilder builder(journal->store(), journal->last_number());
    for (int i = 0; i < 20; ++i) builder.start("trip", "session " + std::to_string(i));
  }
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  ::close(pipe[0]);
  const pid_t child = start({"runs", "--journal", journal_path.string()}, pipe[1]);
  ::close(pipe[1]);
  EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(content(errors()), "");
}

TEST_F(ProcessTest, SaysThatTheOutputIsFull) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) GTEST_SKIP() << "no /dev/full here";
  const pid_t child = start({"--help"}, full);
  ::close(full);
  EXPECT_EQ(wait_for(child), number(ExitCode::output));
  EXPECT_NE(content(errors()).find("could not be written"), std::string::npos);
}

/// A pager may wait all night; the writer must be able to use the pages again meanwhile.
TEST_F(ProcessTest, AListingThatNobodyReadsHoldsNoSnapshot) {
  constexpr int kRuns = 2000;  // Several times what a pipe holds.
  const auto journal = create();
  JournalBuilder builder(journal->store(), journal->last_number());
  for (int i = 0; i < kRuns; ++i) (void)builder.start("trip", "session-" + std::to_string(i));
  const auto tables =
      journal::LmdbStore::open(journal_path / "generation-000001", journal::LmdbAccess::read)
          .value();
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const pid_t child = start({"runs", "--all", "--journal", journal_path.string()}, pipe[1]);
  ::close(pipe[1]);
  // When the pipe is full the command waits, or is about to.
  const int room = ::fcntl(pipe[0], F_GETPIPE_SZ);
  for (int ready = 0; ready < room; std::this_thread::yield())
    ASSERT_EQ(::ioctl(pipe[0], FIONREAD, &ready), 0);
  const auto held = [&] {
    return std::ranges::count(tables->open_snapshots(), child,
                              &journal::LmdbStore::OpenSnapshot::process) != 0;
  };
  while (held()) std::this_thread::yield();
  const std::string listed = all_of(pipe[0]);
  ::close(pipe[0]);
  EXPECT_EQ(wait_for(child), 0) << content(errors());
  int runs = 0;
  for (std::size_t at = 0; (at = listed.find("trip/session-", at)) != std::string::npos; ++at)
    ++runs;
  EXPECT_EQ(runs, kRuns) << "each once";
}

}  // namespace
}  // namespace perdure::cli
