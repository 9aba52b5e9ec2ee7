#include "tests/crash/blob_lives.hpp"

#include "journal/blob_hash.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

namespace perdure::crash {
namespace {

namespace fs = std::filesystem;
using journal::BlobStore;
using journal::Durability;

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().to_string());
  return std::move(result).value();
}

std::string contents_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> look(const fs::path& image, const std::set<std::uint64_t>& acknowledged,
                              Torn torn) {
  std::vector<std::string> findings;
  const journal::BlobDirectory reading(image);
  for (const std::uint64_t number : acknowledged) {
    const core::Bytes content = blob_content(number);
    const journal::BlobRef ref{value_of(journal::ContentHash::of(content)), content.size()};
    const auto found = reading.get(ref, content.size());
    if (!found)
      findings.push_back("content " + std::to_string(number) + ": " + found.error().to_string());
    else if (found.value() != content)
      findings.push_back("content " + std::to_string(number) + " is wrong");
  }
  std::set<journal::BlobId> damaged;
  if (const auto read = reading.check_all([&](const journal::CheckedBlob& blob) -> Result<void> {
        if (blob.damage && torn == Torn::refused)
          findings.push_back("torn: " + blob.damage->to_string());
        if (blob.damage && blob.id) damaged.insert(*blob.id);
        return success();
      });
      !read)
    findings.push_back(read.error().to_string());
  // The next process goes on, whatever it finds.
  const auto store = value_of(BlobStore::open(image, blob_options()));
  if (fs::exists(store->directory().place().unfinished()))
    findings.emplace_back("what was unfinished is still there");
  for (std::uint64_t number = 0; number < 4; ++number) {
    const core::Bytes content = blob_content(number);
    // Real syncs would prove nothing here, and there are thousands of looks.
    const journal::BlobRef ref = value_of(store->put(content, Durability::none));
    if (value_of(store->directory().get(ref, content.size())) != content)
      findings.emplace_back("what the next process puts is wrong");
    damaged.erase(ref.id);
  }
  std::size_t left = 0;
  static_cast<void>(store->directory().check_all([&](const journal::CheckedBlob& blob) {
    left += blob.damage ? 1 : 0;
    return Result<void>(success());
  }));
  if (left != damaged.size()) findings.emplace_back("a torn one is still there after its put");
  return findings;
}

}  // namespace

BlobLives::BlobLives(fs::path directory) : directory_(std::move(directory)) {
  fs::create_directories(root());
}

Outcome BlobLives::live(BlobMode mode, int contents, long kill_at) {
  Plan plan;
  plan.program = PERDURE_CRASH_BLOB_WORKLOAD;
  plan.environment["LD_PRELOAD"] = PERDURE_CRASH_DISK_TAP;
  plan.environment["PERDURE_DISK_ROOT"] = root().string();
  plan.environment["PERDURE_DISK_LOG"] = (directory_ / "log").string();
  plan.environment["PERDURE_DISK_MARKS"] = (directory_ / "outside").string();
  plan.environment["PERDURE_DISK_KILL_AT"] = std::to_string(kill_at);
  plan.environment["PERDURE_CRASH_DURABILITY"] = mode == BlobMode::full ? "full" : "mixed";
  plan.environment["PERDURE_BLOBS"] = std::to_string(contents);
  const Outcome outcome = crash::live(root(), directory_ / "outside", "L", Mode::full, plan);
  if (!outcome.killed() && !outcome.completed())
    findings_.push_back("a life ended with " + outcome.words());
  take_acknowledged(contents_of(directory_ / "outside"), acknowledged_);
  // A death takes nothing that was written, durable or not.
  fs::remove_all(image());
  fs::copy(root(), image(), fs::copy_options::recursive);
  for (const std::string& finding : look_at_blobs(image(), acknowledged_, Torn::refused))
    findings_.push_back("after a life: " + finding);
  return outcome;
}

std::vector<DiskRecord> BlobLives::records() const { return read_disk_log(directory_ / "log"); }

void take_acknowledged(std::string_view lines, std::set<std::uint64_t>& acknowledged) {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    // What a dying process left of a line was not told.
    if (end == std::string_view::npos) return;
    acknowledged.insert(std::stoull(std::string(lines.substr(0, end))));
    lines.remove_prefix(end + 1);
  }
}

std::vector<std::string> look_at_blobs(const fs::path& image,
                                       const std::set<std::uint64_t>& acknowledged, Torn torn) {
  return look_in_a_process([&] { return look(image, acknowledged, torn); });
}

std::vector<std::string> lose_power_of_blobs(const BlobLives& lives, Syncs syncs, Torn torn,
                                             const std::vector<double>& kept, std::size_t first) {
  const std::vector<DiskRecord> records = lives.records();
  const fs::path nothing = lives.image().parent_path() / "nothing";
  fs::create_directories(nothing);
  DiskModel disk(nothing, syncs);
  std::mt19937_64 random(1);
  std::set<std::uint64_t> acknowledged;
  std::vector<std::string> findings;
  for (std::size_t at = 0; at < records.size(); ++at) {
    disk.apply(records[at]);
    if (records[at].event == DiskEvent::mark) take_acknowledged(records[at].data, acknowledged);
    // A write more or less makes no difference to what is named and synced.
    if (at < first || records[at].event == DiskEvent::write) continue;
    // Nor does a shelf, or that a sync begins.
    if (records[at].event == DiskEvent::sync_begin) continue;
    if (records[at].event == DiskEvent::create_directory && at % 64 != 0) continue;
    for (const double share : kept) {
      disk.lose_power(lives.image(), share, random);
      for (const std::string& finding : look_at_blobs(lives.image(), acknowledged, torn))
        findings.push_back("power lost behind record " + std::to_string(at + 1) + ", " +
                           std::to_string(share) + " kept: " + finding);
    }
  }
  if (disk.seen() != files_in(lives.root()))
    findings.emplace_back("the disk's log makes other files");
  return findings;
}

}  // namespace perdure::crash
