
#include "client.hpp"

#include "service.hpp"

#include <httplib.h>
#include <nlohmann/json.hpp>

#include <cctype>
#include <fstream>
#include <string_view>
#include <utility>

namespace booking {
namespace {

using Json = nlohmann::json;

/// 0 where the file is not there.
int port_in(const std::string& file) {
  int port = 0;
  std::ifstream(file) >> port;
  return port;
}

std::string text_of(const Json& body, const char* name) {
  const auto found = body.find(name);
  return found != body.end() && found->is_string() ? found->get<std::string>() : "";
}

/// For a query: letters and digits stay as they are.
std::string escaped(const std::string& text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const char letter : text) {
    const unsigned byte = static_cast<unsigned char>(letter);
    if (byte < 128 && std::isalnum(static_cast<int>(byte)) != 0) {
      result += letter;
    } else {
      result += {'%', digits[byte / 16], digits[byte % 16]};
    }
  }
  return result;
}

Answer never_sent(std::string reason) {
  return {.kind = Answer::Kind::never_sent, .reason = std::move(reason)};
}

Answer understood(const Json& body) {
  Answer answer{.kind = Answer::Kind::ok};
  answer.state = body.contains("undone") ? State::undone : state_of(text_of(body, "state"));
  answer.reference = text_of(body, "reference");
  return answer;
}

}  // namespace

Answer answer_of(int status, const std::string& text) {
  const Json body = Json::parse(text, nullptr, false);
  Answer answer;
  if (!body.is_object()) {
    answer.reason = "the answer (" + std::to_string(status) + ") is no JSON object";
  } else if (status == 200) {
    answer = understood(body);
  } else if (status == 409) {
    answer = {Answer::Kind::refused, State::refused, {}, text_of(body, "refused"), {}};
  } else if (status == 410) {
    answer = {Answer::Kind::gone, State::undone, {}, {}, {}};
  } else if (status == 400 || status == 422) {
    answer = {Answer::Kind::invalid, State::none, {}, text_of(body, "error"), {}};
  } else {
    answer.reason = "the service answered with status " + std::to_string(status);
  }
  answer.body = text;
  return answer;
}

Service::Service(std::string kind, std::string port_file, Timeouts timeouts)
    : kind_(std::move(kind)), port_file_(std::move(port_file)), timeouts_(timeouts) {}

Answer Service::act(const Order& order) const {
  const std::string body = Json{
      {"key", order.key},
      {"trip", order.trip},
      {"traveller", order.traveller},
      {"detail", order.detail},
      {"amount_cents",
       order.amount_cents}}.dump();
  return ask("/do", &body);
}

Answer Service::undo(const std::string& key, const std::string& trip) const {
  const std::string body = Json{{"key", key}, {"trip", trip}}.dump();
  return ask("/undo", &body);
}

Answer Service::find(const std::string& key) const {
  return ask("/find?key=" + escaped(key), nullptr);
}

Answer Service::ask(const std::string& path, const std::string* body) const {
  const int port = port_in(port_file_);
  if (port <= 0) return never_sent(kind_ + " has no port in " + port_file_ + ": it is not running");
  httplib::Client client("127.0.0.1", port);
  client.set_tcp_nodelay(true);
  client.set_connection_timeout(timeouts_.connect);
  client.set_read_timeout(timeouts_.answer);
  client.set_write_timeout(timeouts_.answer);
  const httplib::Headers headers{{kServiceHeader, kind_}};
  const httplib::Result result = body == nullptr
                                     ? client.Get(path, headers)
                                     : client.Post(path, headers, *body, "application/json");
  if (!result) {
    const std::string reason = kind_ + ": " + httplib::to_string(result.error());
    // These two are said before the first byte is sent, and no others are.
    const bool is_unsent = result.error() == httplib::Error::Connection ||
                           result.error() == httplib::Error::ConnectionTimeout;
    return is_unsent ? never_sent(reason) : Answer{.kind = Answer::Kind::unknown, .reason = reason};
  }
  if (result->status == 421) return never_sent("another service listens at the port of " + kind_);
  return answer_of(result->status, result->body);
}

}  // namespace booking
