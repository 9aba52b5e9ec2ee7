/// Tasks: the coroutines that handlers are.
///
/// What this is: `Task<T>`, the return type of handlers and of the functions they are split into.
/// What it promises: `co_await` of an operation or a task gives its value. A failure ends the
/// awaiting task with that failure: its locals are destroyed, nothing is thrown, and whoever awaits
/// the task is told.
/// A task runs only while its run executes, on one thread at a time.
/// What it does not: await anything that is not Perdure's; wrap other work in `ctx.step`. A task is
/// a named function whose parameters are values, but for `Context&`.
#pragma once

#include <perdure/detail/execution.hpp>
#include <perdure/result.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace perdure {
inline namespace v0 {

class Context;
template <class T>
class Task;

namespace detail {

/// What `co_await` accepts: it names the state that its awaiter keeps.
template <class Op>
concept Operation = requires { typename std::remove_cvref_t<Op>::OperationState; };

/// What becomes of a task that was asked to stop, now that what it awaits has ended.
enum class AtStop : std::uint8_t {
  ends,     ///< It ends with `cancelled`.
  told,     ///< It goes on, and finds `cancelled` as a value: the request is answered.
  goes_on,  ///< It goes on with a value that came in spite of it; its next await is asked to stop.
};

/// What a frame awaits now.
class Awaited {
 public:
  /// Why the awaiting task must end, or null.
  [[nodiscard]] virtual Error* failure() noexcept = 0;
  virtual void request_stop() noexcept = 0;
  [[nodiscard]] virtual AtStop at_stop() noexcept = 0;

 protected:
  ~Awaited() = default;
};

/// Keeps a task's frame and takes its result: a TaskState, or the run itself for the root.
class TaskOwner {
 public:
  /// The frame stands at its end: take the result, destroy the frame, go on.
  virtual void task_finished() noexcept = 0;
  /// The task ends with `error` where it stands: destroy the frame, go on.
  virtual void task_failed(Error error) noexcept = 0;

 protected:
  ~TaskOwner() = default;
};

/// In a catch block, for what user code threw: an `Exception` is returned as its error, any other
/// parks the run.
[[nodiscard]] std::optional<Error> escaped(Execution& execution) noexcept;

class PromiseBase : public Parent, public Runnable {
 public:
  PromiseBase() = default;
  PromiseBase(const PromiseBase&) = delete;
  PromiseBase& operator=(const PromiseBase&) = delete;

  /// A frame's memory is the run's that creates it.
  static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept { free_frame(frame, bytes); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) noexcept { promise.finish(); }
    void await_resume() noexcept {}
    PromiseBase& promise;
  };
  FinalAwaiter final_suspend() noexcept { return {*this}; }

  /// Starts the frame behind `handle`: it becomes runnable.
  void launch(const Start& start, TaskOwner& owner, std::coroutine_handle<> handle) noexcept {
    execution_ = &start.execution;
    place_ = start.place;
    owner_ = &owner;
    handle_ = handle;
    execution_->make_runnable(*this);
  }
  /// The task's branch lost, or its run is cancelled: what it awaits is asked to stop, and when
  /// that has ended the task ends with `cancelled`, or goes on if it awaits by `catch_cancelled`.
  void request_stop() noexcept {
    if (stopping_) return;
    stopping_ = true;
    if (awaited_ != nullptr) awaited_->request_stop();
  }

  void child_ended(std::size_t) noexcept final { execution_->make_runnable(*this); }
  void run() noexcept final;

  /// For awaiters: the number of the await that begins now.
  [[nodiscard]] Place next_place() noexcept {
    draws_ = 0;
    return Place{&place_, ++awaits_};
  }
  void set_awaited(Awaited* awaited) noexcept { awaited_ = awaited; }
  [[nodiscard]] Execution& execution() const noexcept { return *execution_; }
  [[nodiscard]] bool stopping() const noexcept { return stopping_; }

  /// For `ctx.random()`.
  [[nodiscard]] const Place& place() const noexcept { return place_; }
  [[nodiscard]] std::uint32_t awaits() const noexcept { return awaits_; }
  [[nodiscard]] std::uint32_t next_draw() noexcept { return draws_++; }

 protected:
  ~PromiseBase() = default;

 private:
  [[nodiscard]] bool ends_stopped() noexcept;
  void finish() noexcept {
    finished_ = true;
    execution_->make_runnable(*this);
  }

  Execution* execution_ = nullptr;
  Place place_;
  TaskOwner* owner_ = nullptr;
  std::coroutine_handle<> handle_;
  Awaited* awaited_ = nullptr;
  std::uint32_t awaits_ = 0;
  std::uint32_t draws_ = 0;
  bool finished_ = false;
  bool stopping_ = false;
};

/// Awaits one operation from a frame.
template <class Op>
class Awaiter final : public Awaited {
 public:
  using State = typename Op::OperationState;
  Awaiter(Op&& operation, PromiseBase& promise) : state_(std::move(operation)), promise_(promise) {}
  Awaiter(const Awaiter&) = delete;
  Awaiter& operator=(const Awaiter&) = delete;

  bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) {
    promise_.set_awaited(this);
    state_.start(Start{promise_.execution(), promise_.next_place(), promise_, 0});
    // The value of the await before had come in spite of the request.
    if (promise_.stopping()) state_.request_stop();
  }
  typename State::Value await_resume() {
    promise_.set_awaited(nullptr);
    return state_.take();
  }
  Error* failure() noexcept override { return state_.failure(); }
  void request_stop() noexcept override { state_.request_stop(); }
  AtStop at_stop() noexcept override {
    if constexpr (requires { state_.at_stop(); }) {
      return state_.at_stop();
    } else {
      return AtStop::ends;
    }
  }

 private:
  State state_;
  PromiseBase& promise_;
};

