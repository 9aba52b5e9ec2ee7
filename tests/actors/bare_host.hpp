/// A session for a run core that stands alone: it keeps no signals and knows no other session.
#pragma once

#include "actors/run_core.hpp"

namespace perdure::test {

class BareHost final : public actors::RunHost {
 public:
  explicit BareHost(journal::Store& store) : budgets_(store, gate_), state_(store, {}) {}
  Result<std::optional<journal::Payload>> take_signal(std::string_view, const RunId&) override {
    return std::optional<journal::Payload>();
  }
  Result<void> bring(journal::Payload& payload) override { return state_.bring(payload); }
  journal::Change new_change() override { return journal::Change(); }
  Result<journal::SessionId> resolve(const std::string&, const std::string&) override {
    return journal::SessionId{};
  }
  Result<std::optional<actors::RunEnd>> end_of_any(const RunId&) override {
    return std::optional<actors::RunEnd>();
  }
  Result<std::shared_ptr<const detail::ToolEntry>> tool(const detail::ToolLeaf& call) override {
    return std::make_shared<const detail::ToolEntry>(call.declared());
  }
  Result<void> check_undo(const detail::ToolLeaf&) override { return success(); }
  Result<journal::Reader> reader() override {
    return pd::Error{pd::Code::unsupported, "no saga is undone here"};
  }
  actors::BudgetBook& budgets() override { return budgets_; }
  actors::StateCells& state() override { return state_; }
  journal::RecordNumber last_number() const override { return 0; }
  journal::Writer::Conflict conflict(const journal::Precondition&) override { return {}; }
  Result<void> submit_ahead(journal::Change&&, journal::Writer::Conflict&) override {
    return pd::Error{pd::Code::unsupported, "no transaction runs here"};
  }
  void yield_to_signals(journal::Change&, std::vector<actors::SignalName>) const override {}

 private:
  journal::Gate gate_;
  actors::BudgetBook budgets_;
  actors::StateCells state_;
};

}  // namespace perdure::test
