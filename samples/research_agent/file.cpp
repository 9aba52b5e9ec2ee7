#include "file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace research {
namespace pd = perdure;
namespace {

/// An open file, closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;
};

pd::Error failure(const std::string& path, std::string_view what) {
  return {pd::Code::user, path + " cannot be " + std::string(what) + " (" + std::strerror(errno) +
                              "). Check its folder's rights and the room on the disk."};
}

pd::Result<void> write_all(int file, const std::string& path, std::string_view contents) {
  while (!contents.empty()) {
    const ssize_t written = ::write(file, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure(path, "written");
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
  return pd::success();
}

}  // namespace

pd::Result<void> write_file(const std::string& path, std::string_view contents) {
  const std::string partial = path + ".partial";
  {
    const Descriptor file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.number() < 0) return failure(partial, "opened");
    PERDURE_TRY(write_all(file.number(), partial, contents));
    if (::fsync(file.number()) != 0) return failure(partial, "synced");
  }
  if (std::rename(partial.c_str(), path.c_str()) != 0) return failure(path, "put in place");
  // The new name is durable only when its folder is.
  std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (parent.empty()) parent = ".";
  const Descriptor folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.number() < 0 || ::fsync(folder.number()) != 0) {
    return failure(parent.string(), "synced");
  }
  return pd::success();
}

}  // namespace research
