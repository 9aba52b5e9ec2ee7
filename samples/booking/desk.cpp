
#include "desk.hpp"

#include <nlohmann/json.hpp>

#include <optional>

namespace booking {
namespace {

using Json = nlohmann::json;

Reply other_trip(const std::string& key, const Entry& entry) {
  const std::string why =
      "The key " + key + " is of " + entry.trip + ": give each action a key that no other one has";
  return {422, Json{{"error", why}}.dump()};
}

std::string text_of(const Json& body, const char* name) {
  const auto found = body.find(name);
  return found != body.end() && found->is_string() ? found->get<std::string>() : "";
}

/// The order in a request's body; nothing where it has no key or no trip.
std::optional<Order> order_of(const std::string& text) {
  const Json body = Json::parse(text, nullptr, false);
  if (!body.is_object()) return {};
  Order order{text_of(body, "key"), text_of(body, "trip"), text_of(body, "traveller"),
              text_of(body, "detail"), 0};
  const auto amount = body.find("amount_cents");
  if (amount != body.end() && amount->is_number_integer()) {
    order.amount_cents = amount->get<std::int64_t>();
  }
  if (order.key.empty() || order.trip.empty() || order.amount_cents < 0) return {};
  return order;
}

constexpr const char* kNoOrder =
    "The body must be a JSON object with a `key` and a `trip`, texts that are not empty, and an "
    "`amount_cents` of 0 or more";

Reply invalid(Ledger& ledger, std::string_view request, std::string_view fault, const char* why) {
  ledger.note(request, "", "", fault);
  return {400, Json{{"error", why}}.dump()};
}

}  // namespace

Reply answer_do(Ledger& ledger, const std::string& body, std::string_view fault) {
  const std::optional<Order> order = order_of(body);
  if (!order) return invalid(ledger, "do", fault, kNoOrder);
  const Entry entry = ledger.book(*order, fault);
  if (entry.trip != order->trip) return other_trip(order->key, entry);
  if (entry.state == State::refused) return {409, Json{{"refused", entry.reason}}.dump()};
  if (entry.state == State::undone) return {410, Json{{"undone", true}}.dump()};
  return {200, Json{{"state", "done"}, {"reference", entry.reference}}.dump()};
}

Reply answer_undo(Ledger& ledger, const std::string& body, std::string_view fault) {
  const std::optional<Order> order = order_of(body);
  if (!order) return invalid(ledger, "undo", fault, kNoOrder);
  const Entry before = ledger.undo(order->key, order->trip, fault);
  if (before.state != State::none && before.trip != order->trip) {
    return other_trip(order->key, before);
  }
  return {200, Json{{"undone", true}, {"was", to_string(before.state)}}.dump()};
}

Reply answer_find(Ledger& ledger, const std::string& key, std::string_view fault) {
  if (key.empty()) return invalid(ledger, "find", fault, "Name the key: /find?key=K");
  const Entry entry = ledger.find(key, fault);
  return {200, Json{{"state", to_string(entry.state)}, {"reference", entry.reference}}.dump()};
}

void note_crash(Ledger& ledger, std::string_view request, const std::string& body,
                std::string_view fault) {
  const Order order = order_of(body).value_or(Order{});
  ledger.note(request, order.key, order.trip, fault);
}

}  // namespace booking
