#include "actors/control_server.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

namespace perdure::actors {
namespace {

using journal::ControlReply;
using journal::Socket;

constexpr std::size_t kPart = 64U << 10U;
constexpr std::uint64_t kNobody = 0;  ///< A letter to the server itself.

ControlReply refused(Error why) { return ControlReply{{}, std::nullopt, std::move(why)}; }

ControlReply was_shut_down() {
  return refused({Code::closed, "the runtime is shutting down: give the order again"});
}

}  // namespace

/// What reaches the thread from others.
struct ControlServer::Mailbox {
  enum class Letter : std::uint8_t { answer, time_is_up };
  struct Mail {
    ClientId to = 0;
    Letter what = Letter::answer;
    ControlReply reply;
    std::uint64_t timer = 0;  ///< Which of the client's timers, see Client.
  };

  explicit Mailbox(int eventfd) : wake(eventfd) {}

  void post(Mail mail) {
    const std::lock_guard lock(mutex);
    if (stopped) return;
    mails.push_back(std::move(mail));
    ring();
  }
  /// Under the lock.
  void ring() const {
    const std::uint64_t one = 1;
    // It can only be full, and then the thread wakes all the same.
    [[maybe_unused]] const ssize_t written = ::write(wake.number(), &one, sizeof one);
  }

  const Socket wake;
  std::mutex mutex;
  std::vector<Mail> mails;
  bool stop = false;     ///< Asked for.
  bool stopped = false;  ///< Nothing is read any more.
};

struct ControlServer::Client {
  enum class State : std::uint8_t { brings, waits, takes, done };
  Socket socket;
  State state = State::brings;
  std::optional<journal::ControlHeader> header;
  core::Bytes bytes;        ///< Of the header, then of the body; then of the answer.
  std::size_t written = 0;  ///< Of the answer.
  std::optional<TimerId> timer;
  std::uint64_t timers = 0;  ///< How many were set: a late one of an earlier state is told apart.
};

Result<std::unique_ptr<ControlServer>> ControlServer::open(std::filesystem::path directory,
                                                           Timers& timers, core::Clock& clock,
                                                           Act act) {
  auto mailbox = std::make_shared<Mailbox>(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!mailbox->wake)
    return Error{Code::unsupported,
                 std::string("no descriptor for operators' orders: ") + std::strerror(errno)};
  PERDURE_TRY(Socket listener, journal::listen_for_control(directory));
  return std::make_unique<ControlServer>(Private{}, std::move(directory), timers, clock,
                                         std::move(act), std::move(listener), std::move(mailbox));
}

ControlServer::ControlServer(Private, std::filesystem::path directory, Timers& timers,
                             core::Clock& clock, Act act, Socket listener,
                             std::shared_ptr<Mailbox> mailbox)
    : directory_(std::move(directory)),
      timers_(timers),
      clock_(clock),
      act_(std::move(act)),
      listener_(std::move(listener)),
      mailbox_(std::move(mailbox)),
      thread_([this] { loop(); }) {}

ControlServer::~ControlServer() { stop(); }

void ControlServer::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->stop = true;
    mailbox_->ring();
  }
  thread_.join();
}

void ControlServer::loop() {
  do {
    poll_once();
  } while (read_mail());
  finish();
}

void ControlServer::poll_once() {
  std::vector<pollfd> all;
  std::vector<ClientId> ids;
  all.push_back({mailbox_->wake.number(), POLLIN, 0});
  all.push_back({full_ ? -1 : listener_.number(), POLLIN, 0});
  for (const auto& [id, client] : clients_) {
    // One that waits is only looked at for having gone.
    const short events = client.state == Client::State::brings  ? POLLIN
                         : client.state == Client::State::takes ? POLLOUT
                                                                : short{0};
    all.push_back({client.socket.number(), events, 0});
    ids.push_back(id);
  }
  if (::poll(all.data(), all.size(), -1) < 0) return;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const short happened = all[i + 2].revents;
    Client& client = clients_.at(ids[i]);
    if (happened == 0) continue;
    if (client.state == Client::State::brings) {
      read_from(ids[i], client);
    } else if (client.state == Client::State::takes) {
      write_to(client);
    } else {
      client.state = Client::State::done;
    }
  }
  drop_done();
  if (all[1].revents != 0) take_connections();
}

bool ControlServer::read_mail() {
  std::vector<Mailbox::Mail> mails;
  {
    const std::lock_guard lock(mailbox_->mutex);
    std::uint64_t rung = 0;
    [[maybe_unused]] const ssize_t got = ::read(mailbox_->wake.number(), &rung, sizeof rung);
    mails.swap(mailbox_->mails);
    if (mailbox_->stop) {
      // What has been answered is still told; what has not is refused.
      mailbox_->stopped = true;
    }
  }
  for (Mailbox::Mail& mail : mails) {
    if (mail.to == kNobody) full_ = false;
    const auto found = clients_.find(mail.to);
    if (found == clients_.end()) continue;
    Client& client = found->second;
    if (mail.what == Mailbox::Letter::answer) {
      if (client.state == Client::State::waits) answer(mail.to, client, mail.reply);
    } else if (mail.timer != client.timers) {
      continue;
    } else if (client.state == Client::State::takes) {
      client.state = Client::State::done;
    } else if (client.state == Client::State::brings) {
      answer(
          mail.to, client,
          refused({Code::timeout, "the request was not complete after " +
                                      std::to_string(kPatience.count()) + " s: send it at once"}));
    } else {
      answer(mail.to, client,
             refused({Code::timeout,
                      "the order was taken, and is not durable after " +
                          std::to_string(kAnswer.count()) +
                          " s: is the disk full? It is carried out as soon as it can be"}));
    }
  }
  drop_done();
  return !mailbox_->stopped;
}

