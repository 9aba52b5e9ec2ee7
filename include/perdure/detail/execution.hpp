/// The seam between handlers and the engine that runs them.
///
/// What this is: what coroutine frames (task.hpp) and operations (operations.hpp) ask of the
/// engine, and what the engine asks of them. The engine itself is compiled (actors/run_core.hpp);
/// nothing here stores or schedules anything.
/// What it promises: everything here is called on the run's own thread, one call at a time, but for
/// `BodyLeaf::run`, which is called on a step thread.
/// What it does not: belong to the API. Names in `perdure::detail` may change with every version.
///
/// How the parts hang together: a frame awaits one Child at a time (a leaf, a task, a combinator).
/// A child that has ended tells its Parent. A parent that is a frame becomes runnable; the engine's
/// loop runs what is runnable, first come first served, until nothing is left, and then makes the
/// next delivery.
#pragma once

#include <perdure/codec.hpp>
#include <perdure/handler_options.hpp>
#include <perdure/result.hpp>
#include <perdure/step.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <source_location>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace perdure {
inline namespace v0 {

/// A step's name, together with the place in the code where it stands.
struct Name {
  std::string text;
  std::source_location where;
  // Implicit, so that `ctx.step("read", …)` works; the default argument is the caller's place.
  Name(const char* name, std::source_location at = std::source_location::current())
      : text(name), where(at) {}
  Name(std::string_view name, std::source_location at = std::source_location::current())
      : text(name), where(at) {}
  Name(std::string name, std::source_location at = std::source_location::current())
      : text(std::move(name)), where(at) {}
};

namespace detail {

class Execution;

/// Where something stands in the tree of a run: a list of components from the root, linked upwards.
/// The nodes live in frames and awaiters; the root has no parent and no component.
struct Place {
  const Place* parent = nullptr;
  std::uint32_t component = 0;
  /// A cancel of the run does not reach what stands here and below.
  bool shielded = false;
};

/// Told when a child that it started has ended.
class Parent {
 public:
  virtual void child_ended(std::size_t position) noexcept = 0;

 protected:
  ~Parent() = default;
};

/// Something the engine's loop can run: a task's frame. At most once in the queue at a time.
class Runnable {
 public:
  virtual void run() noexcept = 0;
  /// The queue's own link. (No friend in its place: GCC then takes the destructor for accessible.)
  Runnable* next_in_queue = nullptr;

 protected:
  ~Runnable() = default;
};

/// Where a child was started, and whom to tell.
struct Start {
  Execution& execution;
  Place place;
  Parent& parent;
  std::size_t position = 0;
};

/// How a body ended: the encoded value, or the failure.
using BodyResult = Result<Bytes>;

/// What sort of operation a leaf is; the numbers are those of the journal's format.
enum class LeafKind : std::uint8_t {
  step = 1,
  sleep = 2,
  receive = 3,
  call = 4,
  send = 5,
  spawn = 6,
  join = 7,
  commit = 8,
  compensate = 9
};

/// One operation that ends by at most one delivery.
class Leaf {
 public:
  Leaf(LeafKind kind, Name name, std::string_view type)
      : kind_(kind), name_(std::move(name)), type_(type) {}
  Leaf(const Leaf&) = delete;
  Leaf& operator=(const Leaf&) = delete;
  virtual ~Leaf() = default;

  [[nodiscard]] LeafKind kind() const noexcept { return kind_; }
  [[nodiscard]] const Name& name() const noexcept { return name_; }
  [[nodiscard]] std::string_view type() const noexcept { return type_; }
  [[nodiscard]] const Place& place() const noexcept { return place_; }

  /// The recorded value: decodes and keeps it. Errors: `undecodable`; the leaf has then not ended.
  [[nodiscard]] virtual Result<void> accept(ByteView payload) = 0;
  /// The recorded failure.
  virtual void refuse(Error error) = 0;
  /// Tells whoever awaits that the leaf has ended.
  void ended() noexcept { parent_->child_ended(position_); }

 protected:
  void open(const Start& start);
  void stop() noexcept;

 private:
  LeafKind kind_;
  Name name_;
  std::string_view type_;
  Place place_;
  Execution* execution_ = nullptr;
  Parent* parent_ = nullptr;
  std::size_t position_ = 0;
};

class ToolLeaf;

/// A leaf with a body.
class BodyLeaf : public Leaf {
 public:
  BodyLeaf(Name name, std::string_view type, StepOptions options)
      : Leaf(LeafKind::step, std::move(name), type), options_(std::move(options)) {}

  [[nodiscard]] const StepOptions& options() const noexcept { return options_; }
  /// The call of a tool; null: the body is the leaf's own.
  [[nodiscard]] virtual ToolLeaf* tool() noexcept { return nullptr; }
  /// Its body is a transaction's.
  [[nodiscard]] virtual bool transacts() const noexcept { return false; }
  /// Runs the body. On a step thread, while the frame is kept alive.
  [[nodiscard]] virtual BodyResult run(Step& step) noexcept = 0;
  /// The engine's: stops the body of the current attempt.
  [[nodiscard]] std::stop_source& stop_source() noexcept { return stop_source_; }

 protected:
  void set_options(const StepOptions& options) { options_ = options; }

 private:
  StepOptions options_;
  // Without state until a body runs: replay must not pay for it.
  std::stop_source stop_source_{std::nostopstate};
};

/// A time in microseconds since 1970, or after a beginning.
struct WaitUntil {
  std::int64_t us = 0;
  enum class Counted : std::uint8_t { from_the_beginning, by_wall_clock } counted{};
};

/// A saga of a run, by its number there; 0: none.
struct SagaRef {
  RunId run;
  std::uint32_t number = 0;
};
/// What a handler says of a saga that it begins.
struct SagaSpec {
  std::optional<SagaRef> parent = {};
  bool parallel = false;
  bool goes_on = false;
  std::chrono::milliseconds deadline{0};
  bool reaches_parked = false;
};

/// What names a child in its parent: what a spawn records.
struct ChildRef {
  std::string agent;
  std::string session_key;
  std::string handler;
  std::string run;                  ///< As `to_string` writes it.
  std::vector<std::uint32_t> step;  ///< The path of the spawn.
};

/// What a leaf without a body asks for.
struct WaitRequest {
  /// When a sleep is over, or when other waiting is given up.
  std::optional<WaitUntil> until = {};
  // Of a call or a send: to whom, and what.
  std::string agent = {};
  std::string session_key = {};
  std::string handler = {};  ///< Or the signal's name.
  int agent_version = 0;
  enum class What : std::uint8_t { message, signal, cancel, abort_saga } what = What::message;
  std::string message_key = {};
  std::string input_type = {};
  Bytes input = {};
  /// A message is not handled before.
  std::optional<WaitUntil> not_before = {};
  /// Of a spawn: what happens to the child when this run ends.
  ParentEnds parent_ends = ParentEnds::cancel_child;
  /// Of a join or a cancel: the child.
  ChildRef child = {};
  // Of a cancel.
  std::string by = {};
  std::string why = {};
  std::chrono::milliseconds grace{0};
  /// Of a commit, a compensate and a call that works for a saga: which.
  SagaRef saga = {};
  /// Of a compensate: what came behind it is undone, and the saga goes on. Empty: all of it.
  std::optional<std::uint32_t> save_point = {};
};

/// A leaf that waits for something, or has something done by the journal alone.
class WaitLeaf : public Leaf {
 public:
  WaitLeaf(LeafKind kind, Name name, std::string_view type, WaitRequest request)
      : Leaf(kind, std::move(name), type), request_(std::move(request)) {}
  [[nodiscard]] const WaitRequest& request() const noexcept { return request_; }

 private:
  WaitRequest request_;
};

class PromiseBase;

/// Memory of a handler's or task's frame; counted for the run whose handler this thread runs.
[[nodiscard]] void* allocate_frame(std::size_t bytes);
void free_frame(void* frame, std::size_t bytes) noexcept;

/// Thrown by `Execution::park_here` through the handler, whose locals it destroys.
struct ParkedHere {};

/// Told when the sagas that a frame left open are settled, or stuck.
class SagaWaiter {
 public:
  virtual void sagas_settled() noexcept = 0;

 protected:
  ~SagaWaiter() = default;
};

/// The engine of one run.
class Execution {
 public:
  Execution() = default;
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  /// A leaf was started: it is pending from here on.
  virtual void open(Leaf& leaf) = 0;
  /// Nobody needs the leaf's outcome any more; its body is asked to stop. Its delivery still comes.
  virtual void stop(Leaf& leaf) noexcept = 0;
  /// An exception that is no `Exception` escaped a handler: the run parks.
  virtual void handler_threw(const char* what) noexcept = 0;
  /// The n-th random number at the place of the running task.
  [[nodiscard]] virtual std::uint64_t draw(const PromiseBase& task, std::uint32_t number) const = 0;
  /// Microseconds since 1970 of the last delivery.
  [[nodiscard]] virtual std::int64_t now_us() const = 0;
  [[nodiscard]] virtual const RunId& run_id() const = 0;
  [[nodiscard]] virtual std::string_view session_key() const = 0;
  [[nodiscard]] virtual std::string_view agent_name() const = 0;
  [[nodiscard]] virtual int agent_version() const = 0;
  virtual void log(std::string_view message) = 0;
  /// The session's value of `name` as the run sees it here, or null. Borrowed until the next write.
  [[nodiscard]] virtual const Bytes* read_state(std::string_view name) = 0;
  /// Empty: there is none from here on.
  virtual void write_state(std::string_view name, std::string_view type,
                           std::optional<Bytes> value) = 0;
  /// Which way the run goes at `change`.
  [[nodiscard]] virtual int version(std::string_view change, int oldest, int newest) = 0;
  /// The run cannot go on with this code or journal: throws what `PromiseBase::escaped` knows.
  [[noreturn]] virtual void park_here(Error why) = 0;
  /// Whether the caller's thread is running this run's handler now (and not one of its step
  /// bodies).
  [[nodiscard]] virtual bool on_this_thread() const noexcept = 0;

  /// The handler begins a saga. Throws `Exception` (`misuse`), or what `park_here` throws.
  [[nodiscard]] virtual SagaRef open_saga(const Name& name, const SagaSpec& spec) = 0;
  /// The saga's object is destroyed by its frame. One that is open is abandoned.
  virtual void leave_saga(const SagaRef& saga) noexcept = 0;
  /// Where `back_to` comes back to. Throws `Exception` (`misuse`).
  [[nodiscard]] virtual std::uint32_t save_point(const SagaRef& saga) = 0;
  /// The frame of `task` is gone. The failure that its task has in place of a value, because it
  /// left sagas open; empty: it did not.
  [[nodiscard]] virtual std::optional<Error> sagas_left_by(const PromiseBase* task) = 0;
  /// Whether `waiter` has to wait for sagas of that frame; then it is told once.
  [[nodiscard]] virtual bool wait_for_sagas(const PromiseBase* task, SagaWaiter& waiter) = 0;
  /// What a task that was asked to stop ends with.
  [[nodiscard]] virtual Error stopped_error(const PromiseBase& task) const = 0;
  /// Some frame of this run left a saga open.
  [[nodiscard]] bool has_left_sagas() const noexcept { return has_left_sagas_; }

  void make_runnable(Runnable& runnable) noexcept {
    runnable.next_in_queue = nullptr;
    (last_ == nullptr ? first_ : last_->next_in_queue) = &runnable;
    last_ = &runnable;
  }
  [[nodiscard]] PromiseBase* current() const noexcept { return current_; }
  void set_current(PromiseBase* task) noexcept { current_ = task; }
  /// Whether the frames are being destroyed without the handler's doing: nothing of Perdure's has
  /// an effect now.
  [[nodiscard]] bool discarding() const noexcept { return discarding_; }

 protected:
  ~Execution() = default;
  /// The next runnable, or null.
  [[nodiscard]] Runnable* take_runnable() noexcept {
    Runnable* const taken = first_;
    if (taken != nullptr && (first_ = taken->next_in_queue) == nullptr) last_ = nullptr;
    return taken;
  }
  void forget_runnables() noexcept { first_ = last_ = nullptr; }
  void set_discarding(bool discarding) noexcept { discarding_ = discarding; }
  void set_has_left_sagas() noexcept { has_left_sagas_ = true; }

 private:
  Runnable* first_ = nullptr;
  Runnable* last_ = nullptr;
  PromiseBase* current_ = nullptr;
  bool discarding_ = false;
  bool has_left_sagas_ = false;
};

inline void Leaf::open(const Start& start) {
  place_ = start.place;
  execution_ = &start.execution;
  parent_ = &start.parent;
  position_ = start.position;
  start.execution.open(*this);
}

inline void Leaf::stop() noexcept { execution_->stop(*this); }

}  // namespace detail
}  // namespace v0
}  // namespace perdure
