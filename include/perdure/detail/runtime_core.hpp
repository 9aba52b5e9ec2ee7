/// The runtime behind its handles, without types of messages and replies.
///
/// What this is: what `Runtime`, `AgentSession` and `Run` ask of the compiled runtime
/// (actors/runtime.cpp).
#pragma once

#include <perdure/codec.hpp>
#include <perdure/detail/root_task.hpp>
#include <perdure/log.hpp>
#include <perdure/result.hpp>
#include <perdure/run_id.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace perdure {
inline namespace v0 {
namespace detail {

struct StartRequest {
  std::string_view agent;
  int version = 1;
  std::string_view handler;
  std::string_view session_key;
  std::string_view message_key;
  std::string_view input_type;
  ByteView input;
};

/// Thread: any.
class RuntimeCore {
 public:
  RuntimeCore() = default;
  RuntimeCore(const RuntimeCore&) = delete;
  RuntimeCore& operator=(const RuntimeCore&) = delete;
  virtual ~RuntimeCore() = default;

  virtual void serve(AgentEntry agent) = 0;
  virtual void on_event(EventHook hook) = 0;
  [[nodiscard]] virtual Result<void> start() = 0;
  [[nodiscard]] virtual Result<void> shutdown() = 0;

  [[nodiscard]] virtual Result<RunId> start_session(const StartRequest& request) = 0;
  [[nodiscard]] virtual Result<Bytes> wait(const RunId& run, std::chrono::milliseconds within) = 0;
  [[nodiscard]] virtual bool has_ended(const RunId& run) = 0;
  [[nodiscard]] virtual Result<std::string> explain(const RunId& run) = 0;
};

}  // namespace detail
}  // namespace v0
}  // namespace perdure
