/// The runtime behind its handles, without types of messages and replies.
///
/// What this is: what `Runtime`, `AgentSession` and `Run` ask of the compiled runtime
/// (actors/runtime.cpp).
#pragma once

#include <perdure/blob.hpp>
#include <perdure/budget.hpp>
#include <perdure/cancel.hpp>
#include <perdure/codec.hpp>
#include <perdure/detail/root_task.hpp>
#include <perdure/detail/row_access.hpp>
#include <perdure/detail/tool_entry.hpp>
#include <perdure/log.hpp>
#include <perdure/result.hpp>
#include <perdure/run_id.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace perdure {
inline namespace v0 {

namespace detail {

struct MessageRequest {
  std::string_view agent;
  int version = 1;
  std::string_view handler;
  std::string_view session_key;
  std::string_view message_key;
  std::string_view input_type;
  ByteView input;
  std::chrono::microseconds delay{0};
  std::optional<std::chrono::sys_time<std::chrono::microseconds>> at = {};
};
struct SignalRequest {
  std::string_view agent;
  std::string_view session_key;
  std::string_view name;
  std::string_view type;
  ByteView payload;
};
struct QueryRequest {
  std::string_view agent;
  int version = 1;
  std::string_view query;
  std::string_view session_key;
  ByteView input;
};
enum class CancelHow : std::uint8_t { ask, kill };

/// Thread: any.
class RuntimeCore : public BlobAccess {
 public:
  RuntimeCore() = default;
  RuntimeCore(const RuntimeCore&) = delete;
  RuntimeCore& operator=(const RuntimeCore&) = delete;
  virtual ~RuntimeCore() = default;

  virtual void serve(AgentEntry agent) = 0;
  virtual void serve(ToolEntry tool) = 0;
  virtual void on_event(EventHook hook) = 0;
  [[nodiscard]] virtual Result<void> start() = 0;
  [[nodiscard]] virtual Result<void> shutdown() = 0;

  [[nodiscard]] virtual Result<RunId> send_message(const MessageRequest& request) = 0;
  [[nodiscard]] virtual Result<void> send_signal(const SignalRequest& request) = 0;
  [[nodiscard]] virtual Result<void> cancel(const RunId& run, const CancelOptions& options,
                                            CancelHow how) = 0;
  [[nodiscard]] virtual Result<void> retry_now(const RunId& run) = 0;
  [[nodiscard]] virtual Result<void> compensate(const RunId& run, const CancelOptions& options) = 0;
  [[nodiscard]] virtual Result<void> resolve_saga(std::string_view saga,
                                                  const SagaResolution& resolution) = 0;
  [[nodiscard]] virtual Result<Spending> spending(const RunId& run) = 0;
  [[nodiscard]] virtual Result<void> raise(const RunId& run, const Budget& limits) = 0;
  [[nodiscard]] virtual Result<std::optional<RunId>> find_run(std::string_view agent,
                                                              std::string_view key,
                                                              std::string_view message_key) = 0;
  /// Users' tables, each read at its own moment. Lives as long as this.
  [[nodiscard]] virtual RowSource& rows() = 0;
  [[nodiscard]] virtual Result<Bytes> query(const QueryRequest& request) = 0;
  [[nodiscard]] virtual Result<Bytes> wait(const RunId& run, std::chrono::milliseconds within) = 0;
  [[nodiscard]] virtual bool has_ended(const RunId& run) = 0;
  [[nodiscard]] virtual Result<std::string> explain(const RunId& run) = 0;
};

}  // namespace detail
}  // namespace v0
}  // namespace perdure
