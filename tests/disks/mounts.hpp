/// File systems of a child's own.
///
/// What this is: mounts in a mount namespace, for children of tests (child.hpp); they go with the
/// process.
/// What it promises: nothing outside the child sees them.
/// What it does not: work everywhere. Containers often refuse it; then tests say so and skip.
#pragma once

#include <gtest/gtest.h>

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>

namespace perdure::test {

/// What a child returns that may not mount.
inline constexpr int kNoMounts = 77;
#define PERDURE_SKIP_WITHOUT_MOUNTS(status)                                                        \
  if ((status) == ::perdure::test::kNoMounts)                                                      \
  GTEST_SKIP() << "needs a mount namespace of its own (root, or user namespaces)"

/// A user namespace in which this process is who it was, but may mount.
inline bool leave_user_namespace() {
  const std::string uid = std::to_string(::getuid());
  const std::string gid = std::to_string(::getgid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  const auto write = [](const char* file, const std::string& text) {
    std::ofstream stream(file);
    stream << text << std::flush;
    return stream.good();
  };
  return write("/proc/self/setgroups", "deny") &&
         write("/proc/self/uid_map", uid + " " + uid + " 1") &&
         write("/proc/self/gid_map", gid + " " + gid + " 1");
}

/// A mount namespace of this process's own. False where that is refused.
inline bool leave_mount_namespace() {
  if (::unshare(CLONE_NEWNS) != 0 && !leave_user_namespace()) return false;
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

/// A file system in memory of so many bytes at `directory`.
inline bool mount_small(const std::filesystem::path& directory, std::size_t bytes) {
  const std::string options = "size=" + std::to_string(bytes);
  return leave_mount_namespace() &&
         ::mount("tmpfs", directory.c_str(), "tmpfs", 0, options.c_str()) == 0;
}

/// `directory` itself, which can't be written from now on.
inline bool mount_read_only(const std::filesystem::path& directory) {
  return leave_mount_namespace() &&
         ::mount(directory.c_str(), directory.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
         ::mount(nullptr, directory.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) ==
             0;
}

/// Takes all the room there is, but for so many bytes, by a file.
inline void fill(const std::filesystem::path& ballast, std::size_t but) {
  const int file = ::open(ballast.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  off_t size = 0;
  while (::write(file, page.data(), page.size()) == static_cast<ssize_t>(page.size()))
    size += static_cast<off_t>(page.size());
  const auto keep = static_cast<off_t>(but);
  if (::ftruncate(file, size > keep ? size - keep : 0) != 0) std::abort();
  ::close(file);
}

}  // namespace perdure::test
