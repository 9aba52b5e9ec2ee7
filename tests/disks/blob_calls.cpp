#include "tests/disks/blob_calls.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

namespace perdure::test {

BlobFaults blob_faults;

namespace {

std::mutex mutex;
std::string journal;
std::vector<BlobCall> calls;

/// Relative to the journal; empty where it is none of its business.
std::string within(std::string_view path) {
  const std::lock_guard lock(mutex);
  if (journal.empty() || !path.starts_with(journal)) return {};
  path.remove_prefix(journal.size());
  if (path.empty()) return ".";
  return path.starts_with("/blobs") ? std::string(path.substr(1)) : std::string();
}

std::string path_of(int file) {
  std::array<char, 4096> path{};
  const ssize_t size =
      ::readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), path.data(), path.size());
  return within({path.data(), size > 0 ? static_cast<std::size_t>(size) : 0});
}

void note(BlobCall call) {
  const std::lock_guard lock(mutex);
  calls.push_back(std::move(call));
}

bool is_shelf(std::string_view path) { return path.size() == 8 && path.starts_with("blobs/"); }

int fails_with(int why) {
  errno = why;
  return -1;
}

/// What a call on `path` came to, written down where it succeeded.
int done(long result, BlobCall::What what, const std::string& path, std::string to = {}) {
  if (result >= 0 && !path.empty()) note({what, path, std::move(to)});
  return static_cast<int>(result);
}

int sync(int file, long call) {
  const std::string path = path_of(file);
  struct stat status{};
  const bool is_directory = ::fstat(file, &status) == 0 && S_ISDIR(status.st_mode);
  const int why = is_directory ? blob_faults.directory_sync : blob_faults.file_sync;
  if (is_shelf(path) && blob_faults.before_shelf_sync)
    std::exchange(blob_faults.before_shelf_sync, {})();
  if (!path.empty() && why != 0) return fails_with(why);
  return done(::syscall(call, file), BlobCall::What::sync, path);
}

}  // namespace

void BlobFaults::clear() {
  for (std::atomic<int>* fault : {&write, &file_sync, &directory_sync, &rename, &make}) *fault = 0;
  bytes_left = -1;
  before_shelf_sync = {};
}

void record_blob_calls(const std::string& directory) {
  const std::lock_guard lock(mutex);
  journal = directory;
  calls.clear();
}

std::vector<BlobCall> blob_calls() {
  const std::lock_guard lock(mutex);
  return calls;
}

}  // namespace perdure::test

extern "C" {

ssize_t pwrite(int file, const void* bytes, std::size_t size, off_t offset) {
  namespace pt = perdure::test;
  const std::string path = pt::path_of(file);
  if (!path.empty() && pt::blob_faults.write != 0) {
    const long left = pt::blob_faults.bytes_left;
    if (left <= 0) return pt::fails_with(pt::blob_faults.write);
    size = std::min(size, static_cast<std::size_t>(left));
    pt::blob_faults.bytes_left = left - static_cast<long>(size);
  }
  return pt::done(::syscall(SYS_pwrite64, file, bytes, size, offset), pt::BlobCall::What::write,
                  path);
}

int fdatasync(int file) { return perdure::test::sync(file, SYS_fdatasync); }
int fsync(int file) { return perdure::test::sync(file, SYS_fsync); }

int rename(const char* from, const char* to) noexcept {
  namespace pt = perdure::test;
  const std::string path = pt::within(from);
  if (!path.empty() && pt::blob_faults.rename != 0) return pt::fails_with(pt::blob_faults.rename);
  return pt::done(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0),
                  pt::BlobCall::What::rename, path, pt::within(to));
}

int unlink(const char* path) noexcept {
  namespace pt = perdure::test;
  return pt::done(::syscall(SYS_unlinkat, AT_FDCWD, path, 0), pt::BlobCall::What::remove,
                  pt::within(path));
}

int mkdir(const char* path, mode_t mode) noexcept {
  namespace pt = perdure::test;
  const std::string inside = pt::within(path);
  if (!inside.empty() && pt::blob_faults.make != 0) return pt::fails_with(pt::blob_faults.make);
  return pt::done(::syscall(SYS_mkdirat, AT_FDCWD, path, mode), pt::BlobCall::What::make, inside);
}

}  // extern "C"
