#include "tests/crash/log_lives.hpp"

#include "journal/lmdb_store.hpp"
#include "journal/page_checker.hpp"
#include "journal/wal_reader.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace perdure::crash {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().to_string());
  return std::move(result).value();
}

/// As somebody reads it who does not write, and nobody does.
Rows rows_of_a_reader(const fs::path& image) {
  const auto tables = value_of(journal::LmdbStore::open(image, journal::LmdbAccess::read));
  const auto reader = value_of(journal::WalReader::open(image, kLogJournal, *tables));
  if (const auto damage = value_of(reader->check(false)).damage)
    throw std::runtime_error(reader->error(*damage).to_string());
  return all_rows(*reader);
}

/// What the next writer has, and what it leaves in the tables.
std::pair<Rows, Rows> rows_of_a_writer(const fs::path& image) {
  const auto tables = value_of(journal::LmdbStore::open(image, journal::LmdbAccess::write));
  const auto store = value_of(journal::WalStore::open(image, kLogJournal, *tables, small_log()));
  return {all_rows(*store), all_rows(*tables)};
}

std::vector<std::string> page_findings(const fs::path& image) {
  std::vector<std::string> findings;
  for (const auto& finding : value_of(journal::check_pages(image / "data.mdb")).findings)
    findings.push_back("page " + std::to_string(finding.page) + ": " + finding.what);
  return findings;
}

/// In this process. A copy is opened for writing.
std::vector<std::string> look(const fs::path& image, const KnownBatches& known,
                              bool with_all_committed) {
  std::vector<std::string> findings = page_findings(image);
  if (!findings.empty()) return findings;
  const Rows read = rows_of_a_reader(image);
  findings = known.hold_against(read, with_all_committed);
  for (std::string& each : differ_by_another_way(image, kLogJournal, read))
    findings.push_back(std::move(each));
  fs::path copy = image;
  copy += "-written";
  fs::remove_all(copy);
  fs::copy(image, copy, fs::copy_options::recursive);
  const auto [written, below] = rows_of_a_writer(copy);
  if (written != read) findings.emplace_back("whoever writes it has other rows than who reads it");
  if (below != read) findings.emplace_back("an opening leaves other rows in the tables");
  for (std::string& each : page_findings(copy)) findings.push_back(std::move(each));
  if (rows_of_a_reader(copy) != read)
    findings.emplace_back("who reads it has other rows after somebody opened it");
  return findings;
}

std::string words_of(const LogLife& life) {
  constexpr std::array kModes{"full", "none", "mixed"};
  return std::to_string(life.batches) + " batches " + kModes[static_cast<std::size_t>(life.mode)] +
         (life.settles ? " settled" : "") +
         (life.crash_at.empty() ? "" : " killed at " + life.crash_at) +
         (life.kill_at == 0 ? "" : " killed behind record " + std::to_string(life.kill_at));
}

LogLife draw_life(std::mt19937_64& random, bool is_first) {
  constexpr std::array kPoints{"log_extended", "commit_written", "checkpoint_before",
                               "checkpoint_written", "checkpoint_after"};
  LogLife life;
  life.mode = static_cast<LogMode>(random() % 3);
  life.batches = static_cast<int>(is_first ? 8 + random() % 24 : random() % 16);
  life.settles = random() % 2 == 0;
  const std::uint64_t end = random() % 4;
  if (end == 0) life.kill_at = 1 + static_cast<long>(random() % 150);
  if (end == 1)
    life.crash_at =
        std::string(kPoints[random() % kPoints.size()]) + ":" + std::to_string(1 + random() % 6);
  return life;
}

}  // namespace

LogLives::LogLives(fs::path directory) : directory_(std::move(directory)) {
  fs::create_directories(root());
  if (!journal::LmdbStore::create(root()) || !journal::WalFile::create(root(), kLogJournal))
    throw std::runtime_error("no files");
}

LogLives::LogLives(fs::path directory, const fs::path& image, KnownBatches known)
    : directory_(std::move(directory)), known_(std::move(known)) {
  fs::create_directories(directory_);
  fs::copy(image, root(), fs::copy_options::recursive);
}

