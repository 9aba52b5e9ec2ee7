/// A disk that loses power.
///
/// What this is: the files of a directory as the disk's log (disk_log.hpp) tells of them, with what
/// of each is certainly on the disk and what only may be.
/// What it promises: an image is one of the states in which a disk may be found after power was
/// lost here, if it writes a sector of 512 bytes whole or not at all. Of what was not synced any
/// sectors may have come to the disk, each in any of its versions; a file may be as long as it was
/// at any time since, with zeros for what did not come; of the entries of a directory any changes
/// may have come since its sync, a rename whole or not at all; one into another directory comes in
/// each of the two for itself.
/// What it does not: model a disk that lies about a sync, or a sector that can't be read.
#pragma once

#include "tests/crash/disk_log.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace perdure::crash {

/// Which syncs of the log the model believes in.
enum class Syncs : std::uint8_t {
  honoured,
  without_data,         ///< fsync and fdatasync of files do nothing; O_DSYNC does what it says.
  without_files,        ///< Nothing makes a file's contents durable.
  without_directories,  ///< fsync of directories does nothing.
};

inline constexpr std::size_t kSectorBytes = 512;

/// What really is in a directory, as DiskModel::seen tells it. LMDB's lock.mdb is left out.
[[nodiscard]] std::map<std::string, std::string> files_in(const std::filesystem::path& root);

/// Thread: one at a time.
class DiskModel {
 public:
  /// `root` is what is there now, all of it on the disk.
  DiskModel(const std::filesystem::path& root, Syncs syncs);

  /// A disk of its own in the state of `other`, which believes in `syncs`.
  DiskModel(const DiskModel& other, Syncs syncs);

  /// The next record. Throws std::logic_error when the log speaks of a file that is not there.
  void apply(const DiskRecord& record);

  /// What processes see: relative path to contents; a directory's path ends with `/`.
  [[nodiscard]] std::map<std::string, std::string> seen() const;
  /// Makes `target` the state after power was lost now. Each thing that is not certain comes to the
  /// disk with probability `kept`.
  void lose_power(const std::filesystem::path& target, double kept, std::mt19937_64& random) const;

 private:
  using Sector = std::array<char, kSectorBytes>;
  template <class T>
  struct Version {
    std::uint64_t when;
    T what;
  };
  struct Node;
  /// A change of a directory: `node` is `name` from now on, or, where it is null, `name` is `to`,
  /// or gone without one.
  struct Change {
    std::string name;
    std::string to;
    std::shared_ptr<Node> node;
  };
  using Entries = std::map<std::string, std::shared_ptr<Node>>;
  struct Node {
    bool directory = false;
    // Of a file: what is seen, and what is certain, with all that may be beside it.
    std::string now;
    std::string certain;
    std::map<std::size_t, std::vector<Version<Sector>>> sectors;
    std::vector<Version<std::size_t>> lengths;
    std::size_t last_write_bytes = 0;
    // Of a directory: the same.
    Entries entries;
    Entries certain_entries;
    std::vector<Version<Change>> changes;
  };

  static std::shared_ptr<Node> load(const std::filesystem::path& path,
                                    std::map<std::uint64_t, std::shared_ptr<Node>>& inodes);
  using Copies = std::map<const Node*, std::shared_ptr<Node>>;
  static std::shared_ptr<Node> copy(const std::shared_ptr<Node>& node, Copies& copies);
  static void make(const Change& change, Entries& entries);
  void note(const std::shared_ptr<Node>& directory, Change change);
  std::pair<std::shared_ptr<Node>, std::string> parent_of(const std::string& path) const;
  Node& node(std::uint64_t inode) const;
  void create(const DiskRecord& record);
  void rename(const DiskRecord& record);
  void remove(const DiskRecord& record);
  void write(Node& file, std::size_t offset, const std::string& data);
  void truncate(Node& file, std::size_t size);
  void note_sectors(Node& file, std::size_t begin, std::size_t end);
  void end_sync(Node& node, std::uint64_t begun) const;
  void end_write_through(Node& file, std::size_t offset) const;
  static void settle(Node& file, std::size_t sector, std::vector<Version<Sector>>& versions,
                     std::uint64_t before);
  static void see(const Node& directory, const std::string& prefix,
                  std::map<std::string, std::string>& files);
  static void leave(const Node& directory, const std::filesystem::path& target, double kept,
                    std::mt19937_64& random);
  static std::string leave_file(const Node& file, double kept, std::mt19937_64& random);

  const Syncs syncs_;
  std::shared_ptr<Node> root_;
  std::map<std::uint64_t, std::shared_ptr<Node>> inodes_;
  std::map<std::uint64_t, std::uint64_t> syncs_begun_;  ///< By the number in the log.
  std::uint64_t time_ = 0;
};

}  // namespace perdure::crash
