/// Losing power while a journal lives.
///
/// What this is: lives of the workload on a tapped disk (disk_tap.cpp), and then, for many moments
/// of them, a disk as it may be found after power was lost there (disk_model.hpp): opened,
/// verified, held against what had left the process before that moment, and sometimes gone on
/// with.
/// What it promises: what is opened is looked at in a process of its own, so that a journal which
/// kills its reader is a finding.
/// What it does not: believe the log: after each life the model's files are held against the real
/// ones.
#pragma once

#include "tests/crash/checker.hpp"
#include "tests/crash/disk_log.hpp"
#include "tests/crash/disk_model.hpp"
#include "tests/crash/process.hpp"

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace perdure::crash {

/// What had left the process before a moment.
struct Past {
  std::string outside;           ///< As history.hpp says.
  std::vector<Recorded> before;  ///< What was recorded when each life of it began.
};

/// A journal's lives on a disk whose every change is known.
class TappedLives {
 public:
  TappedLives(std::filesystem::path directory, Mode mode);
  /// Goes on with a copy of `image`, all of which is on the disk, and of which `past` is known.
  TappedLives(std::filesystem::path directory, Mode mode, const std::filesystem::path& image,
              Past past);

  /// One life; killed behind the `kill_at`-th record of this life's log, if that is not 0. Findings
  /// of the checker, and of the model, go to `findings`.
  void live(long kill_at);
  /// Lives until everything has ended.
  void complete();

  [[nodiscard]] const std::vector<DiskRecord>& records() const { return records_; }
  [[nodiscard]] const std::vector<Recorded>& before() const { return before_; }
  [[nodiscard]] Mode mode() const { return mode_; }
  /// What had left before the first of these lives, and the disk at that moment.
  [[nodiscard]] const Past& past() const { return past_; }
  [[nodiscard]] DiskModel disk_at_first(Syncs syncs) const { return {first_, syncs}; }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] std::filesystem::path root() const { return directory_ / "disk"; }
  [[nodiscard]] const std::vector<std::string>& findings() const { return findings_; }

 private:
  [[nodiscard]] bool live_once(long kill_at);
  void hold_model_against_disk();

  std::filesystem::path directory_;
  Mode mode_;
  Past past_;
  std::vector<DiskRecord> records_;
  std::vector<Recorded> before_;
  JournalFacts facts_;
  DiskModel first_;
  DiskModel seen_;
  std::vector<std::string> findings_;
};

/// What is done with a disk after power was lost.
enum class Then : std::uint8_t {
  look,   ///< Read, verify, check.
  go_on,  ///< And then the workload goes on until everything has ended.
};

struct Loss {
  std::size_t at = 0;  ///< Records of the log that happened before it.
  double kept = 0.5;   ///< How likely each thing that is not certain came to the disk.
  Then then = Then::look;
  /// So many times more power is lost, each time while the next process recovers from the last one.
  int again = 0;
};

/// Loses power at each of `losses`, which are in the order of `at`. What was found, each with its
/// loss.
[[nodiscard]] std::vector<std::string> lose_power(const TappedLives& lives, Syncs syncs,
                                                  const std::vector<Loss>& losses,
                                                  std::mt19937_64& random);

/// `count` losses, most of them where something is under way. Every `go_on_each`-th goes on.
[[nodiscard]] std::vector<Loss> draw_losses(const std::vector<DiskRecord>& records,
                                            std::size_t count, std::size_t go_on_each,
                                            std::mt19937_64& random);

/// A whole story drawn from a seed: lives, of which some are killed, and losses of power. What was
/// found; empty when all is well.
[[nodiscard]] std::string lose_power_at_random(const std::filesystem::path& directory, Mode mode,
                                               std::uint64_t seed, std::size_t losses);

}  // namespace perdure::crash
