/// What comes for a session: messages, signals, replies and operators' words.
#include "actors/session_core.hpp"
#include "actors/session_shell.hpp"
#include "core/crash_point.hpp"
#include "core/ids.hpp"
#include "core/limits.hpp"
#include "tools/budget.hpp"

#include <algorithm>

namespace perdure::actors {
namespace {

using journal::Arrival;
using journal::Key;
using journal::Table;
using What = journal::ArrivalRow::What;

/// That `run` has ended, for the sender of `message`, who waits for it.
Outgoing reply_to(const Arrival& message, const RunId& run) {
  Outgoing outgoing{message.caller->session, {}, {}};
  Arrival& answer = outgoing.what;
  answer.what = What::reply;
  answer.agent = message.caller->agent;
  answer.session_key = message.caller->session_key;
  answer.run = message.caller->run;
  answer.path = message.caller->path;
  answer.other = run;
  answer.stamp = message.stamp;
  return outgoing;
}

bool is_queued_message(const Arrival& arrival) {
  return arrival.what == What::message && !arrival.other;
}

}  // namespace

void SessionCore::on(Arrived arrived, const Self& self) {
  if (closing_) {
    if (arrived.reply) arrived.reply(closed_error());
    return;
  }
  // Another session that went on sooner may have sent this before recovery came to this one.
  if (services_.unread_inboxes.load() != 0) read_inbox(self);
  // Whatever follows from it depends on it.
  last_number_ = std::max(last_number_, arrived.what.number);
  // What came first is handled first, also when it had to wait for the journal.
  if (!deferred_.empty()) return defer(std::move(arrived), self);
  if (!know(arrived, self)) return;
  switch (arrived.what.what) {
    case What::message: return on_message(std::move(arrived), self);
    case What::signal: return on_signal(std::move(arrived), self);
    case What::reply: return on_reply(std::move(arrived), self);
    case What::cancel:
    case What::kill: return on_cancel(std::move(arrived), self);
    case What::retry_now: return on_retry_now(std::move(arrived), self);
    case What::raise: return on_raise(std::move(arrived), self);
    case What::abort_saga: return on_abort_saga(std::move(arrived), self);
    case What::saga_told: return on_saga_told(std::move(arrived), self);
  }
}

void SessionCore::on(ReadInbox, const Self& self) {
  --services_.unread_inboxes;
  if (!closing_) read_inbox(self);
}

void SessionCore::read_inbox(const Self& self) {
  if (std::exchange(inbox_read_, true)) return;
  Result<journal::Reader> reader = journal::Reader::open(services_.store);
  Result<std::vector<Arrival>> found =
      reader.has_error() ? Result<std::vector<Arrival>>(reader.error())
                         : reader.assume_value().arrivals(Table::inbox, address_.id);
  if (found.has_error()) {
    services_.reporter.log({LogLevel::error, "session_unreadable", found.error().message,
                            std::nullopt, address_.agent + "/" + address_.key});
    return;
  }
  // What came later reaches the session by itself.
  for (Arrival& each : found.assume_value())
    if (each.number <= services_.last_at_start) on(Arrived{std::move(each), {}, {}}, self);
}

void SessionCore::erase_row(const Arrival& arrival, journal::Change& change) const {
  if (arrival.number != 0) change.erase(Table::inbox, Key{}.add(address_.id).add(arrival.number));
}

void SessionCore::done_with(const Arrived& arrived, const Error* why) {
  RunEffects nothing;
  erase_row(arrived.what, nothing.change);
  if (why != nullptr && arrived.reply) arrived.reply(*why);
  submit_posts(std::move(nothing), why == nullptr
                                       ? told_of(arrived.reply, arrived.what.run.value_or(RunId{}))
                                       : nullptr);
}

Result<std::optional<SessionCore::Known>> SessionCore::find_message(const Arrival& message) {
  const auto as_known = [&](const RunId& run, std::string_view handler,
                            const journal::Payload& input) -> Result<std::optional<Known>> {
    PERDURE_TRY(const bool same_bytes,
                journal::same_content(journal::view_of(input), journal::view_of(message.payload)));
    return std::optional(Known{run, handler == message.name && same_bytes});
  };
  if (run_ && run_->facts().message_key == message.message_key)
    return as_known(run_->facts().id, run_->facts().handler, run_->facts().input);
  for (const auto& [number, kept] : kept_)
    if (is_queued_message(kept) && kept.message_key == message.message_key)
      return as_known(*kept.run, kept.name, kept.payload);
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(services_.store));
  PERDURE_TRY(const std::optional<RunId> run,
              reader.find_message(address_.id, message.message_key));
  if (!run) return std::optional<Known>{};
  PERDURE_TRY(const RunFacts facts, load_facts(reader, *run));
  PERDURE_TRY(const std::optional<journal::Head> head, reader.head(*run));
  PERDURE_TRY(std::optional<Known> known, as_known(facts.id, facts.handler, facts.input));
  known->ended = head && head->status >= journal::RunStatus::completed;
  return known;
}

