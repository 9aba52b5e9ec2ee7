/// What the tests of operators' orders share: a directory for the socket, orders, and raw clients.
#pragma once

#include <perdure/codec.hpp>

#include "journal/control_client.hpp"
#include "journal/control_socket.hpp"
#include "tests/actors/engine_fixture.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

namespace perdure::test {

using journal::ControlReply;
using journal::ControlRequest;
using journal::ControlVerb;

class SocketDirectory {
 public:
  SocketDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "perdure-control-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  SocketDirectory(const SocketDirectory&) = delete;
  SocketDirectory& operator=(const SocketDirectory&) = delete;
  ~SocketDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path name() const { return path_ / journal::kControlName; }

 private:
  std::filesystem::path path_;
};

inline ControlRequest about(ControlVerb verb, const RunId& run) {
  ControlRequest request;
  request.verb = verb;
  request.what.what = journal::row_of(verb);
  request.what.run = run;
  return request;
}
template <class T>
ControlRequest mail(ControlVerb verb, std::string agent, std::string key, std::string name,
                    const T& value) {
  ControlRequest request;
  request.verb = verb;
  request.what.what = journal::row_of(verb);
  request.what.agent = std::move(agent);
  request.what.session_key = std::move(key);
  request.what.name = std::move(name);
  request.what.payload = encode(value).value();
  return request;
}

/// A client that sends what it likes.
class RawClient {
 public:
  explicit RawClient(const std::filesystem::path& directory)
      : socket_(journal::connect_to_control(directory).value()) {}
  [[nodiscard]] bool connected() const { return static_cast<bool>(socket_); }
  void send(core::ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) {
        wait(POLLOUT);
        continue;
      }
      if (sent < 0) return;
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
  }
  void end() { ::shutdown(socket_.number(), SHUT_WR); }
  void leave() { socket_ = journal::Socket(); }
  /// Everything that comes until the other side closes.
  core::Bytes rest() {
    core::Bytes all;
    std::array<std::byte, 4096> part{};
    for (;;) {
      const ssize_t got = ::recv(socket_.number(), part.data(), part.size(), 0);
      if (got < 0 && errno == EAGAIN) {
        wait(POLLIN);
        continue;
      }
      if (got <= 0) return all;
      all.insert(all.end(), part.begin(), part.begin() + got);
    }
  }
  /// The answer, or empty when the other side closed without one.
  std::optional<ControlReply> reply() {
    const core::Bytes bytes = rest();
    if (bytes.size() < journal::kControlHeaderBytes) return std::nullopt;
    const core::ByteView all = bytes;
    const auto header = journal::read_header(all.first(journal::kControlHeaderBytes)).value();
    return journal::decode_reply(header, all.subspan(journal::kControlHeaderBytes)).value();
  }

 private:
  void wait(short events) {
    pollfd each{socket_.number(), events, 0};
    (void)::poll(&each, 1, -1);
  }
  journal::Socket socket_;
};

class ControlFixture : public EngineFixture {
 protected:
  [[nodiscard]] pd::RuntimeOptions options() const { return {.journal = socket_.path().string()}; }
  /// The answer of whoever listens.
  [[nodiscard]] ControlReply order(const ControlRequest& request) {
    auto answer = journal::ask_runtime(socket_.path(), request, clock_, clock_.elapsed() + 1min);
    EXPECT_TRUE(answer.has_value()) << answer.error().message;
    if (!answer || !answer.value()) return {"nobody listens"};
    return *std::move(answer).value();
  }
  /// The words of an order that is carried out.
  [[nodiscard]] std::string done(const ControlRequest& request) {
    ControlReply reply = order(request);
    EXPECT_FALSE(reply.error) << reply.error->message;
    return reply.words;
  }
  [[nodiscard]] Error refused(const ControlRequest& request) {
    const ControlReply reply = order(request);
    EXPECT_TRUE(reply.error) << reply.words;
    return reply.error.value_or(Error{});
  }
  SocketDirectory socket_;
  core::SystemClock clock_;
};

}  // namespace perdure::test
