/// The operation behind `ctx.call(tool, input)`.
///
/// What this is: a tool, an input and options as a value, and the leaf that they become when they
/// are awaited.
/// What it promises: see `Context::call`.
/// What it does not: call the tool; the engine does, by the entry that the runtime serves.
#pragma once

#include <perdure/detail/leaf_state.hpp>
#include <perdure/task.hpp>
#include <perdure/undo.hpp>

#include <optional>
#include <source_location>
#include <string>
#include <utility>

namespace perdure {
inline namespace v0 {
namespace detail {

/// What an action is in the saga that it belongs to.
struct SagaMember {
  SagaRef saga;
  enum class As : std::uint8_t { undoable, pivot, retriable, read_only } as = As::read_only;
};

/// What becomes of a call whose tool nobody serves.
enum class Unserved : std::uint8_t {
  parks,  ///< The run waits for a deploy.
  fails,  ///< It fails, with `not_registered`.
  waits,  ///< It waits for another process, and the rest of the run goes on.
};

/// A leaf whose body is a tool's. The engine resolves the tool by name.
class ToolLeaf : public BodyLeaf {
 public:
  ToolLeaf(Name name, std::string_view output_type, std::string_view tool_name,
           std::string_view input_type, ToolCallOptions changes)
      : BodyLeaf(std::move(name), output_type, {}),
        tool_name_(tool_name),
        input_type_(input_type),
        changes_(std::move(changes)) {}

  [[nodiscard]] ToolLeaf* tool() noexcept final { return this; }
  /// Never called: an attempt owns its input, and asks the leaf for nothing.
  [[nodiscard]] BodyResult run(Step& step) noexcept final;

  [[nodiscard]] std::string_view tool_name() const noexcept { return tool_name_; }
  [[nodiscard]] std::string_view input_type() const noexcept { return input_type_; }
  /// What the handler's own tool says: who served none in a test serves that.
  [[nodiscard]] virtual ToolEntry declared() const = 0;
  /// The input's payload. Errors: as `encode`.
  [[nodiscard]] virtual Result<Bytes> encode_input() const = 0;

  /// What it is in a saga; null: it is in none.
  [[nodiscard]] virtual const SagaMember* member() const noexcept { return nullptr; }
  /// Of a member that is undoable: the compensation, as the handler's own says.
  [[nodiscard]] virtual std::string_view undo_name() const noexcept { return {}; }
  [[nodiscard]] virtual ToolEntry declared_undo() const { return {}; }
  [[nodiscard]] virtual Unserved when_unserved() const noexcept { return Unserved::parks; }

  /// The engine's: from here on the call goes by the options of `entry`, with the call's changes.
  void adopt(const ToolEntry& entry);
  [[nodiscard]] const ToolPolicy& policy() const noexcept { return policy_; }
  /// The moment from which the overall timeout is counted, by `core::Clock::elapsed`.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> counted_from() const noexcept {
    return counted_from_;
  }
  void count_from(std::chrono::nanoseconds moment) noexcept { counted_from_ = moment; }

 protected:
  void set_input_type(std::string_view type) noexcept { input_type_ = type; }

 private:
  std::string_view tool_name_;
  std::string_view input_type_;
  ToolCallOptions changes_;
  ToolPolicy policy_;
  std::optional<std::chrono::nanoseconds> counted_from_;
};

template <class In, class Out>
class ToolState;

/// `ctx.call(tool, input, options)`.
template <class In, class Out>
struct [[nodiscard("perdure: a tool is not called until the call is awaited")]] ToolOperation {
  using OperationState = ToolState<In, Out>;
  using value_type = Out;

  Tool<In, Out> tool;
  In input;
  ToolCallOptions options;
  std::source_location where;
  std::optional<SagaMember> member = {};
  std::optional<Undo<In, Out>> undo = {};
};

template <class In, class Out>
class ToolState final : public DecodedState<ToolLeaf, Out> {
 public:
  explicit ToolState(ToolOperation<In, Out>&& operation)
      : DecodedState<ToolLeaf, Out>(
            Name(operation.options.name.empty() ? std::string(operation.tool.name)
                                                : operation.options.name,
                 operation.where),
            type_name_or_void<Out>(), operation.tool.name, type_name<In>(), operation.options),
        tool_(operation.tool),
        input_(std::move(operation.input)),
        member_(operation.member),
        undo_(operation.undo) {}

  [[nodiscard]] ToolEntry declared() const override { return tool_.entry(); }
  [[nodiscard]] Result<Bytes> encode_input() const override { return encode(input_); }
  [[nodiscard]] const SagaMember* member() const noexcept override {
    return member_ ? &*member_ : nullptr;
  }
  [[nodiscard]] std::string_view undo_name() const noexcept override {
    return undo_ ? undo_->name : std::string_view{};
  }
  [[nodiscard]] ToolEntry declared_undo() const override {
    return undo_ ? undo_->entry() : ToolEntry{};
  }

 private:
  Tool<In, Out> tool_;
  In input_;
  std::optional<SagaMember> member_;
  std::optional<Undo<In, Out>> undo_;
};

}  // namespace detail
}  // namespace v0
}  // namespace perdure