void SessionCore::on_message(Arrived arrived, const Self& self) {
  Arrival& message = arrived.what;
  // What it is to undo is in rows that the change with this has written.
  if (address_.agent == journal::kSagaAgent && ahead_of_journal())
    return defer(std::move(arrived), self);
  if (!message.run) message.run = core::draw_run_id(services_.clock, services_.random);
  if (!message.message_key.empty()) {
    // The one message of most sessions needs no look at the journal while its run is here.
    const bool is_here = run_ && run_->facts().message_key == message.message_key;
    if (!is_here && exists_ && lacks_own_changes()) return defer(std::move(arrived), self);
    Result<std::optional<Known>> known = std::optional<Known>{};
    if (exists_ || is_here) known = find_message(message);
    if (known.has_error()) {
      if (arrived.reply) arrived.reply(known.error());
      // Its sender cannot mend a journal that is unreadable now; its row stays for the next start.
      if (message.number != 0 && known.error().code == Code::misuse)
        answer_caller(message, known.error());
      return;
    }
    if (known.assume_value()) {
      Told told = told_of(std::move(arrived.reply), known.assume_value()->run);
      return attach(*known.assume_value(), std::move(arrived), std::move(told), self);
    }
  }
  admit(std::move(arrived), self);
}

void SessionCore::attach(const Known& known, Arrived arrived, Told told, const Self& self) {
  Arrival& message = arrived.what;
  if (!known.same_input) {
    const Error why{Code::already_started,
                    "session '" + address_.agent + "/" + address_.key +
                        "' was started with another input under the key '" + message.message_key +
                        "' (run " + to_string(known.run) +
                        "): attach with equal input, or send it with another key",
                    std::nullopt, std::nullopt, ErrorEffect::refused};
    answer_caller(message, why);
    if (told) told(&why);
    return;
  }
  RunEffects effects;
  if (message.caller) {
    message.other = known.run;
    if (!known.ended) return keep(std::move(message), std::move(told), self);
    effects.posts.push_back(reply_to(message, known.run));
  }
  erase_row(message, effects.change);
  submit_posts(std::move(effects), std::move(told));
}

/// Changes and posts of this session, and not of its run.
void SessionCore::submit_posts(RunEffects effects, Told told) {
  add_posts(effects);
  if (effects.change.empty()) {
    if (told) tell_when_durable(std::move(told));
    return;
  }
  (void)submit(effects, std::move(told));
}

/// The message is refused: its sender, if it waits, gets `why`.
void SessionCore::answer_caller(const Arrival& message, const Error& why) {
  RunEffects effects;
  erase_row(message, effects.change);
  if (message.caller) {
    Outgoing answer = reply_to(message, *message.run);
    answer.what.error = why;
    effects.posts.push_back(std::move(answer));
  } else {
    services_.reporter.log({LogLevel::warning, "message_refused", why.message, message.run,
                            address_.agent + "/" + address_.key});
  }
  submit_posts(std::move(effects), nullptr);
}

/// The name of the handler that the unfinished run is of; empty when the journal does not say.
std::string SessionCore::open_handler() const {
  if (run_) return run_->facts().handler;
  Result<journal::Reader> reader = journal::Reader::open(services_.store);
  if (reader.has_error()) return {};
  const Result<std::optional<journal::RunInfo>> info = reader.assume_value().run(*open_);
  return info.has_value() && info.assume_value() ? info.assume_value()->handler : std::string();
}

void SessionCore::admit(Arrived arrived, const Self& self) {
  Arrival& message = arrived.what;
  Told told = told_of(arrived.reply, *message.run);
  if (until_due(message).count() > 0) return keep(std::move(message), std::move(told), self);
  message.due = 0;
  if (!open_) return start_run(std::move(message), self, std::move(told));
  const detail::HandlerEntry* const handler = services_.registry.find_any(
      address_.agent, static_cast<int>(message.agent_version), message.name);
  const WhenBusy when_busy = handler == nullptr ? WhenBusy::queue : handler->options.when_busy;
  const bool asks_open_run =
      when_busy == WhenBusy::join || when_busy == WhenBusy::cancel_and_replace;
  if (asks_open_run && !run_ && ahead_of_journal()) return defer(std::move(arrived), self);
  if (when_busy == WhenBusy::join && open_handler() == message.name) {
    Told joined = told_of(std::move(arrived.reply), *open_);
    return attach(Known{*open_, true, false}, std::move(arrived), std::move(joined), self);
  }
  if (when_busy == WhenBusy::reject) {
    const Error why{Code::busy,
                    "session '" + address_.agent + "/" + address_.key + "' handles run " +
                        to_string(*open_) + " and takes no '" + message.name +
                        "' meanwhile: send it later",
                    std::nullopt, std::nullopt, ErrorEffect::refused};
    answer_caller(message, why);
    if (told) told(&why);
    return;
  }
  keep(std::move(message), std::move(told), self,
       when_busy == WhenBusy::cancel_and_replace ? open_ : std::nullopt);
}

