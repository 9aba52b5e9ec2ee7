/// A tool, behind an interface without its types.
///
/// What this is: how the engine calls a tool with recorded bytes, and how its outcome comes back.
/// What it promises: everything here may be called on any thread.
/// What it does not: run anything; actors/tool_attempt.hpp does.
#pragma once

#include <perdure/codec.hpp>
#include <perdure/result.hpp>
#include <perdure/step.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace perdure {
inline namespace v0 {
namespace detail {

/// How a tool's attempts are governed: what its definition says, changed by what the call says.
struct ToolPolicy {
  Effect effect = Effect::idempotent;
  Retry retry = {};
  // Zero: none.
  std::chrono::milliseconds timeout{0};
  std::chrono::milliseconds queue_timeout{0};
  std::chrono::milliseconds overall_timeout{0};
  std::chrono::milliseconds heartbeat_timeout{0};
  std::chrono::milliseconds settle_time{0};
  std::chrono::milliseconds find_within{0};
  Cost cost_max = {};
};

/// What `find` says of an attempt whose outcome nobody knows.
enum class Found : std::uint8_t {
  found,          ///< It happened: with its output.
  never_will_be,  ///< It did not happen, and will not.
  not_yet_known,  ///< Ask again.
};
struct FoundBytes {
  Found what = Found::not_yet_known;
  Bytes output = {};
};

/// Where an attempt's outcome goes. Thread: any.
class CompletionCore {
 public:
  CompletionCore() = default;
  CompletionCore(const CompletionCore&) = delete;
  CompletionCore& operator=(const CompletionCore&) = delete;
  virtual ~CompletionCore() = default;
  /// Errors: `misuse` for the second one; `timeout` or `cancelled` when the attempt was given up
  /// before; `closed` when the runtime has ended.
  [[nodiscard]] virtual Result<void> complete(Result<Bytes> outcome) = 0;
};

/// A tool as the runtime keeps it.
struct ToolEntry {
  std::string name;
  std::string_view input_type;
  std::string_view output_type;
  ToolPolicy policy = {};
  std::string_view description = {};
  /// Empty: the tool was declared without a function, and somebody else has to serve it.
  std::function<void(Step step, ByteView input, std::shared_ptr<CompletionCore> completion)> run =
      {};
  /// Empty: it can't be asked.
  std::function<Result<FoundBytes>(Step& step, ByteView input)> find = {};
  /// It is a compensation, and its input a receipt.
  bool is_undo = false;
};

/// The failure of a body or a tool that threw; called in a catch block. `who` threw.
[[nodiscard]] Error error_of_thrown(std::string_view who = "the step's body") noexcept;

}  // namespace detail
}  // namespace v0
}  // namespace perdure
