#include "saga/coordinator.hpp"

#include <perdure/waits.hpp>

#include <algorithm>
#include <utility>

namespace perdure::saga {
namespace {

/// The position of the leaf that receives words of persons.
constexpr std::size_t kVerbPosition = Payment::kNoGroup;

Payment payment_of(const PayOrder& order) {
  std::vector<Payment::Item> items;
  items.reserve(order.owed.size());
  for (const OwedAction& action : order.owed)
    items.push_back(
        {action.group < 0 ? Payment::kNoGroup : static_cast<std::size_t>(action.group),
         action.what == "group", action.begun,
         // Without a result it ended with the abort, behind all others.
         action.ended == 0 ? Payment::kNever : action.ended});
  return {std::move(items),
          {order.parallel ? Payment::Order::parallel : Payment::Order::reverse,
           order.goes_on ? Payment::WhenStuck::go_on : Payment::WhenStuck::stop}};
}

/// Groups come before what is in them, and positions are inside.
Result<void> check(const PayOrder& order) {
  for (std::size_t at = 0; at < order.owed.size(); ++at) {
    const std::int64_t group = order.owed[at].group;
    if (group < 0) continue;
    if (static_cast<std::size_t>(group) >= at ||
        order.owed[static_cast<std::size_t>(group)].what != "group")
      return Error{Code::undecodable, "the order to undo saga '" + order.name +
                                          "' has an action in a group that does not come before "
                                          "it: it was written by something else than Perdure"};
  }
  return success();
}

detail::WaitRequest ask_of(const OwedAction& action, const PayOrder& order,
                           std::string_view until) {
  detail::WaitRequest request;
  request.what = detail::WaitRequest::What::abort_saga;
  request.agent = action.agent;
  request.session_key = action.session_key;
  request.message_key = until;
  request.child.run = action.run;
  request.saga.number = action.saga;
  request.by = order.who;
  request.why = "saga '" + order.name + "', for which it worked, was aborted";
  return request;
}

}  // namespace

/// The call of a compensation.
class Coordinator::UndoLeaf final : public detail::DecodedState<detail::ToolLeaf, void> {
 public:
  UndoLeaf(Coordinator& owner, std::size_t item, detail::Unserved when_unserved)
      : DecodedState(Name(owner.order_.owed[item].undo), "void", owner.order_.owed[item].undo,
                     {}, ToolCallOptions{}),
        owner_(owner),
        item_(item),
        when_unserved_(when_unserved),
        types_(detail::receipt_type(owner.order_.owed[item].input_type,
                                    owner.order_.owed[item].output_type)) {
    set_input_type(types_);
  }
  [[nodiscard]] detail::ToolEntry declared() const override { return {}; }
  [[nodiscard]] Result<Bytes> encode_input() const override {
    return owner_.host_->receipt(owner_.order_, owner_.order_.owed[item_]);
  }
  [[nodiscard]] detail::Unserved when_unserved() const noexcept override { return when_unserved_; }

