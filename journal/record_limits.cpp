#include "journal/session_rows.hpp"

#include "core/limits.hpp"

#include <string>

namespace perdure::journal {
namespace {

namespace limits = core::limits;

/// Collects the first limit that is broken. Costs comparisons only while all are kept.
class Check {
 public:
  Check& name(std::string_view what, std::string_view text) {
    return bound(what, text.size(), limits::kNameBytes, "kNameBytes");
  }
  Check& key(std::string_view what, std::string_view text) {
    return bound(what, text.size(), limits::kKeyBytes, "kKeyBytes");
  }
  Check& payload(std::string_view what, const PayloadView& payload) {
    return payload.blob()
               ? bound(what, payload.size(), limits::kPayloadBytes, "kPayloadBytes")
               : bound(what, payload.size(), limits::kInlinePayloadBytes, "kInlinePayloadBytes");
  }
  Check& progress(core::ByteView progress) {
    return bound("the progress", progress.size(), limits::kProgressBytes, "kProgressBytes");
  }
  Check& path(std::span<const std::uint32_t> path) {
    if (path.size() > limits::kPathDepth && !error_)
      error_ = Error{Code::too_large, "a step path has " + std::to_string(path.size()) +
                                          " components, the limit kPathDepth is " +
                                          std::to_string(limits::kPathDepth)};
    return *this;
  }
  Check& payers(core::ByteView ids) {
    return bound("the list of budgets", ids.size(), limits::kNestedBudgets * sizeof(RunId),
                 "kNestedBudgets");
  }
  Result<void> result() {
    if (error_) return *std::move(error_);
    return success();
  }

