#include "journal/control_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "journal/descriptor.hpp"
#include "journal/file_system.hpp"

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kMode = 0600;
constexpr int kWaiting = 32;  ///< Connections that may wait to be taken.
/// The name is made when the socket listens, so nobody meets one that does not.
constexpr const char* kFresh = "CONTROL.new";

Error socket_error(const fs::path& directory, std::string_view doing, int number) {
  const fs::path file = directory / kControlName;
  switch (number) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOSPC:
    case EDQUOT: return file_error(file, doing, number);
    default:
      return Error{Code::unsupported, "'" + file.string() + "' can't be " + std::string(doing) +
                                          ": " + std::strerror(number) +
                                          ". Operators' orders need a file system with sockets, "
                                          "and /proc"};
  }
}

/// The address of `name` in the directory that is open as `directory`: short, whatever its path is.
sockaddr_un address_in(const Descriptor& directory, std::string_view name) {
  const std::string path =
      "/proc/self/fd/" + std::to_string(directory.number()) + "/" + std::string(name);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  static_assert(sizeof address.sun_path > 64);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

const sockaddr* as_any(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Socket stream() { return Socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

}  // namespace

Socket::Socket(Socket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}
Socket::~Socket() {
  if (number_ >= 0) ::close(number_);
}

Result<Socket> listen_for_control(const fs::path& path) {
  const Descriptor directory(path, O_PATH | O_DIRECTORY);
  if (directory.number() < 0) return file_error(path, "opened", directory.failure());
  Socket socket = stream();
  if (!socket) return socket_error(path, "made", errno);
  (void)::unlinkat(directory.number(), kFresh, 0);
  const sockaddr_un address = address_in(directory, kFresh);
  if (::bind(socket.number(), as_any(address), sizeof address) != 0)
    return socket_error(path, "made", errno);
  // Nobody can connect before `listen`, so nobody meets the mode that the umask left.
  const auto failed = [&](std::string_view doing) {
    const Error error = socket_error(path, doing, errno);
    (void)::unlinkat(directory.number(), kFresh, 0);
    return error;
  };
  if (::fchmodat(directory.number(), kFresh, kMode, 0) != 0) return failed("given its mode");
  if (::listen(socket.number(), kWaiting) != 0) return failed("listened at");
  const std::string name(kControlName);
  if (::renameat(directory.number(), kFresh, directory.number(), name.c_str()) != 0)
    return failed("named");
  return socket;
}

void forget_control(const fs::path& path) noexcept {
  const Descriptor directory(path, O_PATH | O_DIRECTORY);
  if (directory.number() < 0) return;
  (void)::unlinkat(directory.number(), std::string(kControlName).c_str(), 0);
}

Result<Socket> connect_to_control(const fs::path& path) {
  const Descriptor directory(path, O_PATH | O_DIRECTORY);
  if (directory.number() < 0) return file_error(path, "opened", directory.failure());
  Socket socket = stream();
  if (!socket) return socket_error(path, "made", errno);
  const sockaddr_un address = address_in(directory, kControlName);
  if (::connect(socket.number(), as_any(address), sizeof address) == 0) return socket;
  switch (errno) {
    case ENOENT:
    case ECONNREFUSED: return Socket();  // A dead process may have left the name.
    case EAGAIN:
      return Error{Code::busy,
                   "the program that has the journal open takes no more orders now: "
                   "try again"};
    default: return socket_error(path, "connected to", errno);
  }
}

bool may_control(const Socket& connection) {
  ucred other{};
  socklen_t size = sizeof other;
  if (::getsockopt(connection.number(), SOL_SOCKET, SO_PEERCRED, &other, &size) != 0) return false;
  return may_control(other.uid, ::geteuid());
}

}  // namespace perdure::journal
