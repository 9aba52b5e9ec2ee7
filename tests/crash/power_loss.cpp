#include "tests/crash/power_loss.hpp"

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

constexpr unsigned kLookSeconds = 200;
constexpr int kLivesToComplete = 4;
/// Of one loss; they have one reason, mostly.
constexpr std::size_t kFindingsTold = 5;

/// Runs `look` in a process of its own: what it found, and how that process ended when not well.
std::vector<std::string> in_a_process(const std::function<std::vector<std::string>()>& look) {
  int found[2];
  if (::pipe(found) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    ::alarm(kLookSeconds);
    std::string text;
    for (std::string line : look()) {
      std::ranges::replace(line, '\n', ' ');
      text += line + "\n";
    }
    const ssize_t written = ::write(found[1], text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(found[1]);
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(found[0], buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  ::close(found[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  std::vector<std::string> lines;
  for (std::size_t end = 0; (end = text.find('\n')) != std::string::npos;) {
    lines.push_back(text.substr(0, end));
    text.erase(0, end + 1);
  }
  if (status != 0)
    lines.push_back("whoever reads the journal dies, with status " + std::to_string(status));
  return lines;
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

/// What had left the process before a moment.
struct Past {
  Mode mode = Mode::full;
  std::string outside;
  std::vector<Recorded> before;
};

std::vector<std::string> look_at(const fs::path& image, const Past& past) {
  return judge(history_of(past.outside), read_journal(image / "journal"), past.before, Ended::maybe,
               ahead_in(past.mode));
}

std::vector<std::string> go_on_with(const fs::path& image, Past past) {
  const fs::path journal = image / "journal";
  const fs::path outside = image.parent_path() / "image-outside";
  std::ofstream(outside, std::ios::binary) << past.outside;
  std::vector<std::string> findings;
  for (int i = 0; i < kLivesToComplete; ++i) {
    past.before.push_back(recorded_steps(read_journal(journal)));
    const Outcome outcome = live(journal, outside, "P" + std::to_string(i), past.mode);
    const Ended ended = outcome.completed() ? Ended::all_of_it : Ended::maybe;
    findings = judge(read_history(outside), read_journal(journal), past.before, ended,
                     ahead_in(past.mode));
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
      seen_((fs::create_directories(directory_ / "disk"), directory_ / "disk"), Syncs::honoured) {}

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

std::vector<std::string> lose_power(const TappedLives& lives, Syncs syncs,
                                    const std::vector<Loss>& losses, std::mt19937_64& random) {
  const fs::path empty = lives.directory() / "empty";
  fs::create_directories(empty);
  DiskModel disk(empty, syncs);
  const fs::path image = lives.directory() / "image";
  std::vector<std::string> findings;
  Past past;
  past.mode = lives.mode();
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
    for (const std::string& finding : in_a_process([&] {
           std::vector<std::string> found = look_at(image, past);
           if (found.empty() && loss.then == Then::go_on) found = go_on_with(image, past);
           found.resize(std::min(found.size(), kFindingsTold));
           return found;
         }))
      findings.push_back(words_of(loss) + finding);
  }
  return findings;
}

std::vector<Loss> draw_losses(const std::vector<DiskRecord>& records, std::size_t count,
                              std::size_t go_on_each, std::mt19937_64& random) {
  constexpr std::array kKept{0.0, 0.1, 0.5, 0.9, 1.0};
  std::vector<Loss> losses;
  while (losses.size() < count) {
    Loss loss;
    loss.at = random() % (records.size() + 1);
    const bool tender = loss.at != 0 && is_tender(records[loss.at - 1]);
    if (!tender && random() % 4 != 0) continue;
    loss.kept = kKept[random() % kKept.size()];
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
  if (findings.empty())
    findings = lose_power(lives, Syncs::honoured, draw_losses(lives.records(), losses, 10, random),
                          random);
  std::string text;
  for (const std::string& finding : findings) text += finding + "\n";
  return text.empty() ? text : plan + "\n" + text;
}

}  // namespace perdure::crash
