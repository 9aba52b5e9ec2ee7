#include "tests/crash/power_loss.hpp"

#include "tests/crash/survivors.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>
#include <stdexcept>

namespace perdure::crash {
namespace {

namespace fs = std::filesystem;

constexpr int kLivesToComplete = 4;
/// Of one loss; they have one reason, mostly.
constexpr std::size_t kFindingsTold = 5;

/// A process has opened a journal after about as many records, and brought its log below.
constexpr std::size_t kOpeningRecords = 30;
/// Of a story's losses some are followed by others, each while the last one is recovered from.
constexpr int kLossesFollowed = 2;
constexpr int kLossesInARow = 2;

double drawn_share(std::mt19937_64& random) {
  constexpr std::array kKept{0.0, 0.1, 0.5, 0.9, 1.0};
  return kKept[random() % kKept.size()];
}

/// The map of LMDB's readers means nothing after a restart, whatever is in it.
void leave_lock_files(const fs::path& root, std::mt19937_64& random) {
  std::vector<fs::path> journals;
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.path().filename() == "data.mdb") journals.push_back(entry.path().parent_path());
  for (const fs::path& journal : journals) {
    const std::uint64_t choice = random() % 3;
    if (choice == 0) continue;
    std::string noise(choice == 1 ? 0 : 8192, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    std::ofstream(journal / "lock.mdb", std::ios::binary) << noise;
  }
}

/// In mode `none` the newest may be lost; what is left must be whole up to some moment.
Past left_of(const Past& past, Mode mode, const JournalFacts& facts) {
  return mode == Mode::none ? Past{survivors(past.outside, facts), past.before} : past;
}

std::vector<std::string> look_at(const fs::path& image, const Past& past, Mode mode) {
  const JournalFacts facts = read_journal(image / "journal");
  const Past left = left_of(past, mode, facts);
  // An opening is durable in each mode, before anything else is noted.
  if (!facts.exists &&
      std::ranges::count(left.outside, '\n') < std::ranges::count(past.outside, '\n'))
    return {"the journal is gone"};
  return judge(history_of(left.outside), facts, left.before, Ended::maybe, ahead_in(mode));
}

std::vector<std::string> go_on_with(const fs::path& image, Past past, Mode mode) {
  const fs::path journal = image / "journal";
  past = left_of(past, mode, read_journal(journal));
  const fs::path outside = image.parent_path() / "image-outside";
  std::ofstream(outside, std::ios::binary) << past.outside;
  std::vector<std::string> findings;
  for (int i = 0; i < kLivesToComplete; ++i) {
    past.before.push_back(recorded_steps(read_journal(journal)));
    const Outcome outcome = live(journal, outside, "P" + std::to_string(i), mode);
    const Ended ended = outcome.completed() ? Ended::all_of_it : Ended::maybe;
    findings =
        judge(read_history(outside), read_journal(journal), past.before, ended, ahead_in(mode));
    if (outcome.completed() || !findings.empty()) return findings;
    if (!outcome.parked()) return {"the next life ended with " + outcome.words()};
  }
  return {"not everything ended, and nobody disturbed it"};
}

std::string words_of(const Loss& loss) {
  return "power was lost behind record " + std::to_string(loss.at) + ", " +
         std::to_string(loss.kept) + " of what was uncertain came to the disk: ";
}

/// Where things are under way: a sync, a write through, or a word just given.
bool is_tender(const DiskRecord& record) {
  return record.event == DiskEvent::sync_begin || record.event == DiskEvent::sync_end ||
         record.event == DiskEvent::write_through || record.event == DiskEvent::mark ||
         record.event == DiskEvent::rename;
}

}  // namespace

TappedLives::TappedLives(fs::path directory, Mode mode)
    : directory_(std::move(directory)),
      mode_(mode),
      first_((fs::create_directories(directory_ / "disk"), directory_ / "disk"), Syncs::honoured),
      seen_(first_, Syncs::honoured) {}

TappedLives::TappedLives(fs::path directory, Mode mode, const fs::path& image, Past past)
    : directory_(std::move(directory)),
      mode_(mode),
      past_(std::move(past)),
      before_(past_.before),
      first_(
          (fs::create_directories(directory_),
           fs::copy(image, directory_ / "disk", fs::copy_options::recursive), directory_ / "disk"),
          Syncs::honoured),
      seen_(first_, Syncs::honoured) {
  std::ofstream(directory_ / "outside", std::ios::binary) << past_.outside;
  facts_ = read_journal(root() / "journal");
}

bool TappedLives::live_once(long kill_at) {
  before_.push_back(recorded_steps(facts_));
  Plan plan;
  plan.environment["LD_PRELOAD"] = PERDURE_CRASH_DISK_TAP;
  plan.environment["PERDURE_DISK_ROOT"] = root().string();
  plan.environment["PERDURE_DISK_LOG"] = (directory_ / "log").string();
  plan.environment["PERDURE_DISK_MARKS"] = (directory_ / "outside").string();
  plan.environment["PERDURE_DISK_KILL_AT"] = std::to_string(kill_at);
  const std::string label = "L" + std::to_string(before_.size());
  const Outcome outcome =
      crash::live(root() / "journal", directory_ / "outside", label, mode_, plan);
  if (!outcome.as_planned())
    findings_.push_back("life " + label + " ended with " + outcome.words());
  const std::size_t known = records_.size();
  records_ = read_disk_log(directory_ / "log");
  for (std::size_t i = known; i < records_.size(); ++i) seen_.apply(records_[i]);
  hold_model_against_disk();
  facts_ = read_journal(root() / "journal");
  for (const std::string& finding :
       judge(read_history(directory_ / "outside"), facts_, before_,
             outcome.completed() ? Ended::all_of_it : Ended::maybe, ahead_in(mode_)))
    findings_.push_back("after life " + label + ": " + finding);
  return outcome.completed();
}

void TappedLives::live(long kill_at) { static_cast<void>(live_once(kill_at)); }

void TappedLives::complete() {
  for (int i = 0; i < kLivesToComplete; ++i)
    if (live_once(0)) return;
  findings_.push_back("not everything ended, and nobody disturbed it");
}

void TappedLives::hold_model_against_disk() {
  const std::map<std::string, std::string> real = files_in(root());
  const std::map<std::string, std::string> model = seen_.seen();
  for (const auto& [path, bytes] : real) {
    const auto found = model.find(path);
    if (found == model.end()) {
      findings_.push_back("the log knows nothing of " + path);
    } else if (found->second != bytes) {
      findings_.push_back("the log makes another file of " + path);
    }
  }
  for (const auto& [path, bytes] : model)
    if (!real.contains(path)) findings_.push_back("the log has made up " + path);
}

namespace {

/// The next process finds `image`, and loses power while it recovers, and later.
std::vector<std::string> lose_power_again(const fs::path& directory, Mode mode,
                                          const fs::path& image, const Past& past, int again,
                                          std::mt19937_64& random) {
  TappedLives lives(directory, mode, image, left_of(past, mode, read_journal(image / "journal")));
  lives.live(0);
  if (!lives.findings().empty()) return lives.findings();
  std::vector<Loss> losses = draw_losses(lives.records(), 6, 6, random);
  const std::size_t opening = std::min(kOpeningRecords, lives.records().size());
  for (std::size_t at = 1; at <= opening; ++at)
    losses.push_back({at, drawn_share(random), Then::look, 0});
  losses[losses.size() - 1 - random() % opening].again = again - 1;
  std::ranges::sort(losses, {}, &Loss::at);
  return lose_power(lives, Syncs::honoured, losses, random);
}

}  // namespace

std::vector<std::string> lose_power(const TappedLives& lives, Syncs syncs,
                                    const std::vector<Loss>& losses, std::mt19937_64& random) {
  DiskModel disk = lives.disk_at_first(syncs);
  const fs::path image = lives.directory() / "image";
  std::vector<std::string> findings;
  Past past = lives.past();
  std::size_t at = 0;
  for (const Loss& loss : losses) {
    for (; at < loss.at; ++at) {
      const DiskRecord& record = lives.records()[at];
      disk.apply(record);
      if (record.event == DiskEvent::mark) past.outside += record.data;
    }
    const std::size_t begun = history_of(past.outside).size();
    past.before.assign(lives.before().begin(),
                       lives.before().begin() + static_cast<std::ptrdiff_t>(begun));
    disk.lose_power(image, loss.kept, random);
    leave_lock_files(image, random);
    // A process that goes on changes it.
    const fs::path again = lives.directory() / "again";
    fs::create_directories(again);
    if (loss.again > 0) fs::copy(image, again / "image", fs::copy_options::recursive);
    std::vector<std::string> found = look_in_a_process([&] {
      std::vector<std::string> seen = look_at(image, past, lives.mode());
      if (seen.empty() && loss.then == Then::go_on) seen = go_on_with(image, past, lives.mode());
      seen.resize(std::min(seen.size(), kFindingsTold));
      return seen;
    });
    if (found.empty() && loss.again > 0)
      found = lose_power_again(again / "lives", lives.mode(), again / "image", past, loss.again,
                               random);
    fs::remove_all(again);
    for (const std::string& finding : found) findings.push_back(words_of(loss) + finding);
  }
  return findings;
}

std::vector<Loss> draw_losses(const std::vector<DiskRecord>& records, std::size_t count,
                              std::size_t go_on_each, std::mt19937_64& random) {
  std::vector<Loss> losses;
  while (losses.size() < count) {
    Loss loss;
    loss.at = random() % (records.size() + 1);
    const bool tender = loss.at != 0 && is_tender(records[loss.at - 1]);
    if (!tender && random() % 4 != 0) continue;
    loss.kept = drawn_share(random);
    loss.then = losses.size() % go_on_each == 0 ? Then::go_on : Then::look;
    losses.push_back(loss);
  }
  std::ranges::sort(losses, {}, &Loss::at);
  return losses;
}

std::string lose_power_at_random(const fs::path& directory, Mode mode, std::uint64_t seed,
                                 std::size_t losses) {
  std::mt19937_64 random(seed);
  TappedLives lives(directory, mode);
  const std::uint64_t deaths = random() % 3;
  std::string plan = "durability " + std::string(to_string(mode)) + ", seed " +
                     std::to_string(seed) + ", lives killed behind their records";
  for (std::uint64_t i = 0; i < deaths; ++i) {
    const long kill_at = 1 + static_cast<long>(random() % (i == 0 ? 500 : 100));
    plan += " " + std::to_string(kill_at);
    lives.live(kill_at);
  }
  lives.complete();
  std::vector<std::string> findings = lives.findings();
  if (findings.empty()) {
    std::vector<Loss> drawn = draw_losses(lives.records(), losses, 10, random);
    for (int i = 0; i < kLossesFollowed; ++i) drawn[random() % drawn.size()].again = kLossesInARow;
    findings = lose_power(lives, Syncs::honoured, drawn, random);
  }
  std::string text;
  for (const std::string& finding : findings) text += finding + "\n";
  return text.empty() ? text : plan + "\n" + text;
}

}  // namespace perdure::crash
