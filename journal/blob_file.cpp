#include "journal/blob_file.hpp"

#include "journal/file_system.hpp"

#include <unistd.h>

#include <cerrno>

namespace perdure::journal {

Result<bool> read_file_at(const Descriptor& file, const std::filesystem::path& path,
                          std::uint64_t place, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t count = ::pread(file.number(), out.data(), out.size(), static_cast<off_t>(place));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error(path, "read", errno);
    if (count == 0) return false;
    out = out.subspan(static_cast<std::size_t>(count));
    place += static_cast<std::uint64_t>(count);
  }
  return true;
}

Result<void> write_file_at(const Descriptor& file, const std::filesystem::path& path,
                           std::uint64_t place, core::ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(file.number(), bytes.data(), bytes.size(), static_cast<off_t>(place));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error(path, "written", errno);
    if (count == 0) return file_error(path, "written", EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    place += static_cast<std::uint64_t>(count);
  }
  return success();
}

}  // namespace perdure::journal
