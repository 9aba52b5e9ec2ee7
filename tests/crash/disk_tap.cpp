// A library for LD_PRELOAD that logs what its process does to the files of a directory
// (disk_log.hpp). It stands in for the C library's functions and makes the system calls itself.
//
// Environment: PERDURE_DISK_ROOT, the directory; PERDURE_DISK_LOG, the log; PERDURE_DISK_MARKS, a
// file whose writes are logged as marks; PERDURE_DISK_KILL_AT=N, to die right behind the N-th
// record.
//
// LMDB's lock.mdb is left out: it means nothing after a restart.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "tests/crash/disk_log.hpp"

using perdure::crash::DiskEvent;
using perdure::crash::DiskRecordHeader;

namespace {

/// Descriptors above this are not followed; the workload has a few dozen.
constexpr std::size_t kDescriptors = 4096;

enum class What : std::uint8_t { nothing, file, marks };
struct Descriptor {
  What what = What::nothing;
  bool through = false;  ///< Its writes are on the disk when they return.
  std::uint64_t inode = 0;
};

class Tap {
 public:
  Tap() {
    const char* const root = std::getenv("PERDURE_DISK_ROOT");
    const char* const log = std::getenv("PERDURE_DISK_LOG");
    const char* const marks = std::getenv("PERDURE_DISK_MARKS");
    if (root == nullptr || log == nullptr || marks == nullptr) return;
    root_ = std::string(root) + "/";
    marks_ = marks;
    if (const char* const at = std::getenv("PERDURE_DISK_KILL_AT")) kill_at_ = std::atol(at);
    log_ = static_cast<int>(
        ::syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  }

  std::mutex mutex;

  Descriptor* of(int descriptor) {
    if (descriptor < 0 || static_cast<std::size_t>(descriptor) >= kDescriptors) return nullptr;
    return &descriptors_[static_cast<std::size_t>(descriptor)];
  }
  /// The path of a file in the watched directory, relative to that; `.` for the directory itself;
  /// empty for any other.
  std::string inside(int directory, const char* path) const {
    const std::string whole = absolute(directory, path);
    if (log_ >= 0 && whole + "/" == root_) return ".";
    if (log_ < 0 || !whole.starts_with(root_) || whole.ends_with("/lock.mdb")) return {};
    return whole.substr(root_.size());
  }
  bool is_marks(const char* path) const { return log_ >= 0 && marks_ == path; }

  void log(DiskEvent event, std::uint64_t file, std::uint64_t offset, std::string_view path,
           std::string_view data) {
    DiskRecordHeader header;
    header.event = static_cast<std::uint32_t>(event);
    header.path_bytes = static_cast<std::uint32_t>(path.size());
    header.data_bytes = data.size();
    header.file = file;
    header.offset = offset;
    std::string record(reinterpret_cast<const char*>(&header), sizeof header);
    record.append(path).append(data);
    if (::syscall(SYS_write, log_, record.data(), record.size()) !=
        static_cast<long>(record.size()))
      std::abort();
    if (++records_ == kill_at_) ::kill(::getpid(), SIGKILL);
  }
  std::uint64_t next_sync() { return ++syncs_; }

 private:
  static std::string absolute(int directory, const char* path) {
    if (path[0] == '/') return path;
    std::array<char, 4096> base{};
    const std::string link =
        directory == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/" + std::to_string(directory);
    const ssize_t size = ::readlink(link.c_str(), base.data(), base.size());
    return std::string(base.data(), size > 0 ? static_cast<std::size_t>(size) : 0) + "/" + path;
  }

  std::string root_;
  std::string marks_;
  int log_ = -1;
  long kill_at_ = 0;
  long records_ = 0;
  std::uint64_t syncs_ = 0;
  std::array<Descriptor, kDescriptors> descriptors_{};
};

/// Made at the first use, which is before main; never destroyed, since files are closed after that.
Tap& tap() {
  alignas(Tap) static std::array<std::byte, sizeof(Tap)> memory;
  static Tap* const made = std::construct_at(reinterpret_cast<Tap*>(memory.data()));
  return *made;
}

std::uint64_t inode_of(int descriptor) {
  struct stat status{};
  return ::fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

int open_at(int directory, const char* path, int flags, mode_t mode) {
  Tap& disk = tap();
  const std::lock_guard lock(disk.mutex);
  const std::string inside = disk.inside(directory, path);
  struct stat before{};
  const bool was_there = !inside.empty() && ::fstatat(directory, path, &before, 0) == 0;
  const int opened = static_cast<int>(::syscall(SYS_openat, directory, path, flags, mode));
  Descriptor* const known = disk.of(opened);
  if (known == nullptr) return opened;
  *known = {};
  if (disk.is_marks(path)) known->what = What::marks;
  if (inside.empty()) return opened;
  *known = {What::file, (flags & O_DSYNC) != 0,
            inside == "." ? perdure::crash::kDiskRoot : inode_of(opened)};
  if (!was_there) disk.log(DiskEvent::create_file, known->inode, 0, inside, {});
  if (was_there && (flags & O_TRUNC) != 0) disk.log(DiskEvent::truncate, known->inode, 0, {}, {});
  return opened;
}

/// Makes the system call and logs what it wrote. `offset` is empty where the file knows it.
template <class Call>
ssize_t write_and_log(int descriptor, std::string_view data, std::optional<off_t> offset,
                      Call call) {
  Tap& disk = tap();
  Descriptor* const known = disk.of(descriptor);
  if (known == nullptr || known->what == What::nothing) return call();
  const std::lock_guard lock(disk.mutex);
  const ssize_t written = call();
  if (written <= 0) return written;
  data = data.substr(0, static_cast<std::size_t>(written));
  if (known->what == What::marks) {
    disk.log(DiskEvent::mark, 0, 0, {}, data);
    return written;
  }
  const auto at = static_cast<std::uint64_t>(
      offset ? *offset : ::lseek(descriptor, 0, SEEK_CUR) - static_cast<off_t>(written));
  disk.log(DiskEvent::write, known->inode, at, {}, data);
  if (known->through) disk.log(DiskEvent::write_through, known->inode, at, {}, {});
  return written;
}

std::string gathered(const iovec* parts, int count) {
  std::string data;
  for (int i = 0; i < count; ++i)
    data.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  return data;
}

std::string_view view(const void* data, std::size_t size) {
  return {static_cast<const char*>(data), size};
}

/// The lock is free meanwhile: what others do during a sync may be on the disk after it, or not.
int sync(int descriptor, long call) {
  Tap& disk = tap();
  Descriptor* const known = disk.of(descriptor);
  if (known == nullptr || known->what != What::file)
    return static_cast<int>(::syscall(call, descriptor));
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(disk.mutex);
    number = disk.next_sync();
    disk.log(DiskEvent::sync_begin, known->inode, number, {}, {});
  }
  const int done = static_cast<int>(::syscall(call, descriptor));
  const std::lock_guard lock(disk.mutex);
  if (done == 0) disk.log(DiskEvent::sync_end, known->inode, number, {}, {});
  return done;
}

int truncate(int descriptor, off_t size) {
  Tap& disk = tap();
  const std::lock_guard lock(disk.mutex);
  const int done = static_cast<int>(::syscall(SYS_ftruncate, descriptor, size));
  const Descriptor* const known = disk.of(descriptor);
  if (done == 0 && known != nullptr && known->what == What::file)
    disk.log(DiskEvent::truncate, known->inode, static_cast<std::uint64_t>(size), {}, {});
  return done;
}

int make_directory(int directory, const char* path, mode_t mode) {
  Tap& disk = tap();
  const std::lock_guard lock(disk.mutex);
  const int done = static_cast<int>(::syscall(SYS_mkdirat, directory, path, mode));
  const std::string inside = disk.inside(directory, path);
  struct stat status{};
  if (done == 0 && !inside.empty() && ::fstatat(directory, path, &status, 0) == 0)
    disk.log(DiskEvent::create_directory, status.st_ino, 0, inside, {});
  return done;
}

int rename_at(int from_directory, const char* from, int to_directory, const char* to) {
  Tap& disk = tap();
  const std::lock_guard lock(disk.mutex);
  const int done =
      static_cast<int>(::syscall(SYS_renameat2, from_directory, from, to_directory, to, 0));
  const std::string inside = disk.inside(from_directory, from);
  if (done == 0 && !inside.empty())
    disk.log(DiskEvent::rename, 0, 0, inside, disk.inside(to_directory, to));
  return done;
}

int remove_at(int directory, const char* path, int flags) {
  Tap& disk = tap();
  const std::lock_guard lock(disk.mutex);
  const std::string inside = disk.inside(directory, path);
  const int done = static_cast<int>(::syscall(SYS_unlinkat, directory, path, flags));
  if (done == 0 && !inside.empty()) disk.log(DiskEvent::remove, 0, 0, inside, {});
  return done;
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

// The C library's names; those that end in 64 are the same where an offset has 64 bits.
extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_at(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_at(AT_FDCWD, path, flags, mode);
}
int openat(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_at(directory, path, flags, mode);
}
int openat64(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_at(directory, path, flags, mode);
}
// What open becomes where its arguments are checked while compiling.
int __open_2(const char* path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char* path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }

int close(int descriptor) {
  Tap& disk = tap();
  {
    const std::lock_guard lock(disk.mutex);
    if (Descriptor* const known = disk.of(descriptor)) *known = {};
  }
  return static_cast<int>(::syscall(SYS_close, descriptor));
}

ssize_t write(int descriptor, const void* data, size_t size) {
  return write_and_log(descriptor, view(data, size), std::nullopt,
                       [&] { return ::syscall(SYS_write, descriptor, data, size); });
}
ssize_t writev(int descriptor, const iovec* parts, int count) {
  return write_and_log(descriptor, gathered(parts, count), std::nullopt,
                       [&] { return ::syscall(SYS_writev, descriptor, parts, count); });
}
ssize_t pwrite(int descriptor, const void* data, size_t size, off_t offset) {
  return write_and_log(descriptor, view(data, size), offset,
                       [&] { return ::syscall(SYS_pwrite64, descriptor, data, size, offset); });
}
ssize_t pwrite64(int descriptor, const void* data, size_t size, off64_t offset) {
  return pwrite(descriptor, data, size, offset);
}
ssize_t pwritev(int descriptor, const iovec* parts, int count, off_t offset) {
  return write_and_log(descriptor, gathered(parts, count), offset,
                       [&] { return ::syscall(SYS_pwritev, descriptor, parts, count, offset, 0); });
}
ssize_t pwritev64(int descriptor, const iovec* parts, int count, off64_t offset) {
  return pwritev(descriptor, parts, count, offset);
}

int fsync(int descriptor) { return sync(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return sync(descriptor, SYS_fdatasync); }
int ftruncate(int descriptor, off_t size) noexcept { return truncate(descriptor, size); }
int ftruncate64(int descriptor, off64_t size) noexcept { return truncate(descriptor, size); }

int mkdir(const char* path, mode_t mode) noexcept { return make_directory(AT_FDCWD, path, mode); }
int mkdirat(int directory, const char* path, mode_t mode) noexcept {
  return make_directory(directory, path, mode);
}
int rename(const char* from, const char* to) noexcept {
  return rename_at(AT_FDCWD, from, AT_FDCWD, to);
}
int renameat(int from_directory, const char* from, int to_directory, const char* to) noexcept {
  return rename_at(from_directory, from, to_directory, to);
}
int unlink(const char* path) noexcept { return remove_at(AT_FDCWD, path, 0); }
int rmdir(const char* path) noexcept { return remove_at(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int directory, const char* path, int flags) noexcept {
  return remove_at(directory, path, flags);
}
// libstdc++ removes files with it.
int remove(const char* path) noexcept {
  struct stat status{};
  if (::lstat(path, &status) != 0) return -1;
  return remove_at(AT_FDCWD, path, S_ISDIR(status.st_mode) ? AT_REMOVEDIR : 0);
}

}  // extern "C"
