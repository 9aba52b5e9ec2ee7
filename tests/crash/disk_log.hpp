/// The disk's log: everything that a process did to the files of a directory, in its order.
///
/// What this is: what the tap (disk_tap.cpp, put under the workload by LD_PRELOAD) writes, and the
/// disk's model (disk_model.hpp) reads. Several lives of one journal write one log, one after the
/// other.
/// What it promises: the log's order is the order in which things happened: a write stands in it
/// before anything that could know of it, and the end of a sync stands behind the sync.
/// What it does not: know of writes through a memory map. The models' files are held against the
/// real ones after each life, so such a write would not go unseen.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace perdure::crash {

enum class DiskEvent : std::uint32_t {
  create_file = 1,       ///< `path`, which is now `file`.
  create_directory = 2,  ///< The same.
  write = 3,             ///< `data` at `offset` of `file`.
  write_through = 4,     ///< What `file` had of the write at `offset` is on the disk now.
  truncate = 5,          ///< `file` has `offset` bytes now.
  sync_begin = 6,        ///< Of `file`; `offset` is a number that the end repeats.
  sync_end = 7,
  rename = 8,  ///< `path` to `data`.
  remove = 9,  ///< `path`.
  mark = 10,   ///< The outside world's memory got `data`.
};

/// The `file` of the watched directory itself.
inline constexpr std::uint64_t kDiskRoot = 0;

/// Paths are relative to the watched directory; `file` is an inode's number.
struct DiskRecord {
  DiskEvent event = DiskEvent::mark;
  std::uint64_t file = 0;
  std::uint64_t offset = 0;
  std::string path;
  std::string data;
};

/// What stands ahead of each record's path and data in the log.
struct DiskRecordHeader {
  std::uint32_t event = 0;
  std::uint32_t path_bytes = 0;
  std::uint64_t data_bytes = 0;
  std::uint64_t file = 0;
  std::uint64_t offset = 0;
};

/// The whole log; without the file, empty. Throws std::runtime_error when it is cut off.
[[nodiscard]] std::vector<DiskRecord> read_disk_log(const std::filesystem::path& file);

}  // namespace perdure::crash