/// A message waits for its turn, or with the run that it is attached to; a signal for its receive.
/// A run that it replaces is told so by a row of the same change: whoever dies here has replaced
/// it.
void SessionCore::keep(Arrival message, Told told, const Self& self,
                       const std::optional<RunId>& replaced) {
  journal::Change change(services_.inline_bytes_max);
  erase_row(message, change);
  if (!exists_)
    change.put(Table::sessions, Key{}.add(address_.id),
               journal::SessionRow{address_.agent, address_.key, message.stamp});
  if (is_queued_message(message) && message.due != 0)
    change.put(Table::due,
               journal::due_row(message.due, *message.run, journal::DueRow::What::message),
               journal::DueRow{journal::DueRow::What::message,
                               {},
                               static_cast<std::uint8_t>(message.by_wall_clock ? 1 : 0),
                               message.stamp,
                               address_.id});
  if (is_queued_message(message) && !message.message_key.empty())
    change.put(Table::keys, journal::message_key_row(address_.id, message.message_key),
               journal::MessageKeyRow{message.message_key, *message.run});
  if (is_queued_message(message))
    change.put(Table::runs, Key{}.add(*message.run),
               journal::RunRow{address_.id, address_.agent, message.agent_version, message.name,
                               address_.key, message.stamp, 1});
  const bool is_call = message.what == What::message && message.caller.has_value();
  const bool suspected = is_call && open_ && suspect_circle(change);
  change.place(message.payload);
  Arrival word;
  if (replaced) {
    word = word_to_replace(*replaced);
    change.put_numbered(Table::inbox, Key{}.add(address_.id), journal::view_of(word));
  }
  change.put_numbered(Table::kept, Key{}.add(address_.id), journal::view_of(message));
  const Result<journal::RecordNumber> number =
      services_.writer.submit(std::move(change), journal::Admission::new_work);
  if (number.has_error()) {
    forget();
    if (told) told(&number.error());
    return;
  }
  exists_ = true;
  note_submitted(number.assume_value());
  message.number = last_number_;
  message.payload.shed();
  if (is_queued_message(message) && message.due != 0) arm(message);
  kept_.emplace(last_number_, std::move(message));
  if (told) tell_when_durable(std::move(told));
  if (suspected) look_for_circle_when_durable(self);
  if (!replaced) return;
  word.number = last_number_ - 1;
  on(Arrived{std::move(word), {}, {}}, self);
}

Arrival SessionCore::word_to_replace(const RunId& run) const {
  Arrival word;
  word.what = What::cancel;
  word.agent = address_.agent;
  word.session_key = address_.key;
  word.run = run;
  word.who = "cancel-and-replace";
  word.why = "a newer message replaces it";
  word.grace_ms = kDeadlineGrace.count();
  word.stamp = services_.clock.wall().time_since_epoch().count();
  return word;
}

RunFacts SessionCore::facts_of(Arrival message) const {
  RunFacts facts;
  facts.id = *message.run;
  facts.session = address_.id;
  facts.agent = address_.agent;
  facts.agent_version = services_.registry.version_for(
      address_.agent, static_cast<int>(message.agent_version), message.name);
  facts.handler = std::move(message.name);
  facts.session_key = address_.key;
  facts.message_key = std::move(message.message_key);
  facts.input_type = std::move(message.type);
  facts.input = std::move(message.payload);
  facts.seed = services_.random.next();
  facts.created = services_.clock.wall().time_since_epoch().count();
  facts.caller = std::move(message.caller);
  if (facts.caller) facts.payers = facts.caller->payers;
  facts.deadline = message.deadline;
  const detail::HandlerEntry* const handler = handler_of(facts);
  if (handler != nullptr && handler->options.budget.is_limited()) {
    const Budget& budget = handler->options.budget;
    facts.payers.insert(facts.payers.begin(), facts.id);
    facts.budget = journal::StoredBudget{
        tools::limits_of(budget), budget.when_exhausted == WhenExhausted::fail_step, facts.created};
  }
  if (facts.deadline == 0 && handler != nullptr && handler->options.deadline.count() > 0)
    facts.deadline = facts.created + std::min<std::chrono::microseconds>(handler->options.deadline,
                                                                         core::limits::kDelayMax)
                                         .count();
  return facts;
}

