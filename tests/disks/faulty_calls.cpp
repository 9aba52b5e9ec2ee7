#include "tests/disks/faulty_calls.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

namespace perdure::test {

Faults faults;

std::string fault_name(const std::atomic<int>* fault) {
  if (fault == &faults.log_sync) return "log_sync";
  if (fault == &faults.log_write) return "log_write";
  if (fault == &faults.sync) return "sync";
  if (fault == &faults.pages) return "pages";
  if (fault == &faults.meta) return "meta";
  return "other";
}

namespace {

constexpr std::size_t kPageBytes = 4096;

bool is_named(int file, std::string_view name) {
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
  return size > 0 && std::string_view(path.data(), static_cast<std::size_t>(size)).ends_with(name);
}
bool is_data_file(int file) { return is_named(file, "/data.mdb"); }
bool is_log(int file) { return is_named(file, "/wal"); }

ssize_t fails_with(int why) {
  errno = why;
  return -1;
}

/// How many of `size` bytes may be written; negative: none, and errno says why.
ssize_t allowed(std::size_t size) {
  ++faults.page_writes;
  const long left = faults.bytes_left;
  if (left < 0) return faults.pages != 0 ? fails_with(faults.pages) : static_cast<ssize_t>(size);
  if (left == 0) return fails_with(faults.pages != 0 ? faults.pages.load() : ENOSPC);
  const long now = std::min<long>(left, static_cast<long>(size));
  faults.bytes_left = left - now;
  if (now < static_cast<long>(size) && faults.room_comes.exchange(false)) {
    faults.bytes_left = -1;
    faults.pages = 0;
  }
  return now;
}

/// As `allowed`, of a write to the log.
ssize_t allowed_in_log(int file, std::size_t size, off_t offset) {
  if (faults.log_write != 0) return fails_with(faults.log_write);
  struct stat status{};
  if (faults.log_growth != 0 && ::fstat(file, &status) == 0 &&
      offset + static_cast<off_t>(size) > status.st_size)
    return fails_with(faults.log_growth);
  const long left = faults.log_bytes_left;
  if (left < 0) return static_cast<ssize_t>(size);
  const long now = std::min<long>(left, static_cast<long>(size));
  faults.log_bytes_left = left == 0 ? -1 : left - now;
  return left == 0 ? fails_with(ENOSPC) : now;
}

}  // namespace

void Faults::clear() noexcept {
  for (std::atomic<int>* fault : {&sync, &pages, &meta, &log_sync, &log_write, &log_growth})
    *fault = 0;
  bytes_left = -1;
  log_bytes_left = -1;
  room_comes = false;
  file_system = 0;
}

}  // namespace perdure::test

using perdure::test::faults;

extern "C" {

ssize_t pwrite(int file, const void* bytes, std::size_t size, off_t offset) {
  namespace pt = perdure::test;
  if (pt::is_data_file(file)) {
    if (offset < static_cast<off_t>(2 * pt::kPageBytes)) {
      ++faults.meta_writes;
      if (faults.meta != 0) return pt::fails_with(faults.meta);
    } else {
      const ssize_t count = pt::allowed(size);
      if (count < 0) return count;
      size = static_cast<std::size_t>(count);
    }
  } else if (pt::is_log(file)) {
    const ssize_t count = pt::allowed_in_log(file, size, offset);
    if (count < 0) return count;
    size = static_cast<std::size_t>(count);
  }
  return ::syscall(SYS_pwrite64, file, bytes, size, offset);
}

ssize_t writev(int file, const iovec* parts, int count) {
  namespace pt = perdure::test;
  if (pt::is_data_file(file)) {
    std::size_t size = 0;
    for (int i = 0; i < count; ++i) size += parts[i].iov_len;
    const ssize_t may = pt::allowed(size);
    if (may < 0) return may;
    // A write that is cut short ends at a part's end here; LMDB only looks at the sum.
    std::size_t left = static_cast<std::size_t>(may);
    int whole = 0;
    while (whole < count && parts[whole].iov_len <= left) left -= parts[whole++].iov_len;
    if (whole == 0) return ::syscall(SYS_write, file, parts[0].iov_base, left);
    count = whole;
  }
  return ::syscall(SYS_writev, file, parts, count);
}

ssize_t write(int file, const void* bytes, std::size_t size) {
  namespace pt = perdure::test;
  if (pt::is_data_file(file)) {
    const ssize_t count = pt::allowed(size);
    if (count < 0) return count;
    size = static_cast<std::size_t>(count);
  }
  return ::syscall(SYS_write, file, bytes, size);
}

/// Whether there is room is asked so.
int fallocate(int file, int mode, off_t offset, off_t size) {
  namespace pt = perdure::test;
  const int why = faults.pages;
  if ((why == ENOSPC || why == EDQUOT) && pt::is_data_file(file))
    return static_cast<int>(pt::fails_with(why));
  return static_cast<int>(::syscall(SYS_fallocate, file, mode, offset, size));
}

int statfs(const char* path, struct statfs* status) noexcept {
  const auto result = static_cast<int>(::syscall(SYS_statfs, path, status));
  if (faults.file_system != 0) status->f_type = faults.file_system;
  return result;
}

int fdatasync(int file) {
  namespace pt = perdure::test;
  if (pt::is_data_file(file)) {
    ++faults.syncs;
    if (faults.sync != 0) return static_cast<int>(pt::fails_with(faults.sync));
  } else if (pt::is_log(file)) {
    ++faults.log_syncs;
    if (faults.log_sync != 0) return static_cast<int>(pt::fails_with(faults.log_sync));
  }
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}

/// Of a log that is being made; LMDB does without.
int fsync(int file) {
  namespace pt = perdure::test;
  if (faults.log_sync != 0 && pt::is_log(file))
    return static_cast<int>(pt::fails_with(faults.log_sync));
  return static_cast<int>(::syscall(SYS_fsync, file));
}

}  // extern "C"
