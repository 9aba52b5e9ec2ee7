/// What the workload that is killed stores, so that the checker can read it from the journal.
///
/// What this is: the workload's message and the result of its steps, and how both read in words.
/// What it promises: each time a body runs, its result is another one (`nonce`), so that two
/// results of one step can't be taken for each other.
/// What it does not: know the runtime.
#pragma once

#include <perdure/codec.hpp>
#include <perdure/describe.hpp>
#include <perdure/error.hpp>

#include <chrono>
#include <string>

namespace perdure::crash {

struct Order {
  std::string flavour;
  int size = 0;
};
PERDURE_DESCRIBE(Order, flavour, size);

/// How long the workload's handlers and delayed messages wait.
inline constexpr std::chrono::milliseconds kNap{10};
/// For those that are to end by themselves, however slow the machine is.
inline constexpr std::chrono::minutes kLongGrace{10};
/// The size of an order that is sent with a delay of kNap.
inline constexpr int kDelayed = 100;

/// What a body returns.
struct Token {
  std::string step;     ///< The step's id, as the body was told.
  std::string nonce;    ///< Of this one time that the body ran.
  std::string ballast;  ///< The nonce again and again, where a result is to take several pages.
};
PERDURE_DESCRIBE(Token, step, nonce, ballast);

[[nodiscard]] inline std::string ballast_of(const std::string& nonce, std::size_t bytes) {
  std::string ballast;
  while (ballast.size() < bytes) ballast += nonce;
  ballast.resize(bytes);
  return ballast;
}

[[nodiscard]] inline std::string words_of(const Order& order) {
  return order.flavour + " x" + std::to_string(order.size);
}
/// How a step's or a run's failure reads, in inputs and in acknowledgements.
[[nodiscard]] inline std::string words_of(const Error& error) {
  return "!" + std::string(to_string(error.code)) + ": " + error.message;
}

}  // namespace perdure::crash
