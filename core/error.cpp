#include <perdure/error.hpp>

namespace perdure {
inline namespace v0 {

std::string_view to_string(Code code) noexcept {
  switch (code) {
    case Code::user: return "user";
    case Code::refused: return "refused";
    case Code::timeout: return "timeout";
    case Code::cancelled: return "cancelled";
    case Code::outcome_unknown: return "outcome_unknown";
    case Code::already_started: return "already_started";
    case Code::not_found: return "not_found";
    case Code::misuse: return "misuse";
    case Code::too_large: return "too_large";
    case Code::storage_full: return "storage_full";
    case Code::storage_failed: return "storage_failed";
    case Code::corrupt: return "corrupt";
    case Code::newer_format: return "newer_format";
    case Code::held: return "held";
    case Code::diverged: return "diverged";
    case Code::exception: return "exception";
    case Code::not_registered: return "not_registered";
    case Code::closed: return "closed";
    case Code::suspected_crash: return "suspected_crash";
    case Code::handler_threw: return "handler_threw";
    case Code::undecodable: return "undecodable";
    case Code::unsupported: return "unsupported";
    case Code::busy: return "busy";
    case Code::deadlock: return "deadlock";
    case Code::peer_cancelled: return "peer_cancelled";
    case Code::rate_limited: return "rate_limited";
    case Code::overloaded: return "overloaded";
    case Code::context_overflow: return "context_overflow";
    case Code::unauthenticated: return "unauthenticated";
    case Code::invalid_request: return "invalid_request";
    case Code::over_budget: return "over_budget";
    case Code::saga_aborted: return "saga_aborted";
    case Code::saga_stuck: return "saga_stuck";
  }
  return "unrecognised";
}

std::string_view to_string(ErrorEffect effect) noexcept {
  switch (effect) {
    case ErrorEffect::refused: return "refused";
    case ErrorEffect::happened: return "happened";
    case ErrorEffect::unknown: return "unknown";
  }
  return "unknown";
}

bool Error::is_retryable() const noexcept {
  if (retryable) return *retryable;
  switch (code) {
    case Code::refused:
    case Code::cancelled:
    case Code::misuse:
    case Code::too_large:
    case Code::diverged:
    case Code::undecodable:
    case Code::outcome_unknown:
    case Code::deadlock:
    case Code::peer_cancelled:
    case Code::context_overflow:
    case Code::unauthenticated:
    case Code::invalid_request:
    case Code::over_budget:
    case Code::saga_aborted:
    case Code::saga_stuck: return false;
    default: return true;
  }
}

ErrorEffect Error::known_effect() const noexcept {
  if (effect) return *effect;
  switch (code) {
    case Code::refused:
    case Code::rate_limited:
    case Code::overloaded:
    case Code::context_overflow:
    case Code::unauthenticated:
    case Code::invalid_request:
    case Code::over_budget: return ErrorEffect::refused;
    default: return ErrorEffect::unknown;
  }
}

std::string Error::to_string() const {
  std::string text{v0::to_string(code)};
  text += ": ";
  text += message;
  return text;
}

}  // namespace v0
}  // namespace perdure
