/// One open file descriptor.
///
/// What this is: the owner of a number that the system gave for a path.
/// What it promises: it is closed at the end, and no process started meanwhile inherits it.
/// What it does not: read, write or retry.
#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace perdure::journal {

/// Thread: as the descriptor itself.
class Descriptor {
 public:
  /// Opens `path`; `number()` is negative where that failed, and `failure()` says why. `mode` is
  /// for files that it makes.
  Descriptor(const std::filesystem::path& path, int flags, mode_t mode = 0600)
      : number_(::open(path.c_str(), flags | O_CLOEXEC, mode)), failure_(number_ < 0 ? errno : 0) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const noexcept { return number_; }
  /// The errno of a failed opening, else 0.
  [[nodiscard]] int failure() const noexcept { return failure_; }

 private:
  const int number_;
  const int failure_;
};

}  // namespace perdure::journal