/// `pd::fail(error)`: see operations.hpp.
struct FailOperation;

template <class T>
class Promise;

template <class T>
class PromiseResult : public PromiseBase {
 public:
  void return_value(Result<T> result) { result_.emplace(std::move(result)); }
  template <class U>
    requires(std::convertible_to<U &&, T> && !std::same_as<std::remove_cvref_t<U>, Result<T>> &&
             !std::same_as<std::remove_cvref_t<U>, Error>)
  void return_value(U&& value) {
    result_.emplace(BOOST_OUTCOME_V2_NAMESPACE::in_place_type<T>, std::forward<U>(value));
  }

 protected:
  ~PromiseResult() = default;
  std::optional<Result<T>> result_;
};

template <>
class PromiseResult<void> : public PromiseBase {
 public:
  void return_void() { result_.emplace(success()); }

 protected:
  ~PromiseResult() = default;
  std::optional<Result<void>> result_;
};

template <class T>
class Promise final : public PromiseResult<T> {
 public:
  Task<T> get_return_object() noexcept;
  void unhandled_exception() noexcept {
    if (std::optional<Error> error = escaped(this->execution()))
      this->result_.emplace(std::move(*error));
  }
  [[nodiscard]] Result<T> take() { return std::move(*this->result_); }

  template <class Op>
  auto await_transform(Op&& operation) {
    static_assert(Operation<Op>,
                  "perdure: a handler can await only perdure operations; wrap other asynchronous "
                  "work in ctx.step");
    static_assert(!std::is_lvalue_reference_v<Op>,
                  "perdure: an operation is awaited once; write co_await std::move(operation)");
    return Awaiter<std::remove_cvref_t<Op>>(std::forward<Op>(operation), *this);
  }
};

/// The frame of `task` is gone. Whether whoever awaits it waits on, for sagas that it left open;
/// and to leave one open is a failure, in place of a value.
template <class T>
[[nodiscard]] bool sagas_hold(Execution& execution, const PromiseBase* task,
                              std::optional<Result<T>>& result, SagaWaiter& waiter) noexcept {
  if (std::optional<Error> forgotten = execution.sagas_left_by(task);
      forgotten && result->has_value())
    result.emplace(std::move(*forgotten));
  return execution.wait_for_sagas(task, waiter);
}

/// A child task while it is awaited.
template <class T>
class TaskState final : public TaskOwner, private SagaWaiter {
 public:
  using Value = T;
  explicit TaskState(Task<T>&& task) : handle_(task.release()) {}
  TaskState(const TaskState&) = delete;
  TaskState& operator=(const TaskState&) = delete;
  ~TaskState() {
    if (handle_) handle_.destroy();
  }

  void start(const Start& start) {
    parent_ = &start.parent;
    position_ = start.position;
    handle_.promise().launch(start, *this, handle_);
  }
  void request_stop() noexcept {
    if (handle_) handle_.promise().request_stop();
  }
  [[nodiscard]] Error* failure() noexcept {
    return result_->has_error() ? &result_->assume_error() : nullptr;
  }
  [[nodiscard]] T take() {
    if constexpr (!std::is_void_v<T>) return std::move(*result_).assume_value();
  }

  void task_finished() noexcept override {
    result_.emplace(handle_.promise().take());
    end();
  }
  void task_failed(Error error) noexcept override {
    result_.emplace(std::move(error));
    end();
  }

 private:
  void end() noexcept {
    Execution& execution = handle_.promise().execution();
    const PromiseBase* const task = &handle_.promise();
    std::exchange(handle_, {}).destroy();
    if (execution.has_left_sagas() && sagas_hold(execution, task, result_, *this)) return;
    parent_->child_ended(position_);
  }
  void sagas_settled() noexcept override { parent_->child_ended(position_); }
  std::coroutine_handle<Promise<T>> handle_;
  Parent* parent_ = nullptr;
  std::size_t position_ = 0;
  std::optional<Result<T>> result_;
};

template <class A>
inline constexpr bool kTaskParameter = !std::is_reference_v<A> || std::same_as<A, Context&>;

}  // namespace detail

/// A coroutine of a handler. Lazy: it runs when it is awaited. Await it once, in the run whose
/// `Context` it was given. Destroying it destroys the frame.
template <class T>
class [[nodiscard("perdure: a task does nothing until it is awaited")]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using OperationState = detail::TaskState<T>;
  using value_type = T;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }
  /// For the engine: gives the frame away.
  [[nodiscard]] std::coroutine_handle<promise_type> release() noexcept {
    return std::exchange(handle_, {});
  }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}

}  // namespace v0
}  // namespace perdure

/// Sees a coroutine's parameters where it is declared, and refuses those that would dangle.
template <class T, class... Args>
struct std::coroutine_traits<perdure::Task<T>, Args...> {
  static_assert(
      (perdure::detail::kTaskParameter<Args> && ...),
      "perdure: a task takes its parameters by value, but for Context& (a reference would dangle "
      "when the session leaves memory), and a lambda or a member function cannot be one: write "
      "a function");
  using promise_type = perdure::detail::Promise<T>;
};
