#include "journal/control_client.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "journal/control_queue.hpp"
#include "journal/control_socket.hpp"
#include "journal/lock_file.hpp"

namespace perdure::journal {
namespace {

constexpr std::size_t kPart = 64U << 10U;
/// LOCK is closed, and so changes, a moment before it is free: it is looked at again after this.
constexpr std::chrono::milliseconds kLook{100};

int poll_time(core::Clock& clock, core::Elapsed until) {
  const core::Elapsed left = std::max(until - clock.elapsed(), core::Elapsed(0));
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::min<std::int64_t>(rounded, 1'000'000));
}

/// One exchange over a connection.
class Exchange {
 public:
  Exchange(const Socket& socket, core::Clock& clock, core::Elapsed until)
      : socket_(socket), clock_(clock), until_(until) {}

  /// False: the other side takes no more. What it has to say about that can still be read.
  Result<bool> send(core::ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t sent =
          ::send(socket_.number(), bytes.data(), std::min(bytes.size(), kPart), MSG_NOSIGNAL);
      if (sent >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
        continue;
      }
      if (errno == EAGAIN) {
        PERDURE_TRY(wait(POLLOUT));
      } else if (errno == EPIPE || errno == ECONNRESET) {
        return false;
      } else if (errno != EINTR) {
        return failed();
      }
    }
    return true;
  }
  Result<core::Bytes> receive(std::size_t count) {
    core::Bytes bytes;
    while (bytes.size() < count) {
      const std::size_t before = bytes.size();
      bytes.resize(before + std::min(count - before, kPart));
      const ssize_t got = ::recv(socket_.number(), bytes.data() + before, bytes.size() - before, 0);
      const int why = errno;
      bytes.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      if (got > 0 || (got < 0 && why == EINTR)) continue;
      if (got < 0 && why == EAGAIN) {
        PERDURE_TRY(wait(POLLIN));
      } else if (got == 0 || why == ECONNRESET) {
        return Error{Code::closed,
                     "the program that has the journal open went away before it answered: whether "
                     "it has taken the order is not known. `perdure show` says what became of the "
                     "run"};
      } else {
        errno = why;
        return failed();
      }
    }
    return bytes;
  }

 private:
  Result<void> wait(short events) {
    for (;;) {
      pollfd each{socket_.number(), events, 0};
      const int ready = ::poll(&each, 1, poll_time(clock_, until_));
      if (ready > 0) return success();
      if (ready < 0 && errno != EINTR) return failed();
      if (clock_.elapsed() >= until_)
        return Error{
            Code::timeout,
            "the program that has the journal open has not answered in time: the order may "
            "be carried out later. `perdure show` says what became of the run"};
    }
  }
  static Error failed() {
    return Error{Code::unsupported,
                 std::string("the connection to the program that has the journal open failed: ") +
                     std::strerror(errno)};
  }

  const Socket& socket_;
  core::Clock& clock_;
  const core::Elapsed until_;
};

/// Tells when something happened in a directory. Where the system has no such thing, time does.
class Watch {
 public:
  explicit Watch(const std::filesystem::path& directory)
      : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (inotify_)
      (void)::inotify_add_watch(inotify_.number(), directory.c_str(), IN_MOVED_TO | IN_CLOSE_WRITE);
  }
  void wait(int milliseconds) {
    pollfd each{inotify_.number(), POLLIN, 0};
    if (::poll(&each, 1, milliseconds) <= 0) return;
    std::array<char, 4096> events{};
    while (::read(inotify_.number(), events.data(), events.size()) > 0) continue;
  }

 private:
  Socket inotify_;
};

}  // namespace

Result<std::optional<ControlReply>> ask_runtime(const std::filesystem::path& directory,
                                                const ControlRequest& request, core::Clock& clock,
                                                core::Elapsed until) {
  PERDURE_TRY(const core::Bytes frame, encode_request(request));
  PERDURE_TRY(const Socket socket, connect_to_control(directory));
  if (!socket) return std::nullopt;
  Exchange exchange(socket, clock, until);
  PERDURE_TRY(const bool whole, exchange.send(frame));
  Result<core::Bytes> head = exchange.receive(kControlHeaderBytes);
  // It never had the whole request, so it has done nothing: as if it had not been there.
  if (head.has_error() && head.error().code == Code::closed && !whole) return std::nullopt;
  if (head.has_error()) return head.error();
  PERDURE_TRY(const ControlHeader header, read_header(head.assume_value()));
  PERDURE_TRY(const core::Bytes body, exchange.receive(header.size));
  PERDURE_TRY(ControlReply reply, decode_reply(header, body));
  return std::optional(std::move(reply));
}

Result<Delivered> deliver_order(const std::filesystem::path& directory,
                                const ControlRequest& request, core::Clock& clock,
                                core::Random& random, DeliverOptions options) {
  PERDURE_TRY(check_request(request));
  const core::Elapsed until = clock.elapsed() + options.within;
  Watch watch(directory);
  for (;;) {
    PERDURE_TRY(std::optional<ControlReply> reply, ask_runtime(directory, request, clock, until));
    // A runtime that shuts down has done nothing, and leaves the journal soon.
    if (reply && (!reply->error || reply->error->code != Code::closed))
      return Delivered{Delivery::answered, *std::move(reply)};
    PERDURE_TRY(const std::optional<std::string> holder, LockFile::holder(directory));
    if (!holder) {
      Result<ControlReply> queued = queue_order(directory, request, clock, random);
      if (queued.has_value()) return Delivered{Delivery::queued, std::move(queued).assume_value()};
      // Somebody was quicker: a runtime that starts, or another operator.
      if (queued.error().code != Code::held) return queued.error();
    }
    if (clock.elapsed() >= until)
      return Error{Code::held,
                   "the journal '" + directory.string() + "' is held by " +
                       holder.value_or("another process") +
                       ", which takes no orders: it has not called start(), is shutting down, was "
                       "opened with Control::none, or could not make its socket. Stop it, and the "
                       "order can be queued; or tell it to shut down by its own means"};
    watch.wait(std::min(poll_time(clock, until), static_cast<int>(kLook.count())));
  }
}

}  // namespace perdure::journal
