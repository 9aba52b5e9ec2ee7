#include "actors/saga_payer.hpp"

#include "actors/run_core.hpp"

namespace perdure::actors {

using journal::Table;
using saga::OwedAction;
using saga::PayOrder;

namespace {

/// Its rows are in the saga that it belongs to.
std::uint32_t saga_of(const OwedAction& action) {
  return action.what == "ask" ? action.of : action.saga;
}

}  // namespace

Result<Bytes> SagaPayer::receipt(const PayOrder& order, const OwedAction& action) {
  PERDURE_TRY(const RunId run, RunId::parse(order.run));
  PERDURE_TRY(journal::Reader reader, run_.host_.reader());
  PERDURE_TRY(const Bytes input, reader.undo_input(run, action.saga, action.index));
  Bytes output;
  if (action.happened) {
    PERDURE_TRY(journal::RecordStream records, reader.records(run, action.ended));
    PERDURE_TRY(const journal::RecordBuffer* const record, records.next());
    if (record == nullptr)
      return Error{Code::corrupt, "the result of '" + action.name + "' is missing in run " +
                                      order.run + ": run `perdure verify`"};
    PERDURE_TRY(const journal::StepResult result, record->as<journal::StepResult>());
    PERDURE_TRY(output, reader.copy_of(result.payload));
  }
  detail::ReceiptParts parts;
  parts.input = input;
  if (action.happened) parts.output = output;
  parts.effect = action.happened ? ErrorEffect::happened : ErrorEffect::unknown;
  parts.key = action.key;
  return detail::encode_receipt(parts);
}

void SagaPayer::note(const PayOrder& order, const OwedAction& action, const Note& note) {
  if (!run_.on_new_ground()) return;
  const Result<RunId> run = RunId::parse(order.run);
  if (run.has_error()) return;
  journal::UndoStateRow row;
  row.state = note.state;
  row.ended = action.ended;
  row.not_before = action.not_before_us;
  if (note.error != nullptr) row.error = journal::view_of(*note.error);
  row.who = note.who;
  row.why = note.why;
  row.stamp = run_.stamp_;
  run_.effects_.change.put(
      Table::undos, journal::undo_state_row(run.assume_value(), saga_of(action), action.index),
      row);
  if (note.state == saga::UndoState::stuck)
    run_.effects_.logs.push_back({LogLevel::warning,
                                  "undo_failed",
                                  "'" + action.name + "' of saga '" + order.name +
                                      "' could not be undone: " + note.error->to_string(),
                                  {}});
}

journal::StoredSaga* SagaPayer::row(const PayOrder& order, std::uint32_t number) {
  if (const auto found = rows_.find(number); found != rows_.end()) return &found->second;
  const auto read = [&]() -> Result<journal::StoredSaga> {
    PERDURE_TRY(const RunId run, RunId::parse(order.run));
    PERDURE_TRY(journal::Reader reader, run_.host_.reader());
    PERDURE_TRY(std::optional<journal::StoredSaga> saga, reader.saga(run, number));
    if (!saga)
      return Error{Code::corrupt,
                   "saga " + journal::saga_id(run, number) + " has no row: run `perdure verify`"};
    return *std::move(saga);
  };
  Result<journal::StoredSaga> saga = read();
  if (saga.has_error()) {
    run_.thrown_ = saga.error();
    return nullptr;
  }
  return &rows_.emplace(number, std::move(saga).assume_value()).first->second;
}

void SagaPayer::put(journal::StoredSaga& row) {
  row.changed = run_.stamp_;
  run_.effects_.change.put(Table::sagas, journal::saga_row(row.run, row.number),
                           journal::view_of(row));
}

void SagaPayer::note(const PayOrder& order, saga::SagaState state, std::size_t stuck,
                     const Error* why) {
  if (!run_.on_new_ground()) return;
  // What failed in a saga that is committed is undone beside whatever becomes of that.
  if (order.what == "rest") rows_.erase(order.saga);
  // A saga that goes back is its run's own.
  if (order.what != "back") {
    journal::StoredSaga* const saga = row(order, order.saga);
    if (saga == nullptr) return;
    const bool is_others =
        saga->state != saga::SagaState::committed && saga->state != saga::SagaState::stuck;
    if (order.what == "rest" && is_others) return tell_stuck(order, why);
    saga->state = state;
    saga->stuck = static_cast<std::uint32_t>(stuck);
    if (why != nullptr) saga->why = why->message;
    put(*saga);
  }
  if (journal::is_over(state))
    for (const OwedAction& action : order.owed) {
      if (action.what != "group") continue;
      journal::StoredSaga* const within = row(order, action.saga);
      if (within == nullptr) return;
      within->state = saga::SagaState::compensated;
      put(*within);
    }
  tell_stuck(order, why);
  if (order.what != "rest" && state != saga::SagaState::compensating) tell(order, why);
}

/// The host's hook; null: it is not stuck.
void SagaPayer::tell_stuck(const PayOrder& order, const Error* why) {
  if (why == nullptr) return;
  Event event{EventKind::saga_stuck, {}, *why};
  if (const Result<RunId> run = RunId::parse(order.run); run.has_value())
    event.run = run.assume_value();
  run_.effects_.events.push_back(std::move(event));
}

/// The saga's own session, which tells whoever waits for it there.
void SagaPayer::tell(const PayOrder& order, const Error* stuck) {
  const Result<journal::SessionId> to = run_.host_.resolve(order.agent, order.session_key);
  const Result<RunId> run = RunId::parse(order.run);
  if (to.has_error() || run.has_error()) {
    run_.thrown_ = to.has_error() ? to.error() : run.error();
    return;
  }
  Outgoing word{to.assume_value(), {}, {}};
  word.what.what = journal::ArrivalRow::What::saga_told;
  word.what.agent = order.agent;
  word.what.session_key = order.session_key;
  word.what.run = run.assume_value();
  word.what.saga = order.saga;
  word.what.path = journal::StepPath(order.step);
  word.what.stamp = run_.stamp_;
  if (stuck != nullptr) word.what.error = *stuck;
  run_.effects_.posts.push_back(std::move(word));
}

void SagaPayer::begin_again(detail::Leaf& leaf) {
  journal::Pending* const pending = run_.machine_.find(path_of(leaf.place()).components());
  if (pending != nullptr && pending->phase() == journal::Pending::Phase::unserved)
    run_.machine_.set_phase(*pending, journal::Pending::Phase::opened);
}

}  // namespace perdure::actors