 private:
  Coordinator& owner_;
  std::size_t item_;
  detail::Unserved when_unserved_;
  std::string types_;
};

/// Another run's sagas are undone by their own payers; this waits for them.
class Coordinator::AskLeaf final : public detail::DecodedState<detail::WaitLeaf, void> {
 public:
  AskLeaf(const OwedAction& action, const PayOrder& order, std::string_view until)
      : DecodedState(LeafKind::compensate, Name(action.name), "void",
                     ask_of(action, order, until)) {
  }
};

/// An action that is lost may still come to have its effect for a while.
class Coordinator::PauseLeaf final : public detail::DecodedState<detail::WaitLeaf, void> {
 public:
  explicit PauseLeaf(const OwedAction& action)
      : DecodedState(
            LeafKind::sleep, Name("sleep"), "void",
            {.until = detail::WaitUntil{action.not_before_us,
                                        detail::WaitUntil::Counted::by_wall_clock}}) {}
};

class Coordinator::VerbLeaf final : public detail::DecodedState<detail::WaitLeaf, SagaVerb> {
 public:
  VerbLeaf()
      : DecodedState(LeafKind::receive, Name(kVerbSignal), type_name<SagaVerb>(),
                     detail::WaitRequest{}) {}
};

struct Coordinator::Action {
  detail::Place place;
  std::uint32_t tries = 0;
  std::unique_ptr<PauseLeaf> pause;
  std::unique_ptr<UndoLeaf> undo;
  std::unique_ptr<AskLeaf> ask;
  bool decided = false;  ///< A person said what becomes of it.
};

Coordinator::Coordinator() = default;
Coordinator::~Coordinator() = default;

Result<void> Coordinator::start(detail::Execution& execution, Context&, ByteView message) {
  PERDURE_TRY(order_, decode<PayOrder>(message));
  PERDURE_TRY(check(order_));
  execution_ = &execution;
  payment_.emplace(payment_of(order_));
  for (std::size_t item = 0; item < order_.owed.size(); ++item)
    actions_.emplace_back().place = {&root_, static_cast<std::uint32_t>(item + 1), false};
  verbs_ = {&root_, static_cast<std::uint32_t>(order_.owed.size() + 1), false};
  receive_verb();
  advance();
  return success();
}

Result<Bytes> Coordinator::take_reply() {
  if (last_error_) return *last_error_;
  return Bytes{};
}

detail::Start Coordinator::start_of(Action& action, std::size_t position) {
  ++under_way_;
  return {*execution_, detail::Place{&action.place, ++action.tries}, *this, position};
}

void Coordinator::advance() {
  if (over_) return;
  for (;;) {
    const std::vector<std::size_t> startable = payment_->take_startable();
    if (startable.empty()) break;
    for (const std::size_t item : startable) begin(item);
  }
  if (payment_->is_settled() && !order_.forward)
    return finish(order_.what == "rest" ? SagaState::committed : SagaState::compensated);
  const bool is_stuck = order_.forward || payment_->is_stuck();
  if (!is_stuck || std::exchange(stuck_, is_stuck)) return;
  const Error why = stuck_error();
  host_->note(order_, SagaState::stuck, payment_->stuck(), &why);
  // Who goes back waits for no person: what is left is the abort's.
  if (order_.what != "back") return;
  last_error_ = why;
  finish(SagaState::stuck);
}

Error Coordinator::stuck_error() const {
  if (order_.forward)
    return {Code::saga_stuck,
            "saga '" + order_.name +
                "' is stuck: its handler ended without committing it, and it is behind its pivot, "
                "so nothing is undone. Finish by hand what is left, then `perdure saga mark-done`",
            std::nullopt, std::nullopt, ErrorEffect::happened};
  std::string words = "saga '" + order_.name + "' is stuck: ";
  if (last_error_) words += last_error_->message;
  words += ". `perdure saga show` says what is owed; retry, skip or mark it done";
  return {Code::saga_stuck, std::move(words), std::nullopt, std::nullopt, ErrorEffect::happened};
}

void Coordinator::begin(std::size_t item) {
  const OwedAction& action = order_.owed[item];
  if (action.what == "pivot")
    return failed(item, Error{Code::outcome_unknown,
                              "nobody knows whether the pivot '" + action.name +
                                  "' happened, and nothing undoes it: find out outside"});
  Action& state = actions_[item];
  if (action.not_before_us == 0 || state.pause) return begin_leaf(item);
  state.pause = std::make_unique<PauseLeaf>(action);
  state.pause->start(start_of(state, item));
}

void Coordinator::begin_leaf(std::size_t item) {
  const OwedAction& action = order_.owed[item];
  Action& state = actions_[item];
  if (action.what == "ask") {
    // One that waits for the end of what is stuck is there already.
    if (!state.ask) ask(item, {});
    return;
  }
  // The one that waits for a server is there already.
  if (state.undo) return host_->begin_again(*state.undo);
  begin_undo(item, detail::Unserved::fails);
}

void Coordinator::ask(std::size_t item, std::string_view until) {
  Action& state = actions_[item];
  state.ask = std::make_unique<AskLeaf>(order_.owed[item], order_, until);
  state.ask->start(start_of(state, item));
}

void Coordinator::begin_undo(std::size_t item, detail::Unserved when_unserved) {
  Action& state = actions_[item];
  state.undo = std::make_unique<UndoLeaf>(*this, item, when_unserved);
  state.undo->start(start_of(state, item));
}

void Coordinator::child_ended(std::size_t position) noexcept {
  --under_way_;
  if (position == kVerbPosition) {
    if (over_ || verb_->failure() != nullptr) return;
    const SagaVerb verb = verb_->take();
    receive_verb();
    take_verb(verb);
    return advance();
  }
  Action& state = actions_[position];
  if (state.undo) {
    const std::unique_ptr<UndoLeaf> ended = std::move(state.undo);
    action_ended(position, ended->failure());
  } else if (state.ask) {
    const std::unique_ptr<AskLeaf> ended = std::move(state.ask);
    action_ended(position, ended->failure());
  } else if (!state.decided) {
    begin_leaf(position);
  }
  advance();
}

/// What a person decided stands, unless it was undone all the same.
void Coordinator::action_ended(std::size_t item, const Error* failure) {
  if (failure == nullptr) {
    payment_->over(item);
    host_->note(order_, order_.owed[item], {UndoState::paid});
  } else if (!actions_[item].decided) {
    failed(item, *failure);
    // That nobody serves it is recorded; the next process may.
    const bool is_undo = order_.owed[item].what == "undo";
    if (is_undo && failure->code == Code::not_registered)
      begin_undo(item, detail::Unserved::waits);
    // It goes on by itself when somebody has seen to that.
    if (order_.owed[item].what == "ask" && failure->code == Code::saga_stuck)
      ask(item, kUntilSettled);
  }
}

void Coordinator::failed(std::size_t item, const Error& error) {
  payment_->failed(item);
  last_error_ = error;
  host_->note(order_, order_.owed[item], {UndoState::stuck, &error});
}

void Coordinator::receive_verb() {
  ++under_way_;
  verb_ = std::make_unique<VerbLeaf>();
  verb_->start({*execution_, detail::Place{&verbs_, ++verbs_received_}, *this, kVerbPosition});
}

bool Coordinator::is_meant(std::size_t item, const SagaVerb& verb) const {
  const OwedAction& action = order_.owed[item];
  if (action.what == "group" || payment_->is_over(item)) return false;
  if (verb.entry < 0) return verb.what != "retry" || payment_->is_failed(item);
  const std::uint32_t saga = action.what == "ask" ? action.of : action.saga;
  return saga == verb.saga && action.index == verb.entry;
}

void Coordinator::take_verb(const SagaVerb& verb) {
  const bool decides = verb.what == "skip" || verb.what == "mark-done";
  if (order_.forward && decides && verb.entry < 0) return finish(SagaState::committed);
  for (std::size_t item = 0; item < order_.owed.size(); ++item) {
    if (!is_meant(item, verb)) continue;
    if (decides) {
      decide(item, verb);
    } else if (verb.what == "retry" && payment_->is_failed(item)) {
      payment_->again(item);
    }
  }
  if (stuck_ && !payment_->is_stuck() && !payment_->is_settled()) {
    stuck_ = false;
    host_->note(order_, SagaState::compensating, payment_->stuck(), nullptr);
  }
}

void Coordinator::decide(std::size_t item, const SagaVerb& verb) {
  Action& state = actions_[item];
  state.decided = true;
  payment_->over(item);
  host_->note(order_, order_.owed[item],
              {verb.what == "skip" ? UndoState::skipped : UndoState::marked, nullptr, verb.who,
               verb.why});
  if (state.undo) state.undo->request_stop();
  if (state.ask) state.ask->request_stop();
  if (state.pause) state.pause->request_stop();
}

void Coordinator::finish(SagaState state) {
  over_ = true;
  if (state != SagaState::stuck) host_->note(order_, state, 0, nullptr);
  if (verb_) verb_->request_stop();
}

}  // namespace perdure::saga
