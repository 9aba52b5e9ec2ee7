/// Asking a service, over a wire on which answers get lost.
///
/// What this is: one service as its callers see it.
/// What it promises: an answer within a bound, and the difference between "it did not happen"
/// (`never_sent`) and "nobody knows" (`unknown`). The port file is read anew for each request, so a
/// restarted service is found at its new port.
/// What it does not: try again. Whoever asks decides that; with the same key it is safe.
#pragma once

#include "order.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace booking {

struct Answer {
  enum class Kind : std::uint8_t {
    ok,          ///< It is so; `state`, `reference` and `body` say what.
    refused,     ///< For good: the same key is refused for ever. `reason` says why.
    gone,        ///< The key was undone before, so this had no effect.
    invalid,     ///< The request makes no sense to the service; nothing happened. `reason`.
    unknown,     ///< No answer that can be understood: nobody knows whether it happened. `reason`.
    never_sent,  ///< No connection to this service: it did certainly not happen. `reason`.
  };
  Kind kind = Kind::unknown;
  State state = State::none;
  std::string reference = {};
  std::string reason = {};
  std::string body = {};
};

/// What an HTTP answer means. For the service's answers see desk.hpp.
[[nodiscard]] Answer answer_of(int status, const std::string& body);

struct Timeouts {
  std::chrono::milliseconds connect{1'000};
  std::chrono::milliseconds answer{5'000};
};

/// Thread-safe: it keeps nothing between requests. The process must ignore SIGPIPE.
class Service {
 public:
  /// `kind` is the service's name; whoever else listens at its port turns the request away.
  Service(std::string kind, std::string port_file, Timeouts timeouts = {});

  /// Asks for the order to be done. ok: `state` is `done` and there is a `reference`.
  [[nodiscard]] Answer act(const Order& order) const;
  /// Asks for it to be undone. ok: `state` is `undone`. Never refused or gone.
  [[nodiscard]] Answer undo(const std::string& key, const std::string& trip) const;
  /// Asks what became of it. ok: `state` says; `none` if it never came.
  [[nodiscard]] Answer find(const std::string& key) const;

  [[nodiscard]] const std::string& kind() const { return kind_; }

 private:
  [[nodiscard]] Answer ask(const std::string& path, const std::string* body) const;

  std::string kind_;
  std::string port_file_;
  Timeouts timeouts_;
};

}  // namespace booking