Outcome LogLives::live(const LogLife& life) {
  constexpr std::array kModes{"full", "none", "mixed"};
  Plan plan;
  plan.program = PERDURE_CRASH_LOG_WORKLOAD;
  plan.crash_at = life.crash_at;
  plan.environment["LD_PRELOAD"] = PERDURE_CRASH_DISK_TAP;
  plan.environment["PERDURE_DISK_ROOT"] = root().string();
  plan.environment["PERDURE_DISK_LOG"] = disk_log().string();
  plan.environment["PERDURE_DISK_MARKS"] = (directory_ / "outside").string();
  plan.environment["PERDURE_DISK_KILL_AT"] = std::to_string(life.kill_at);
  plan.environment["PERDURE_CRASH_DURABILITY"] = kModes[static_cast<std::size_t>(life.mode)];
  plan.environment["PERDURE_LOG_BATCHES"] = std::to_string(life.batches);
  plan.environment["PERDURE_LOG_SETTLES"] = life.settles ? "1" : "0";
  // Of this life among all that there are: what two lives write must differ.
  const std::string label = directory_.filename().string() + "L" + std::to_string(++lives_);
  const Outcome outcome = crash::live(root(), directory_ / "outside", label, Mode::full, plan);
  if (!outcome.killed() && !outcome.completed())
    findings_.push_back(words_of(life) + ": it ended with " + outcome.words());
  const std::string outside = contents(directory_ / "outside");
  known_.take_lines(std::string_view(outside).substr(known_bytes_));
  known_bytes_ = outside.size();
  for (const std::string& finding : look_at_log(root(), known_, true))
    findings_.push_back("after " + words_of(life) + ": " + finding);
  return outcome;
}

std::vector<std::string> look_at_log(const fs::path& image, const KnownBatches& known,
                                     bool with_all_committed) {
  return look_in_a_process([&] { return look(image, known, with_all_committed); });
}

namespace {

/// A process that finds a log to bring below has done so after as many records, mostly.
constexpr std::size_t kRecoveryRecords = 20;
/// Of the disks that a life leaves when it loses power, so many are gone on with.
constexpr int kBranches = 2;

/// One story's state.
struct Story {
  std::mt19937_64 random;
  std::size_t losses;
  Syncs syncs;
  int images = 0;
  std::vector<std::string> findings;
};

/// Lives on, from `image` where there is one, and loses power at moments of that.
void lose_power_in(Story& story, const fs::path& directory, const fs::path& image,
                   const KnownBatches& known, int depth, const std::string& before);

/// Power is lost now; with a `depth` above 0 another process goes on.
void lose_power_here(Story& story, const DiskModel& disk, const LogLives& lives,
                     const KnownBatches& known, std::size_t at, int depth,
                     const std::string& before) {
  constexpr std::array kKept{0.0, 0.1, 0.5, 0.9, 1.0};
  const double kept = kKept[story.random() % kKept.size()];
  const fs::path image = lives.directory() / "image";
  disk.lose_power(image, kept, story.random);
  const std::string plan = before + "; power lost behind record " + std::to_string(at) + ", " +
                           std::to_string(kept) + " kept";
  for (const std::string& finding : look_at_log(image, known, false))
    story.findings.push_back(plan + ": " + finding);
  if (depth == 0 || !story.findings.empty()) return;
  KnownBatches left = known;
  left.forget_but(rows_of_a_reader(image));
  lose_power_in(story, lives.directory().parent_path() / std::to_string(++story.images), image,
                left, depth - 1, plan);
}

void lose_power_in(Story& story, const fs::path& directory, const fs::path& image,
                   const KnownBatches& known, int depth, const std::string& before) {
  LogLives lives = image.empty() ? LogLives(directory) : LogLives(directory, image, known);
  DiskModel disk(lives.root(), story.syncs);
  std::string plan = before;
  for (std::uint64_t left = 1 + story.random() % 3; left > 0; --left) {
    const LogLife life = draw_life(story.random, image.empty());
    lives.live(life);
    plan += "; " + words_of(life);
  }
  for (const std::string& finding : lives.findings())
    story.findings.push_back(plan + "; " + finding);
  const std::vector<DiskRecord> records = read_disk_log(lives.disk_log());
  KnownBatches then = known;
  int branches = kBranches;
  for (std::size_t at = 0; at < records.size() && story.findings.empty(); ++at) {
    disk.apply(records[at]);
    if (records[at].event == DiskEvent::mark) then.take_lines(records[at].data);
    // Of a recovery all of it: it comes first, and is short.
    const bool is_recovery = !image.empty() && at < kRecoveryRecords;
    if (!is_recovery && story.random() % records.size() >= story.losses) continue;
    const bool goes_on = branches > 0 && story.random() % (is_recovery ? 8 : 16) == 0;
    if (goes_on) --branches;
    lose_power_here(story, disk, lives, then, at + 1, goes_on ? depth : 0, plan);
  }
  if (story.findings.empty() && disk.seen() != files_in(lives.root()))
    story.findings.push_back(plan + "; the disk's log makes other files");
  fs::remove_all(directory);
}

}  // namespace

std::string lose_power_of_logs(const fs::path& directory, std::uint64_t seed, std::size_t losses,
                               int depth, Syncs syncs) {
  Story story{.random = std::mt19937_64(seed), .losses = losses, .syncs = syncs, .findings = {}};
  lose_power_in(story, directory / "0", {}, {}, depth, "seed " + std::to_string(seed));
  std::string text;
  for (const std::string& finding : story.findings) text += finding + "\n";
  return text;
}

}  // namespace perdure::crash
