
#include "service.hpp"

#include "desk.hpp"

#include <httplib.h>

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>

namespace booking {
namespace {

/// Slow requests hold a thread each.
constexpr std::size_t kThreads = 32;
constexpr int kDescriptorsMax = 1'024;

/// Ends the connection of this request, so that its client never has an answer. The library does
/// not give the socket away, but a connection is known by its client's port.
void cut(const httplib::Request& request) {
  for (int descriptor = 0; descriptor < kDescriptorsMax; ++descriptor) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    void* const place = &peer;
    if (::getpeername(descriptor, static_cast<sockaddr*>(place), &size) == 0 &&
        peer.sin_family == AF_INET && ntohs(peer.sin_port) == request.remote_port) {
      ::shutdown(descriptor, SHUT_RDWR);
    }
  }
}

void write_port_file(const std::string& file, int port) {
  const std::string partial = file + ".partial";
  std::ofstream(partial) << port << '\n' << std::flush;
  std::error_code failure;
  std::filesystem::rename(partial, file, failure);
  if (failure) {
    throw std::runtime_error("The port file " + file + " cannot be written (" + failure.message() +
                             "). Name a file in a folder that exists with --port-file.");
  }
}

class Counter {
 public:
  explicit Counter(const ServiceOptions& options)
      : options_(options),
        ledger_(options.database, options.kind,
                [this](const Order& order) {
                  return refusal_of(options_.kind, order.trip, options_.seed,
                                    options_.faults.refuse);
                }),
        faults_(options.faults, seed_for(options.seed, options.kind), ledger_.requests()) {}

  void open(httplib::Server& server) {
    server.Post("/do", [this](const httplib::Request& request, httplib::Response& response) {
      take("do", request, response,
           [&](std::string_view fault) { return answer_do(ledger_, request.body, fault); });
    });
    server.Post("/undo", [this](const httplib::Request& request, httplib::Response& response) {
      take("undo", request, response,
           [&](std::string_view fault) { return answer_undo(ledger_, request.body, fault); });
    });
    server.Get("/find", [this](const httplib::Request& request, httplib::Response& response) {
      take("find", request, response, [&](std::string_view fault) {
        return answer_find(ledger_, request.get_param_value("key"), fault);
      });
    });
  }

 private:
  using Work = std::function<Reply(std::string_view fault)>;

  /// One request with its faults around it.
  void take(std::string_view name, const httplib::Request& request, httplib::Response& response,
            const Work& work) {
    const std::string wanted = request.get_header_value(kServiceHeader);
    if (!wanted.empty() && wanted != options_.kind) {
      response.status = 421;
      return;
    }
    const Draw draw = faults_.draw();
    std::this_thread::sleep_for(draw.before);
    if (draw.fate == Fate::crashes_before) {
      note_crash(ledger_, name, request.body, to_string(draw.fate));
      ::_exit(kCrashed);
    }
    const Reply reply = work(to_string(draw.fate));
    std::this_thread::sleep_for(draw.after);
    if (draw.fate == Fate::crashes_after) ::_exit(kCrashed);
    if (draw.fate == Fate::reply_lost) cut(request);
    response.status = reply.status;
    response.set_content(reply.body, "application/json");
  }

  ServiceOptions options_;
  Ledger ledger_;
  Faults faults_;
};

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

void serve(const ServiceOptions& options) {
  // Blocked before there are threads, which inherit it: one of them alone waits for the signals.
  const sigset_t signals = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Counter counter(options);
  httplib::Server server;
  server.new_task_queue = [] { return std::make_unique<httplib::ThreadPool>(kThreads).release(); };
  server.set_tcp_nodelay(true);
  counter.open(server);
  const int port = server.bind_to_any_port(options.listen);
  if (port <= 0) {
    throw std::runtime_error("The service " + options.kind + " cannot listen on " + options.listen +
                             ". Name an address of this machine with --listen.");
  }
  write_port_file(options.port_file, port);
  std::thread ending([&server, signals] {
    int signal = 0;
    ::sigwait(&signals, &signal);
    server.stop();
  });
  server.listen_after_bind();
  // Where the listening ended by itself, the thread still waits for its signal.
  ::kill(::getpid(), SIGTERM);
  ending.join();
}

}  // namespace booking
