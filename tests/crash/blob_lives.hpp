/// Lives of a process that puts blobs, and losses of power in them.
///
/// What this is: processes (blob_workload.cpp) on a tapped disk (disk_tap.cpp), and the look at
/// what is left after a death or a loss of power: what was acknowledged as durable is there, and
/// the next process can go on.
/// What it does not: run what stands above the store.
#pragma once

#include "core/bytes.hpp"
#include "core/random.hpp"
#include "journal/blob_store.hpp"
#include "tests/crash/disk_model.hpp"
#include "tests/crash/process.hpp"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::crash {

/// Small chunks, so that a blob has several.
[[nodiscard]] inline journal::BlobStoreOptions blob_options() {
  return {.chunk_bytes = journal::kBlobChunkBytesMin};
}
/// Content `number`: some shrinks, some does not.
[[nodiscard]] inline core::Bytes blob_content(std::uint64_t number) {
  core::Bytes bytes(3000 + 2500 * (number % 4));
  core::SeededRandom random(number);
  if (number % 3 == 0)
    bytes.assign(bytes.size(), static_cast<std::byte>(number));
  else
    random.fill(bytes);
  return bytes;
}

enum class BlobMode : std::uint8_t { full, mixed };
/// What else is wrong with files than that they lack what was acknowledged.
enum class Torn : std::uint8_t {
  refused,  ///< There is nothing but whole files under blobs' names.
  allowed,  ///< What was not to be durable may be torn.
};

class BlobLives {
 public:
  explicit BlobLives(std::filesystem::path directory);

  /// One life that puts `contents`, killed behind the `kill_at`-th record of the disk's log, if
  /// that is not 0.
  Outcome live(BlobMode mode, int contents, long kill_at = 0);

  [[nodiscard]] std::filesystem::path root() const { return directory_ / "disk"; }
  [[nodiscard]] std::filesystem::path image() const { return directory_ / "image"; }
  /// Of all lives.
  [[nodiscard]] std::vector<DiskRecord> records() const;
  /// The contents that were acknowledged as durable.
  [[nodiscard]] const std::set<std::uint64_t>& acknowledged() const { return acknowledged_; }
  [[nodiscard]] const std::vector<std::string>& findings() const { return findings_; }

 private:
  std::filesystem::path directory_;
  std::set<std::uint64_t> acknowledged_;
  std::vector<std::string> findings_;
};

/// Adds the numbers in lines of what was acknowledged.
void take_acknowledged(std::string_view lines, std::set<std::uint64_t>& acknowledged);

/// What is wrong with the journal's blobs in `image`, which a writer opens here.
[[nodiscard]] std::vector<std::string> look_at_blobs(const std::filesystem::path& image,
                                                     const std::set<std::uint64_t>& acknowledged,
                                                     Torn torn);

/// Loses power behind each record from the `first` on, with each of `kept` (as
/// DiskModel::lose_power). What was found.
[[nodiscard]] std::vector<std::string> lose_power_of_blobs(const BlobLives& lives, Syncs syncs,
                                                           Torn torn,
                                                           const std::vector<double>& kept,
                                                           std::size_t first = 0);

}  // namespace perdure::crash