 private:
  Check& bound(std::string_view what, std::uint64_t size, std::uint64_t limit,
               std::string_view named) {
    if (size > limit && !error_)
      error_ = Error{Code::too_large, std::string(what) + " has " + std::to_string(size) +
                                          " bytes, the limit " + std::string(named) + " is " +
                                          std::to_string(limit)};
    return *this;
  }
  std::optional<Error> error_;
};

Result<void> check_caller(const std::optional<Caller>& caller) {
  if (!caller) return success();
  return Check{}
      .path(caller->path)
      .payers(caller->payers)
      .name("the caller's agent", caller->agent)
      .key("the caller's session key", caller->session_key)
      .result();
}

// Names of types are made from names that the program spells out; they have the limit of keys.
Result<void> check(const RunCreated& v) {
  PERDURE_TRY(check_caller(v.caller));
  return Check{}
      .name("the agent's name", v.agent)
      .name("the handler's name", v.handler)
      .key("the session key", v.session_key)
      .key("the message key", v.message_key)
      .key("the input's type name", v.input_type)
      .payload("the input", v.payload)
      .payers(v.payers)
      .result();
}
Result<void> check(const StepStarted& v) {
  return Check{}.path(v.path).name("the step's name", v.name).result();
}
Result<void> check(const StepResult& v) {
  return Check{}
      .path(v.path)
      .name("the step's name", v.name)
      .key("the result's type name", v.type)
      .payload("the step's result", v.payload)
      .result();
}
Result<void> check(const RunEnded& v) {
  return Check{}.key("the reply's type name", v.type).payload("the reply", v.payload).result();
}
Result<void> check(const Identity& v) {
  return Check{}.name("the version's name", v.created_by).result();
}
Result<void> check(const Counters&) { return success(); }
Result<void> check(const Checkpoint&) { return success(); }
Result<void> check(const SessionRow& v) {
  return Check{}.name("the agent's name", v.agent).key("the session key", v.key).result();
}
Result<void> check(const MessageKeyRow& v) {
  return Check{}.key("the message key", v.key).result();
}
Result<void> check(const RunRow& v) {
  return Check{}
      .name("the agent's name", v.agent)
      .name("the handler's name", v.handler)
      .key("the session key", v.session_key)
      .result();
}
Result<void> check(const HeadRow&) { return success(); }
Result<void> check(const ReadyRow&) { return success(); }
Result<void> check(const DueRow& v) { return Check{}.path(v.path).result(); }
Result<void> check(const AttemptsRow& v) {
  return Check{}.path(v.path).name("the step's name", v.name).progress(v.progress).result();
}
Result<void> check(const VersionMark& v) {
  return Check{}.name("the change's name", v.name).result();
}
Result<void> check(const CancelRequested& v) {
  return Check{}.name("the name of who cancels", v.who).result();
}
Result<void> check(const ArrivalRow& v) {
  PERDURE_TRY(check_caller(v.caller));
  return Check{}
      .name("the agent's name", v.agent)
      .key("the session key", v.session_key)
      .name("the name of the handler or signal", v.name)
      .key("the payload's type name", v.type)
      .payload("the message", v.payload)
      .key("the message key", v.message_key)
      .path(v.path)
      .name("the name of the sender", v.who)
      .result();
}
Result<void> check(const OpenRow&) { return success(); }
Result<void> check(const WaitRow& v) {
  return Check{}.path(v.path).name("the step's name", v.name).result();
}
Result<void> check(const ChildRow& v) {
  return Check{}
      .path(v.path)
      .name("the agent's name", v.agent)
      .key("the session key", v.session_key)
      .result();
}
Result<void> check(const StateRow& v) {
  return Check{}
      .name("the name of the state", v.name)
      .key("the state's type name", v.type)
      .payload("the state", v.payload)
      .result();
}
Result<void> check(const BudgetRow& v) {
  return Check{}.name("the name of who raised the budget", v.raised_by).result();
}
Result<void> check(const UsageRow&) { return success(); }
Result<void> check(const SagaAborted& v) {
  return Check{}.name("the name of who aborts the saga", v.who).result();
}
Result<void> check(const SagaRow& v) {
  return Check{}.name("the saga's name", v.name).name("the name of who aborts it", v.who).result();
}
Result<void> check(const UndoRow& v) {
  return Check{}
      .path(v.path)
      .name("the step's name", v.name)
      .name("the tool's name", v.tool)
      .name("the compensation's name", v.undo)
      .key("the input's type name", v.input_type)
      .key("the output's type name", v.output_type)
      .payload("the action's input", v.payload)
      .name("the agent's name", v.agent)
      .key("the session key", v.session_key)
      .result();
}
Result<void> check(const UndoStateRow& v) {
  return Check{}.name("the name of who decided", v.who).result();
}
Result<void> check(const UserRow& v) {
  return Check{}.key("the row's type name", v.type).payload("the row", v.payload).result();
}

}  // namespace

template <class T>
Result<void> check_limits(const T& value) {
  return check(value);
}

template Result<void> check_limits(const RunCreated&);
template Result<void> check_limits(const StepStarted&);
template Result<void> check_limits(const StepResult&);
template Result<void> check_limits(const RunEnded&);
template Result<void> check_limits(const Identity&);
template Result<void> check_limits(const Counters&);
template Result<void> check_limits(const Checkpoint&);
template Result<void> check_limits(const SessionRow&);
template Result<void> check_limits(const MessageKeyRow&);
template Result<void> check_limits(const RunRow&);
template Result<void> check_limits(const HeadRow&);
template Result<void> check_limits(const ReadyRow&);
template Result<void> check_limits(const DueRow&);
template Result<void> check_limits(const AttemptsRow&);
template Result<void> check_limits(const VersionMark&);
template Result<void> check_limits(const CancelRequested&);
template Result<void> check_limits(const ArrivalRow&);
template Result<void> check_limits(const OpenRow&);
template Result<void> check_limits(const WaitRow&);
template Result<void> check_limits(const StateRow&);
template Result<void> check_limits(const ChildRow&);
template Result<void> check_limits(const UserRow&);
template Result<void> check_limits(const BudgetRow&);
template Result<void> check_limits(const UsageRow&);
template Result<void> check_limits(const SagaAborted&);
template Result<void> check_limits(const SagaRow&);
template Result<void> check_limits(const UndoRow&);
template Result<void> check_limits(const UndoStateRow&);

}  // namespace perdure::journal
