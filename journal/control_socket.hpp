/// The socket CONTROL of a journal's directory: its name, its two ends, and who is at the other.
///
/// What this is: Unix sockets of the stream kind, whose name stands in the journal's directory.
/// What it promises: the directory's path may be of any length (it is gone through by descriptor,
/// `/proc/self/fd/N/CONTROL`); the name appears when the socket takes connections, with mode 0600,
/// and replaces what a dead process left there; no descriptor is inherited.
/// What it does not: decide who may listen. Whoever holds LOCK does.
#pragma once

#include <perdure/result.hpp>

#include <filesystem>
#include <string_view>

#include <sys/types.h>

namespace perdure::journal {

inline constexpr std::string_view kControlName = "CONTROL";

/// One open file descriptor, or none. Thread: as the descriptor itself.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int number) noexcept : number_(number) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();
  /// Negative: there is none.
  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// A socket that takes connections under the name, without waiting for any. The caller holds LOCK.
/// Errors: `unsupported` (the file system has no sockets, /proc is not there), `misuse`,
/// `storage_full`, `storage_failed`.
[[nodiscard]] Result<Socket> listen_for_control(const std::filesystem::path& directory);
/// Takes the name away. The caller holds LOCK.
void forget_control(const std::filesystem::path& directory) noexcept;
/// A connection to whoever listens there, which waits for nothing; none when nobody does. Errors:
/// `misuse` (no permission), `busy` (too many wait to be taken), `unsupported`.
[[nodiscard]] Result<Socket> connect_to_control(const std::filesystem::path& directory);

/// Whether the process at the other end may give orders: it is of this user, or of root. Nobody
/// else gets past the file's mode, unless somebody opened it further.
[[nodiscard]] bool may_control(const Socket& connection);
/// The rule of it.
[[nodiscard]] constexpr bool may_control(uid_t asking, uid_t mine) noexcept {
  return asking == mine || asking == 0;
}

}  // namespace perdure::journal
