/// What a session does about sagas of its runs: those who undo them tell it, others ask for it.
#include "actors/session_core.hpp"
#include "actors/session_shell.hpp"
#include "saga/pay_order.hpp"

#include <algorithm>

namespace perdure::actors {
namespace {

using journal::Arrival;
using journal::SagaState;
using What = journal::ArrivalRow::What;

AbortOrder order_of(const Arrival& asked) {
  return {asked.saga, Code::saga_aborted, asked.who, asked.why};
}

/// For the payer that waits: what it asked for is undone, or is stuck.
Outgoing answer_to(const Arrival& asked, std::optional<Error> stuck) {
  Outgoing word{asked.caller->session, {}, {}};
  word.what.what = What::saga_told;
  word.what.agent = asked.caller->agent;
  word.what.session_key = asked.caller->session_key;
  word.what.run = asked.caller->run;
  word.what.path = asked.caller->path;
  word.what.stamp = asked.stamp;
  word.what.error = std::move(stuck);
  return word;
}

bool is_meant(const journal::StoredSaga& saga, const Arrival& asked) {
  if (asked.saga != journal::kAllSagas) return saga.number == asked.saga;
  // Those within others are undone with them.
  return saga.parent == 0 || saga.parent_run;
}

}  // namespace

Result<void> SessionCore::check_undo(const detail::ToolLeaf& call) {
  const std::string name = "compensation '" + std::string(call.undo_name()) + "'";
  std::shared_ptr<const detail::ToolEntry> found = services_.registry.find_tool(call.undo_name());
  if (!found && services_.undos_by_use) {
    detail::ToolEntry declared = call.declared_undo();
    PERDURE_TRY(check_tool(declared));
    services_.undos_by_use->add(std::move(declared));
    return success();
  }
  if (!found)
    return Error{Code::not_registered,
                 "the runtime does not serve " + name + ", by which '" +
                     std::string(call.tool_name()) +
                     "' would be undone: serve it before start(), and the run goes on"};
  const std::string wanted = detail::receipt_type(call.input_type(), call.type());
  if (!found->is_undo || found->input_type != wanted)
    return Error{Code::misuse, name + " is served as one that takes " +
                                   std::string(found->input_type) + ", and '" +
                                   std::string(call.tool_name()) + "' would give it " + wanted +
                                   ": two things have one name"};
  return success();
}

void SessionCore::on_saga_told(Arrived arrived, const Self& self) {
  const Arrival& told = arrived.what;
  // What going back has undone before it got stuck is read from the rows.
  const bool reads_rows = told.error && !told.path.components().empty();
  if ((!run_ || reads_rows) && ahead_of_journal()) return defer(std::move(arrived), self);
  if (open_ == told.run && !run_) {
    const Result<bool> waits = waits_for_undoing();
    if (waits.has_value() && waits.assume_value()) (void)load_run(self);
  }
  // One that asks for nothing here finds the rows when it looks.
  if (open_ == told.run && run_ && run_->is_running()) {
    run_->saga_told(told.saga, told.path, told.error);
    pump_run(self, journal::Admission::under_way, nullptr, &told);
  } else {
    done_with(arrived, nullptr);
  }
}

/// Whether a step of the open run, which is not in memory, waits for sagas to be undone.
Result<bool> SessionCore::waits_for_undoing() const {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(services_.store));
  PERDURE_TRY(const std::optional<journal::Head> head, reader.head(*open_));
  if (!head || head->status == journal::RunStatus::parked) return false;
  PERDURE_TRY(const std::vector<journal::Wait> waits, reader.waits(*open_));
  return std::ranges::any_of(
      waits, [](const journal::Wait& wait) { return wait.kind == journal::StepKind::compensate; });
}

void SessionCore::on_abort_saga(Arrived arrived, const Self& self) {
  const Arrival& asked = arrived.what;
  const RunId run = asked.run.value_or(RunId{});
  const bool is_asked_by_payer = asked.caller.has_value();
  if ((!run_ || open_ != run) && ahead_of_journal()) return defer(std::move(arrived), self);
  if (open_ == run) (void)load_run(self);
  // It may have ended by being loaded.
  if (open_ != run && ahead_of_journal()) return defer(std::move(arrived), self);
  if (open_ == run && !run_)
    if (const Result<void> opened = open_parked_run(); opened.has_error())
      return done_with(arrived, &opened.error());
  if (open_ != run) {
    if (!is_asked_by_payer) return abort_ended(std::move(arrived));
    if (const auto queued = find_queued(run))
      end_queued(*queued, {Code::saga_aborted, asked.who, asked.why}, Arrived{}, self);
    askers_.push_back(std::move(arrived));
    return;
  }
  // Who works for a saga that is undone has nothing more to do. A saga within another one of the
  // run is no such matter.
  if (is_asked_by_payer && asked.saga == journal::kAllSagas)
    run_->cancel({Code::saga_aborted, asked.who, asked.why, kDeadlineGrace});
  run_->abort_sagas(order_of(asked));
  if (is_asked_by_payer) {
    // Its row stays until it is answered.
    askers_.push_back(std::move(arrived));
    return pump_run(self);
  }
  pump_run(self, journal::Admission::under_way, told_of(std::move(arrived.reply), run), &asked);
}

