/// A run's outermost task, behind an interface without its types.
///
/// What this is: how the engine makes a handler's frame from recorded bytes and takes its reply as
/// bytes.
/// What it does not: schedule; see execution.hpp.
#pragma once

#include <perdure/context.hpp>
#include <perdure/handler_options.hpp>
#include <perdure/query.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace perdure {
inline namespace v0 {
namespace detail {

class RootTask {
 public:
  RootTask() = default;
  RootTask(const RootTask&) = delete;
  RootTask& operator=(const RootTask&) = delete;
  /// Destroys the frame, if there still is one.
  virtual ~RootTask() = default;
  /// Decodes the message and makes the frame; it becomes runnable. Errors: `undecodable`.
  [[nodiscard]] virtual Result<void> start(Execution& execution, Context& context,
                                           ByteView message) = 0;
  [[nodiscard]] virtual bool ended() const noexcept = 0;
  /// The reply as bytes, or the handler's failure. Call once, when it has ended.
  [[nodiscard]] virtual Result<Bytes> take_reply() = 0;
};

template <class Reply, class Message>
class RootTaskOf final : public RootTask, private TaskOwner, private Parent, private SagaWaiter {
 public:
  using Function = Task<Reply> (*)(Context&, Message);
  explicit RootTaskOf(Function function) : function_(function) {}
  ~RootTaskOf() override {
    if (handle_) handle_.destroy();
  }

  [[nodiscard]] Result<void> start(Execution& execution, Context& context,
                                   ByteView message) override {
    PERDURE_TRY(Message decoded, decode<Message>(message));
    handle_ = function_(context, std::move(decoded)).release();
    handle_.promise().launch(Start{execution, Place{}, *this, 0}, *this, handle_);
    return success();
  }
  [[nodiscard]] bool ended() const noexcept override { return result_.has_value() && !held_; }
  [[nodiscard]] Result<Bytes> take_reply() override {
    if (result_->has_error()) return std::move(*result_).assume_error();
    if constexpr (std::is_void_v<Reply>) {
      return Bytes{};
    } else {
      return encode(result_->assume_value());
    }
  }

 private:
  void task_finished() noexcept override {
    result_.emplace(handle_.promise().take());
    end();
  }
  void task_failed(Error error) noexcept override {
    result_.emplace(std::move(error));
    end();
  }
  void end() noexcept {
    Execution& execution = handle_.promise().execution();
    const PromiseBase* const task = &handle_.promise();
    std::exchange(handle_, {}).destroy();
    held_ = execution.has_left_sagas() && sagas_hold(execution, task, result_, *this);
  }
  void sagas_settled() noexcept override { held_ = false; }
  void child_ended(std::size_t) noexcept override {}

  Function function_;
  std::coroutine_handle<Promise<Reply>> handle_;
  std::optional<Result<Reply>> result_;
  bool held_ = false;
};

/// One handler of an agent, as the runtime keeps it.
struct HandlerEntry {
  std::string name;
  std::string_view message_type;
  std::string_view reply_type;
  std::function<std::unique_ptr<RootTask>()> make;
  HandlerOptions options = {};
  // Of its agent.
  WhenStuck on_divergence = WhenStuck::retry_at_start;
  WhenStuck on_exception = WhenStuck::retry_at_start;
};
struct AgentEntry {
  std::string name;
  int version = 1;
  std::vector<HandlerEntry> handlers;
  std::vector<QueryEntry> queries;
  WhenStuck on_divergence = WhenStuck::retry_at_start;
  WhenStuck on_exception = WhenStuck::retry_at_start;
};

}  // namespace detail
}  // namespace v0
}  // namespace perdure
