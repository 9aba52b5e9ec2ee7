/// The runtime's end of the socket CONTROL: takes operators' orders, and gives the answers back.
///
/// What this is: one thread that polls the socket and its clients, each of which brings one request
/// (journal/control_protocol.hpp).
/// What it promises: what a client sends, or does not send, harms nobody: there are at most
/// kClients at a time, each has kPatience to bring its request and to take its answer, the answer
/// itself has kAnswer, and the bytes of all requests together are bounded. What is malformed gets
/// an error that says so. After `stop` the name is gone, every client has been answered or dropped,
/// and answers that still come go nowhere.
/// What it does not: know what orders mean; `act` does.
///
/// Invariant: a client is in one state: it brings its request, waits for the answer, or takes it;
/// `timer` is that state's.
#pragma once

#include "actors/timers.hpp"
#include "core/clock.hpp"
#include "journal/control_protocol.hpp"
#include "journal/control_socket.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <vector>

namespace perdure::actors {

/// Thread: any.
class ControlServer {
  struct Private {};

 public:
  static constexpr std::size_t kClients = 16;
  static constexpr std::size_t kRequestBytes = 2 * journal::kControlBytesMax;
  static constexpr std::chrono::seconds kPatience{10};
  static constexpr std::chrono::seconds kAnswer{60};
  static constexpr std::chrono::seconds kNoDescriptor{1};

  using Reply = std::function<void(journal::ControlReply)>;
  /// Carries an order out. Called on the server's thread: it must not wait for anything, and calls
  /// `reply` once, from any thread, also after `stop`.
  using Act = std::function<void(const journal::ControlRequest& request, Reply reply)>;

  /// Takes orders from now on. The caller holds the journal's LOCK; `timers` and `clock` outlive
  /// the server. Errors: as journal::listen_for_control.
  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> open(std::filesystem::path directory,
                                                                   Timers& timers,
                                                                   core::Clock& clock, Act act);
  /// Like `stop`.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// The name goes, whoever waits is told that the runtime was shut down, and the thread ends. Not
  /// from inside `act`. A second call does nothing.
  void stop();

  struct Mailbox;
  /// For `open` only.
  ControlServer(Private, std::filesystem::path directory, Timers& timers, core::Clock& clock,
                Act act, journal::Socket listener, std::shared_ptr<Mailbox> mailbox);

 private:
  struct Client;
  using ClientId = std::uint64_t;

  void loop();
  void poll_once();
  /// False: the server is to stop.
  [[nodiscard]] bool read_mail();
  void take_connections();
  void take_connection(journal::Socket connection);
  void set_timer(ClientId id, Client& client, std::chrono::seconds in);
  void read_from(ClientId id, Client& client);
  void begin(ClientId id, Client& client);
  void answer(ClientId id, Client& client, const journal::ControlReply& reply);
  void write_to(Client& client) const;
  void drop_done();
  void finish();

  const std::filesystem::path directory_;
  Timers& timers_;
  core::Clock& clock_;
  const Act act_;
  journal::Socket listener_;
  /// Shared with answers and timers that come late.
  const std::shared_ptr<Mailbox> mailbox_;
  // Of the thread.
  std::map<ClientId, Client> clients_;
  ClientId last_ = 0;
  bool full_ = false;  ///< No descriptor is left for a connection: it is looked again in a moment.
  std::thread thread_;
};

}  // namespace perdure::actors