void ControlServer::take_connections() {
  for (;;) {
    Socket connection(
        ::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection) {
      take_connection(std::move(connection));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    // Without a descriptor the connection stays where it is, and polling would spin.
    full_ = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
    if (full_)
      timers_.schedule(clock_.elapsed() + kNoDescriptor, [mailbox = mailbox_] {
        mailbox->post({kNobody, Mailbox::Letter::time_is_up, {}, 0});
      });
    return;
  }
}

void ControlServer::take_connection(Socket connection) {
  const bool allowed = journal::may_control(connection);
  const bool has_room = clients_.size() < kClients;
  const ClientId id = ++last_;
  Client client;
  client.socket = std::move(connection);
  if (allowed && has_room) {
    set_timer(id, client, kPatience);
    clients_.emplace(id, std::move(client));
    return;
  }
  // A short answer goes into the socket's buffer at once.
  client.bytes = journal::encode_reply(
      refused(allowed ? Error{Code::busy, "the runtime has " + std::to_string(kClients) +
                                              " operators' orders under way: try again"}
                      : Error{Code::refused,
                              "only the user that the runtime runs as, and root, give orders "
                              "to it: run the command as one of them"}));
  write_to(client);
}

void ControlServer::set_timer(ClientId id, Client& client, std::chrono::seconds in) {
  if (client.timer) (void)timers_.cancel(*client.timer);
  client.timer =
      timers_.schedule(clock_.elapsed() + in, [mailbox = mailbox_, id, number = ++client.timers] {
        mailbox->post({id, Mailbox::Letter::time_is_up, {}, number});
      });
}

void ControlServer::read_from(ClientId id, Client& client) {
  const std::size_t whole = client.header ? client.header->size : journal::kControlHeaderBytes;
  const std::size_t before = client.bytes.size();
  client.bytes.resize(before + std::min(whole - before, kPart));
  const ssize_t got =
      ::recv(client.socket.number(), client.bytes.data() + before, client.bytes.size() - before, 0);
  const int why = errno;
  client.bytes.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0 && (why == EAGAIN || why == EINTR)) return;
  if (got <= 0) {
    // It went, or will send no more: then it is told what was missing.
    if (got == 0 && (client.header || before != 0))
      return answer(id, client,
                    refused({Code::corrupt, "the request ended before it was complete"}));
    client.state = Client::State::done;
    return;
  }
  if (client.bytes.size() < whole) return;
  if (client.header) return begin(id, client);
  Result<journal::ControlHeader> header = journal::read_header(client.bytes);
  if (header.has_error()) return answer(id, client, refused(header.error()));
  client.header = header.assume_value();
  client.bytes.clear();
  const std::size_t all = std::accumulate(
      clients_.begin(), clients_.end(), std::size_t{0}, [](std::size_t sum, const auto& each) {
        return sum + (each.second.header ? each.second.header->size : 0);
      });
  if (all > kRequestBytes)
    answer(id, client,
           refused({Code::busy, "other operators' large orders are under way: try again"}));
}

void ControlServer::begin(ClientId id, Client& client) {
  const Result<journal::ControlRequest> request =
      journal::decode_request(*client.header, client.bytes);
  client.bytes = {};
  client.header.reset();
  if (request.has_error()) return answer(id, client, refused(request.error()));
  client.state = Client::State::waits;
  set_timer(id, client, kAnswer);
  act_(request.assume_value(), [mailbox = mailbox_, id](ControlReply reply) {
    mailbox->post({id, Mailbox::Letter::answer, std::move(reply), 0});
  });
}

void ControlServer::answer(ClientId id, Client& client, const ControlReply& reply) {
  client.header.reset();
  client.bytes = journal::encode_reply(reply);
  client.written = 0;
  client.state = Client::State::takes;
  set_timer(id, client, kPatience);
  write_to(client);
}

void ControlServer::write_to(Client& client) const {
  while (client.written < client.bytes.size()) {
    const ssize_t sent = ::send(client.socket.number(), client.bytes.data() + client.written,
                                client.bytes.size() - client.written, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) break;
    client.written += static_cast<std::size_t>(sent);
  }
  client.state = Client::State::done;
}

void ControlServer::drop_done() {
  std::erase_if(clients_, [this](const auto& each) {
    const Client& client = each.second;
    if (client.state != Client::State::done) return false;
    if (client.timer) (void)timers_.cancel(*client.timer);
    return true;
  });
}

void ControlServer::finish() {
  journal::forget_control(directory_);
  // Who connected before the name went is told too.
  take_connections();
  listener_ = Socket();
  for (auto& [id, client] : clients_) {
    if (client.state != Client::State::takes) answer(id, client, was_shut_down());
    client.state = Client::State::done;
  }
  drop_done();
}

}  // namespace perdure::actors
