#include <perdure/peer.hpp>

#include "actors/run_core.hpp"
#include "core/limits.hpp"

#include <algorithm>

namespace perdure {
inline namespace v0 {
namespace detail {

void* allocate_frame(std::size_t bytes) { return actors::RunCore::allocate_frame(bytes); }

void free_frame(void* frame, std::size_t bytes) noexcept {
  actors::RunCore::free_frame(frame, bytes);
}

Error cancelled_error() {
  return Error{Code::cancelled,
               "the branch was stopped because another one had decided the outcome"};
}

Error within_passed_error(const WaitUntil& until) {
  return Error{Code::timeout, "the time of " + std::to_string(until.us / 1000) +
                                  " ms had passed before the operation ended"};
}

Bytes encode_or_throw(Result<Bytes> encoded) { return std::move(encoded).value(); }

RunId run_of(const ChildRef& child) { return RunId::parse(child.run).value(); }

WaitRequest to_join(const ChildRef& child) {
  WaitRequest request;
  request.handler = child.handler;
  request.child = child;
  return request;
}

WaitRequest to_cancel(const ChildRef& child, CancelOptions options) {
  // As what does not encode, it is thrown where it is given.
  if (options.by.size() > core::limits::kNameBytes)
    Result<void>(Error{Code::too_large, "CancelOptions::by has " +
                                            std::to_string(options.by.size()) +
                                            " bytes, more than the limit of " +
                                            std::to_string(core::limits::kNameBytes)})
        .value();
  WaitRequest request;
  request.what = WaitRequest::What::cancel;
  request.handler = ("cancel " + child.handler).substr(0, core::limits::kNameBytes);
  request.child = child;
  request.by = std::move(options.by);
  request.why = std::move(options.why);
  request.grace = std::clamp(options.grace, std::chrono::milliseconds(0), core::limits::kDelayMax);
  return request;
}

Error error_of_thrown(std::string_view who) noexcept {
  try {
    throw;
  } catch (const Exception& thrown) {
    return thrown.error();
  } catch (const std::exception& thrown) {
    return Error{Code::exception, std::string(who) + " threw: " + thrown.what()};
  } catch (...) {
    return Error{Code::exception, std::string(who) + " threw something that is no std::exception"};
  }
}

std::optional<Error> escaped(Execution& execution) noexcept {
  try {
    throw;
  } catch (const Exception& thrown) {
    return thrown.error();
  } catch (const ParkedHere&) {
    return std::nullopt;  // The run knows why.
  } catch (const std::exception& thrown) {
    execution.handler_threw(thrown.what());
  } catch (...) {
    execution.handler_threw("something that is no std::exception");
  }
  return std::nullopt;
}

Error cancelled_error(const Error& ended_with) {
  Error error = cancelled_error();
  if (ended_with.code != Code::cancelled)
    error.message += "; what it awaited ended with " + ended_with.to_string();
  return error;
}

/// Whether the task was asked to stop, and does not go on.
bool PromiseBase::ends_stopped() noexcept {
  if (!stopping_) return false;
  const AtStop at_stop = awaited_ != nullptr ? awaited_->at_stop() : AtStop::ends;
  if (at_stop == AtStop::told) stopping_ = false;
  return at_stop == AtStop::ends;
}

void PromiseBase::run() noexcept {
  // Also while the frame is destroyed: destructors of its locals may ask the Context.
  Execution& execution = *execution_;
  execution.set_current(this);
  if (finished_) {
    owner_->task_finished();
  } else if (ends_stopped()) {
    owner_->task_failed(execution.stopped_error(*this));
  } else if (Error* const failure = awaited_ != nullptr ? awaited_->failure() : nullptr) {
    // The error lives in the frame that is about to be destroyed.
    Error error = std::move(*failure);
    owner_->task_failed(std::move(error));
  } else {
    handle_.resume();
  }
  execution.set_current(nullptr);
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