void SessionCore::start_run(Arrival message, const Self& self, Told told) {
  const bool is_kept = kept_.erase(message.number) != 0;
  const Arrival row = message;
  RunFacts facts = facts_of(std::move(message));
  open_ = facts.id;
  journal::Change change(services_.inline_bytes_max);
  if (!exists_)
    change.put(Table::sessions, Key{}.add(address_.id),
               journal::SessionRow{address_.agent, address_.key, facts.created});
  exists_ = true;
  if (is_kept) {
    erase_kept(row, change);
  } else {
    erase_row(row, change);
  }
  run_ = std::make_unique<RunCore>(std::move(facts), host(), services_.clock, services_.random);
  run_->record_creation(change);
  run_->begin(handler_of(run_->facts()), std::move(change));
  core::crash_point(core::CrashPoint::run_created);
  const bool is_new = row.number == 0;
  pump_run(self, is_new ? journal::Admission::new_work : journal::Admission::under_way,
           std::move(told));
}

void SessionCore::erase_kept(const Arrival& message, journal::Change& change) const {
  change.erase(Table::kept, Key{}.add(address_.id).add(message.number));
  if (message.due != 0)
    change.erase(Table::due,
                 journal::due_row(message.due, *message.run, journal::DueRow::What::message));
}

std::optional<journal::RecordNumber> SessionCore::next_message() const {
  for (const auto& [number, kept] : kept_)
    if (is_queued_message(kept) && kept.due == 0) return number;
  return std::nullopt;
}

void SessionCore::follow_up(RunEffects& effects, const RunId& ended) {
  open_.reset();
  tell_attached(effects, ended);
  // It waits for no reply any more.
  std::erase_if(stalled_, [&](const Arrived& each) {
    if (each.what.run != ended) return false;
    erase_row(each.what, effects.change);
    return true;
  });
  const std::optional<journal::RecordNumber> next = next_message();
  if (!next) return;
  Arrival message = std::move(kept_.find(*next)->second);
  kept_.erase(*next);
  erase_kept(message, effects.change);
  next_ = std::make_unique<RunCore>(facts_of(std::move(message)), host(), services_.clock,
                                    services_.random);
  next_->record_creation(effects.change);
  open_ = next_->facts().id;
}

/// What is kept for the sake of a run goes with its end, and who attached to it is told.
void SessionCore::tell_attached(RunEffects& effects, const RunId& ended) {
  std::erase_if(kept_, [&](const auto& each) {
    const Arrival& kept = each.second;
    const bool attached = kept.what == What::message && kept.other == ended;
    const bool signal_of_run = kept.what == What::signal && kept.run == ended;
    if (!attached && !signal_of_run) return false;
    effects.change.erase(Table::kept, Key{}.add(address_.id).add(each.first));
    if (attached && kept.caller) effects.posts.push_back(reply_to(kept, ended));
    return true;
  });
}

std::optional<journal::RecordNumber> SessionCore::find_queued(const RunId& run) const {
  for (const auto& [number, kept] : kept_)
    if (is_queued_message(kept) && kept.run == run) return number;
  return std::nullopt;
}

/// The message that would have made `run`, and is attached to another run instead.
std::optional<journal::RecordNumber> SessionCore::find_attached(const RunId& run) const {
  for (const auto& [number, kept] : kept_)
    if (kept.what == What::message && kept.other && kept.run == run) return number;
  return std::nullopt;
}

/// Who sent the message waits no longer; the run that it was attached to is not its own to cancel.
void SessionCore::detach(journal::RecordNumber number, const CancelOrder& order,
                         const Arrived& asked) {
  const Arrival message = std::move(kept_.find(number)->second);
  kept_.erase(number);
  RunEffects effects;
  erase_row(asked.what, effects.change);
  effects.change.erase(Table::kept, Key{}.add(address_.id).add(number));
  if (message.caller) {
    Outgoing answer = reply_to(message, *message.run);
    answer.what.error =
        Error{order.code, cancel_words(order), std::nullopt, std::nullopt, ErrorEffect::refused};
    effects.posts.push_back(std::move(answer));
  }
  submit_posts(std::move(effects), told_of(asked.reply, *message.run));
}

/// The message with this number waits for its turn, or for its time, and gets none.
void SessionCore::end_queued(journal::RecordNumber number, const CancelOrder& order, Arrived asked,
                             const Self& self) {
  const Arrival message = std::move(kept_.find(number)->second);
  kept_.erase(number);
  RunCore never(facts_of(message), host(), services_.clock, services_.random);
  never.end_unbegun(order);
  RunEffects effects = never.take_effects();
  erase_row(asked.what, effects.change);
  erase_kept(message, effects.change);
  tell_attached(effects, *message.run);
  add_posts(effects);
  if (submit(effects, told_of(std::move(asked.reply), *message.run)))
    let_out(effects, *message.run, self);
}

}  // namespace perdure::actors