/// The run has ended, and left sagas open.
void SessionCore::abort_ended(Arrived arrived) {
  Result<RunEffects> effects = undo_ended(arrived.what, OfCommitted::leave);
  if (effects.has_error()) return done_with(arrived, &effects.error());
  erase_row(arrived.what, effects.assume_value().change);
  submit_posts(std::move(effects).assume_value(),
               told_of(std::move(arrived.reply), arrived.what.run.value_or(RunId{})));
}

/// What has to be written so that sagas of a run that has ended are undone. The journal must not
/// lack what this session did last. Errors: as Reader.
Result<RunEffects> SessionCore::undo_ended(const Arrival& asked, OfCommitted committed) {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(services_.store));
  PERDURE_TRY(RunFacts facts, load_facts(reader, *asked.run));
  RunCore run(std::move(facts), host(), services_.clock, services_.random);
  PERDURE_TRY(run.open_parked(reader));
  PERDURE_TRY(run.undo_ended(order_of(asked), committed == OfCommitted::undo));
  return run.take_effects();
}

/// Payers that asked for the undoing of what runs of this session did: those whose runs have ended,
/// and whose sagas are settled or stuck, are told.
void SessionCore::answer_askers(const Self& self) {
  if (closing_ || askers_.empty()) return;
  if (ahead_of_journal()) {
    if (!std::exchange(answers_when_settled_, true)) post_when_settled(self);
    return;
  }
  answers_when_settled_ = false;
  std::vector<Arrived> waiting;
  for (Arrived& asker : std::exchange(askers_, {}))
    if (is_unfinished(asker.what) || !answer(asker)) waiting.push_back(std::move(asker));
  for (Arrived& asker : waiting) askers_.push_back(std::move(asker));
}

/// What a run did is known when it has ended.
bool SessionCore::is_unfinished(const Arrival& asked) const {
  return asked.saga == journal::kAllSagas && open_ == asked.run;
}

/// False: it is not settled yet.
bool SessionCore::answer(const Arrived& asker) {
  Result<journal::Reader> reader = journal::Reader::open(services_.store);
  Result<std::vector<journal::StoredSaga>> sagas =
      reader.has_error() ? Result<std::vector<journal::StoredSaga>>(reader.error())
                         : reader.assume_value().sagas(*asker.what.run);
  std::optional<Error> stuck;
  bool owes = false;
  bool waits = false;
  if (sagas.has_error()) stuck = sagas.error();
  if (sagas.has_value())
    for (const journal::StoredSaga& saga : sagas.assume_value()) {
      if (!is_meant(saga, asker.what)) continue;
      owes |= saga.state == SagaState::open || saga.state == SagaState::committed;
      waits |= saga.state == SagaState::compensating;
      if (saga.state == SagaState::stuck || saga.state == SagaState::forward)
        stuck = Error{Code::saga_stuck, "saga " + journal::saga_id(saga.run, saga.number) + " '" +
                                            saga.name + "' is stuck: " + saga.why};
    }
  if (owes && !sagas.has_error()) {
    Result<RunEffects> effects = undo_ended(asker.what, OfCommitted::undo);
    if (effects.has_value()) {
      // Nothing may be owed in the end.
      const bool settles_at_once = effects.assume_value().posts.empty();
      if (settles_at_once) effects.assume_value().posts.push_back(answer_to(asker.what, stuck));
      if (settles_at_once) erase_row(asker.what, effects.assume_value().change);
      submit_posts(std::move(effects).assume_value(), nullptr);
      return settles_at_once;
    }
    stuck = effects.error();
  }
  if (waits && !stuck) return false;
  // Who knows that waits for its end.
  if (stuck && asker.what.name == saga::kUntilSettled) return false;
  RunEffects answered;
  answered.posts.push_back(answer_to(asker.what, std::move(stuck)));
  erase_row(asker.what, answered.change);
  submit_posts(std::move(answered), nullptr);
  return true;
}

}  // namespace perdure::actors
