#include <perdure/context.hpp>
#include <perdure/task.hpp>

#include "core/limits.hpp"

namespace perdure {
inline namespace v0 {

Context::Caller Context::require_handler(std::string_view function) const {
  if (execution_->on_this_thread()) {
    if (execution_->discarding()) return Caller::discarded_frame;
    if (execution_->current() != nullptr) return Caller::handler;
  }
  throw Exception(
      Error{Code::misuse,
            "ctx." + std::string(function) +
                " was called outside the handler (in a step's body, or on another thread): draw it "
                "in the handler and let the body capture the value"});
}

std::chrono::sys_time<std::chrono::microseconds> Context::now() const {
  (void)require_handler("now()");
  return std::chrono::sys_time<std::chrono::microseconds>(
      std::chrono::microseconds(execution_->now_us()));
}

std::uint64_t Context::random() {
  if (require_handler("random()") == Caller::discarded_frame) return ~std::uint64_t{0};
  detail::PromiseBase& task = *execution_->current();
  return execution_->draw(task, task.next_draw());
}

std::uint64_t Context::random_below(std::uint64_t bound) {
  if (bound == 0)
    throw Exception(Error{Code::misuse, "ctx.random_below(0): the bound must be at least 1"});
  // Numbers below 2^64 mod bound are drawn again: what is left divides evenly.
  const std::uint64_t unfair = (0 - bound) % bound;
  for (;;)
    if (const std::uint64_t drawn = random(); drawn >= unfair) return drawn % bound;
}

std::string Context::uuid() {
  std::uint64_t high = random();
  std::uint64_t low = random();
  high = (high & ~0xF000ULL) | 0x4000ULL;        // version 4
  low = (low & ~(3ULL << 62U)) | (2ULL << 62U);  // variant 1
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
    const std::uint64_t half = i < 16 ? high : low;
    text += kDigits[(half >> (60U - 4U * (i % 16U))) & 15U];
  }
  return text;
}

const Bytes* Context::read_state(std::string_view name) const {
  if (require_handler("get()") == Caller::discarded_frame) return nullptr;
  return execution_->read_state(name);
}

void Context::write_state(std::string_view name, std::string_view type,
                          std::optional<Bytes> value) {
  if (require_handler("set()") == Caller::handler)
    execution_->write_state(name, type, std::move(value));
}

void Context::undecodable_state(std::string_view name, const Error& why) {
  execution_->park_here(Error{
      Code::undecodable, "the state '" + std::string(name) + "' of session '" +
                             std::string(agent()) + "/" + std::string(session_key()) +
                             "' does not decode as the type that the code reads it as: " +
                             why.message + ". Read it as it was written, or tell its history"});
}

int Context::version(std::string_view change, int oldest, int newest) {
  if (oldest < 1 || newest < oldest)
    throw Exception(Error{Code::misuse, "ctx.version('" + std::string(change) +
                                            "'): versions count from 1, and `newest` is not less "
                                            "than `oldest`"});
  if (change.empty() || change.size() > core::limits::kNameBytes)
    throw Exception(Error{Code::misuse, "ctx.version: the name of the change has " +
                                            std::to_string(change.size()) + " bytes: give 1 to " +
                                            std::to_string(core::limits::kNameBytes)});
  if (require_handler("version()") == Caller::discarded_frame) return newest;
  return execution_->version(change, oldest, newest);
}

void Context::log(std::string_view message) {
  if (require_handler("log()") == Caller::handler) execution_->log(message);
}

}  // namespace v0
}  // namespace perdure
