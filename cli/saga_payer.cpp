#include "cli/saga_payer.hpp"

#include <perdure/codec.hpp>
#include <perdure/describe.hpp>

#include <vector>

#include "cli/timeline.hpp"

namespace perdure::cli {

/// What the command reads of an order; docs/journal_format.md has all of it.
struct PaidAction {
  std::string what;
  std::uint32_t saga = 0;
  std::uint32_t index = 0;
  std::uint32_t of = 0;
};
PERDURE_DESCRIBE(PaidAction, what, saga, index, of);
struct PaidOrder {
  std::string code;
  std::string who;
  std::string why;
  std::vector<PaidAction> owed;
};
PERDURE_DESCRIBE(PaidOrder, code, who, why, owed);

namespace {

class PayerTeller final : public Teller {
 public:
  PayerTeller(journal::Reader& reader, Payer& payer) : reader_(reader), payer_(payer) {}

  void begin(const journal::RunCreated& created) override {
    const Result<core::Bytes> bytes = reader_.copy_of(created.payload);
    if (bytes.has_error()) return;
    Result<PaidOrder> order = decode<PaidOrder>(bytes.assume_value());
    if (order.has_error()) return;
    owed_ = std::move(order.assume_value().owed);
    payer_.code = std::move(order.assume_value().code);
    payer_.who = std::move(order.assume_value().who);
    payer_.why = std::move(order.assume_value().why);
  }
  void step(const journal::StepResult& result, const std::optional<Started>&) override {
    Paying* const action = action_at(result.path);
    if (action == nullptr || result.step_kind != journal::StepKind::step) return;
    action->attempts += result.attempts;
  }
  void mark(const journal::VersionMark&) override {}
  void cancel(const journal::CancelRequested&) override {}
  void abort(const journal::SagaAborted&) override {}
  void end(const journal::RunEnded&) override {}
  [[nodiscard]] bool listening() const override { return true; }

  void unfinished(const Unfinished& step) {
    Paying* const action = action_at(step.path);
    if (action == nullptr || step.wait) return;
    action->attempts += step.tries();
    if (!step.attempts) return;
    action->next_due = step.attempts->next_due;
    action->last_error = step.attempts->last_error;
  }

 private:
  /// The action at position `n` of the order is undone by the steps `n+1.k`. Null: it is none.
  Paying* action_at(std::span<const std::uint32_t> path) {
    if (path.size() != 2 || path[0] == 0 || path[0] > owed_.size()) return nullptr;
    const PaidAction& action = owed_[path[0] - 1];
    return &payer_.actions[{action.what == "ask" ? action.of : action.saga, action.index}];
  }

  journal::Reader& reader_;
  Payer& payer_;
  std::vector<PaidAction> owed_;
};

/// What the session does now, else what was done when the saga was aborted or committed.
Result<std::optional<RunId>> run_of_payer(journal::Reader& reader, const journal::SessionId& id) {
  PERDURE_TRY(const std::optional<RunId> open, reader.open_run(id));
  if (open) return open;
  for (const char* const key : {"abort", "rest"}) {
    PERDURE_TRY(const std::optional<RunId> run, reader.find_message(id, key));
    if (run) return run;
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<Payer>> payer_of(journal::Reader& reader, const journal::StoredSaga& saga) {
  const std::uint32_t paid_with = saga.paid_with == 0 ? saga.number : saga.paid_with;
  PERDURE_TRY(const std::optional<journal::SessionId> session,
              reader.find_session(journal::kSagaAgent, journal::saga_id(saga.run, paid_with)));
  if (!session) return std::nullopt;
  PERDURE_TRY(const std::optional<RunId> id, run_of_payer(reader, *session));
  if (!id) return std::nullopt;
  PERDURE_TRY(std::optional<journal::RunInfo> run, reader.run(*id));
  if (!run) return std::nullopt;
  Payer payer;
  payer.run = *std::move(run);
  PayerTeller teller(reader, payer);
  PERDURE_TRY(const Standing standing, tell(reader, payer.run, teller));
  for (const Unfinished& step : standing.unfinished) teller.unfinished(step);
  return payer;
}

}  // namespace perdure::cli
