#include "journal/file_system.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "journal/descriptor.hpp"

namespace perdure::journal {
namespace {

constexpr mode_t kDirectoryMode = 0700;

Result<void> write_all(int file, const std::filesystem::path& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error(path, "written", errno);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return success();
}

/// The type of the file system that a device number belongs to, as /proc/self/mountinfo has it.
std::string type_of_device(dev_t device) {
  const std::string wanted = std::to_string(major(device)) + ":" + std::to_string(minor(device));
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string id;
    std::string parent;
    std::string numbers;
    if (!(words >> id >> parent >> numbers) || numbers != wanted) continue;
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream rest(line.substr(dash + 3));
    std::string type;
    rest >> type;
    return type;
  }
  return {};
}

}  // namespace

Error file_error(const std::filesystem::path& path, std::string_view doing, int number) {
  const std::string what =
      "'" + path.string() + "' can't be " + std::string(doing) + ": " + std::strerror(number);
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return {Code::storage_full, what + ". Free room, then try again"};
    case EACCES:
    case EPERM: return {Code::misuse, what + ". Run as its owner, or give this user the right to"};
    case EROFS:
      return {Code::misuse, what + ". Mount it writable, or open the journal for reading"};
    case ENOENT: return {Code::not_found, what};
    case ENOTDIR: return {Code::misuse, what + ". A part of the path is a file"};
    case ENAMETOOLONG:
    case ELOOP: return {Code::misuse, what + ". Choose another path"};
    default: return {Code::storage_failed, what + ". Check the disk, then try again"};
  }
}

Result<void> make_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), kDirectoryMode) == 0) return success();
  const int why = errno;
  if (why == EEXIST && std::filesystem::is_directory(path)) return success();
  if (why == EEXIST)
    return Error{Code::misuse, "'" + path.string() + "' is not a directory: a journal is one"};
  if (why == ENOENT)
    return Error{Code::misuse, "'" + path.string() +
                                   "' can't be made: the directory that it would be in does not "
                                   "exist. Make that first"};
  return file_error(path, "made", why);
}

Result<void> sync_directory(const std::filesystem::path& directory) {
  const Descriptor file(directory, O_RDONLY | O_DIRECTORY);
  if (file.number() < 0) return file_error(directory, "opened", file.failure());
  // Some file systems have no such thing; then their directories are as safe as they get.
  if (::fsync(file.number()) != 0 && errno != EINVAL) return file_error(directory, "synced", errno);
  return success();
}

Result<void> replace_file(const std::filesystem::path& file, std::string_view text) {
  std::filesystem::path fresh = file;
  fresh += ".new";
  {
    const Descriptor descriptor(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (descriptor.number() < 0) return file_error(fresh, "made", descriptor.failure());
    PERDURE_TRY(write_all(descriptor.number(), fresh, text));
    if (::fsync(descriptor.number()) != 0) return file_error(fresh, "synced", errno);
  }
  return rename_durably(fresh, file);
}

Result<void> rename_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return file_error(from, "renamed", errno);
  return sync_directory(to.parent_path());
}

Result<std::string> read_file(const std::filesystem::path& file, std::size_t limit) {
  const Descriptor descriptor(file, O_RDONLY);
  if (descriptor.number() < 0) return file_error(file, "opened", descriptor.failure());
  std::string text(limit, '\0');
  std::size_t size = 0;
  while (size < limit) {
    const ssize_t count = ::read(descriptor.number(), text.data() + size, limit - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error(file, "read", errno);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  return text;
}

std::string network_file_system(unsigned long magic, std::string_view type) {
  static constexpr std::array<std::pair<unsigned long, std::string_view>, 12> kMagics{{
      {0x6969UL, "NFS"},
      {0x517BUL, "SMB"},
      {0xFE534D42UL, "SMB"},
      {0xFF534D42UL, "CIFS"},
      {0x01021997UL, "9p"},
      {0x5346414FUL, "AFS"},
      {0x6B414653UL, "AFS"},
      {0x73757245UL, "Coda"},
      {0x564CUL, "NCP"},
      {0x00C36400UL, "Ceph"},
      {0x0BD00BD0UL, "Lustre"},
      {0x47504653UL, "GPFS"},
  }};
  for (const auto& [number, name] : kMagics)
    if (magic == number) return std::string(name);
  // FUSE says by its type what is behind it.
  static constexpr std::array<std::string_view, 8> kFuse{"sshfs", "s3fs",    "rclone", "glusterfs",
                                                         "ceph",  "gcsfuse", "davfs",  "goofys"};
  constexpr std::string_view kPrefix = "fuse.";
  if (!type.starts_with(kPrefix)) return {};
  for (const std::string_view name : kFuse)
    if (type.substr(kPrefix.size()).starts_with(name)) return std::string(name);
  return {};
}

Result<void> check_file_system(const std::filesystem::path& directory) {
  struct statfs file_system{};
  struct stat status{};
  if (::statfs(directory.c_str(), &file_system) != 0 || ::stat(directory.c_str(), &status) != 0)
    return file_error(directory, "opened", errno);
  const std::string name = network_file_system(
      static_cast<unsigned long>(file_system.f_type) & 0xFFFFFFFFUL, type_of_device(status.st_dev));
  if (name.empty()) return success();
  return Error{Code::unsupported, "the journal '" + directory.string() +
                                      "' is on a network file system (" + name +
                                      "), where locks and shared memory maps can't be relied "
                                      "upon: put it on a local disk"};
}

}  // namespace perdure::journal
