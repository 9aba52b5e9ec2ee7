/// The testing kit's runtime behind its handle, and the values that it deals in.
///
/// What this is: what `testing::Runtime` asks of the compiled kit (actors/testing_core.cpp).
#pragma once

#include <perdure/detail/runtime_core.hpp>
#include <perdure/step.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace perdure {
inline namespace v0 {
namespace testing {

/// What becomes of handlers' frames between two steps.
enum class Frames : std::uint8_t {
  kept,  ///< They stay in memory, as in a process that lives.
  /// After each step the process ends cleanly and starts again, so that each handler is replayed
  /// from its journal before it goes on. Slower, and it finds handlers that are not deterministic.
  replayed,
};

/// Which of several bodies that may run begins next.
enum class Order : std::uint8_t {
  as_due,  ///< The one that became due first.
  /// Any, by `Options::seed`: other seeds try other orders of side-by-side steps. A function of the
  /// session and the step, so a process that comes after a crash has the same order.
  by_seed,
};

/// How a process ends.
enum class End : std::uint8_t {
  clean,    ///< By `shutdown`.
  unclean,  ///< Killed: what was not durable is lost.
};

/// How long nobody ran.
struct Downtime {
  /// The clock moves by so much between end and start; nothing happens meanwhile. Default: not.
  std::chrono::microseconds down_for{0};
};

struct Options {
  /// Of run ids, of what handlers draw, and of jitter. The same seed gives the same.
  std::uint64_t seed = 1;
  /// Where the clock stands at first. Default: 2023-11-14 22:13:20 UTC.
  std::chrono::sys_time<std::chrono::microseconds> start_time{
      std::chrono::microseconds{1'700'000'000'000'000}};
  Frames frames = Frames::kept;
  Order order = Order::as_due;
  /// How many things may happen inside one call (a session that is resumed, a commit, a body are
  /// one each) before it fails with `timeout`: so a run that never comes to rest fails its test.
  std::uint64_t turns_max = 1'000'000;
};

/// How a step's body ended.
enum class StepOutcome : std::uint8_t {
  running,  ///< It has not returned.
  value,
  failed,  ///< With `StepRun::error`.
};

/// One attempt of one step.
struct StepRun {
  std::string name;
  std::string id;  ///< The step's path: `"3.0.1"`.
  int attempt = 1;
  std::string session;  ///< `agent/key`.
  RunId run;
  Effect effect = Effect::idempotent;
  StepOutcome outcome = StepOutcome::running;
  std::optional<Error> error = {};
  std::chrono::sys_time<std::chrono::microseconds> began = {};
  /// In which process: 1, and one more for each that died or was restarted.
  int life = 1;
};

/// A log record, owned.
struct LogLine {
  LogLevel level = LogLevel::info;
  std::string event;
  std::string message;
  std::optional<RunId> run = {};
  std::string session;
  std::string step;
};

namespace detail {

using perdure::detail::AgentEntry;
using perdure::detail::BodyLeaf;

/// Thread: one.
class TestingCore : public perdure::detail::RuntimeCore {
 public:
  virtual void serve_if_new(AgentEntry agent) = 0;
  virtual void forget(std::string_view undo) = 0;
  /// Null: no replacement any more.
  virtual void replace(const std::string& step_name, std::shared_ptr<BodyLeaf> body) = 0;
  /// Without a function: no replacement any more.
  virtual void replace(perdure::detail::ToolEntry tool) = 0;
  [[nodiscard]] virtual Result<void> run_until_idle() = 0;
  [[nodiscard]] virtual Result<void> advance(std::chrono::microseconds by) = 0;
  [[nodiscard]] virtual std::chrono::sys_time<std::chrono::microseconds> now() const = 0;
  [[nodiscard]] virtual Result<void> restart(End end, Downtime downtime) = 0;
  [[nodiscard]] virtual const std::vector<StepRun>& steps() const = 0;
  [[nodiscard]] virtual const std::vector<Event>& events() const = 0;
  [[nodiscard]] virtual const std::vector<LogLine>& log() const = 0;
};

[[nodiscard]] std::shared_ptr<TestingCore> make_testing_core(Options options);

}  // namespace detail
}  // namespace testing
}  // namespace v0
}  // namespace perdure
