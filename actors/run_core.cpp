#include "actors/run_core.hpp"

#include "core/assert.hpp"
#include "core/limits.hpp"

#include <algorithm>
#include <array>

namespace perdure::actors {
namespace {

using journal::Key;
using journal::Pending;
using journal::Table;

/// The run whose handler this thread runs now.
thread_local RunCore* running_here = nullptr;

journal::StepKind kind_of(detail::LeafKind kind) noexcept {
  static_assert(static_cast<int>(detail::LeafKind::compensate) ==
                static_cast<int>(journal::StepKind::compensate));
  return static_cast<journal::StepKind>(kind);
}

std::size_t depth_of(const detail::Place& place) {
  std::size_t depth = 0;
  for (const detail::Place* node = &place; node->parent != nullptr; node = node->parent) ++depth;
  return depth;
}

}  // namespace

journal::StepPath path_of(const detail::Place& place) {
  std::array<std::uint32_t, core::limits::kPathDepth> components{};
  std::size_t at = components.size();
  // The root has no component. A path over the limit keeps its lowest part; begin_opened refuses
  // it.
  for (const detail::Place* node = &place; node->parent != nullptr && at > 0; node = node->parent)
    components[--at] = node->component;
  return journal::StepPath(std::span(components).subspan(at));
}

std::optional<Error> refuse_step(const detail::Leaf& leaf) {
  const std::string& name = leaf.name().text;
  const auto wrong = [&](const std::string& why) {
    return Error{Code::misuse, "the step at " + std::string(leaf.name().where.file_name()) + ":" +
                                   std::to_string(leaf.name().where.line()) + " " + why};
  };
  if (name.empty()) return wrong("has no name: say in words what it does");
  if (name.size() > core::limits::kNameBytes)
    return wrong("has a name of " + std::to_string(name.size()) +
                 " bytes, more than the limit of " + std::to_string(core::limits::kNameBytes));
  if (std::ranges::any_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7F; }))
    return wrong("has a control character in its name");
  if (depth_of(leaf.place()) > core::limits::kPathDepth)
    return wrong("'" + name + "' is nested deeper than " +
                 std::to_string(core::limits::kPathDepth) + " tasks and combinators");
  return std::nullopt;
}

RunCore::RunCore(RunFacts facts, RunHost& host, core::Clock& clock, core::Random& random)
    : facts_(std::move(facts)),
      host_(host),
      clock_(clock),
      random_(random),
      context_(static_cast<detail::Execution&>(*this)),
      stamp_(facts_.created),
      budget_(facts_.id, facts_.payers, host.budgets()),
      payer_(*this),
      effects_(host.new_change()) {}

RunCore::~RunCore() {
  PERDURE_ASSERT(idle(), "a frame is not destroyed while a body may borrow from it");
}

void RunCore::stamp_now() {
  stamp_ = std::max<journal::Stamp>(stamp_, clock_.wall().time_since_epoch().count());
}

bool RunCore::on_this_thread() const noexcept { return running_here == this; }

bool RunCore::inside_a_handler() noexcept { return running_here != nullptr; }

RunCore* RunCore::enter_handler() noexcept { return std::exchange(running_here, this); }

void RunCore::leave_handler(RunCore* before) noexcept { running_here = before; }

void* RunCore::allocate_frame(std::size_t bytes) {
  void* const frame = ::operator new(bytes);
  if (running_here != nullptr) running_here->frame_bytes_ += bytes;
  return frame;
}

void RunCore::free_frame(void* frame, std::size_t bytes) noexcept {
  ::operator delete(frame, bytes);
  if (running_here != nullptr) running_here->frame_bytes_ -= bytes;
}

/// The run's rows that stay when it has ended, and its first record.
void RunCore::put_creation(journal::Change& change) {
  change.place(facts_.input);
  if (!facts_.message_key.empty())
    change.put(Table::keys, journal::message_key_row(facts_.session, facts_.message_key),
               journal::MessageKeyRow{facts_.message_key, facts_.id});
  change.put(Table::runs, Key{}.add(facts_.id),
             journal::RunRow{facts_.session, facts_.agent,
                             static_cast<std::uint32_t>(facts_.agent_version), facts_.handler,
                             facts_.session_key, facts_.created});
  change.append(facts_.id, 0,
                journal::RunCreated{facts_.agent, static_cast<std::uint32_t>(facts_.agent_version),
                                    facts_.handler, facts_.session_key, facts_.message_key,
                                    facts_.input_type, journal::view_of(facts_.input), facts_.seed,
                                    facts_.created, journal::view_of(facts_.caller),
                                    facts_.deadline, journal::ids_of(facts_.payers)});
  if (facts_.budget)
    change.put(Table::budgets, journal::budget_row(facts_.id), journal::view_of(*facts_.budget));
  head_.count = 1;
  head_.stamp = stamp_;
}

void RunCore::record_creation(journal::Change& change) {
  put_creation(change);
  if (facts_.budget) budget_.create(*facts_.budget);
  change.put(Table::open, Key{}.add(facts_.session), journal::OpenRow{facts_.id});
  change.put(Table::ready, Key{}.add(facts_.id), journal::ReadyRow{facts_.session});
  in_ready_ = true;
  if (facts_.deadline != 0)
    change.put(Table::due,
               journal::due_row(facts_.deadline, facts_.id, journal::DueRow::What::deadline),
               journal::DueRow{journal::DueRow::What::deadline, {}, 0, facts_.created});
  change.put(Table::records, Key{}.add(facts_.id).add(journal::kHeadIndex), head_row());
}

void RunCore::begin(const detail::HandlerEntry* handler, journal::Change change) {
  effects_.change = std::move(change);
  head_changed_ = true;
  if (facts_.deadline != 0)
    effects_.waits.push_back({journal::DueRow::What::deadline,
                              {},
                              facts_.deadline,
                              std::chrono::microseconds(facts_.deadline - facts_.created),
                              false});
  machine_.begin();
  machine_.exhausted();
  if (handler == nullptr) return park(not_served());
  adopt(*handler);
  if (const Result<void> started = start_frame(); started.has_error()) return park(started.error());
  pump();
  settle();
}

Error RunCore::not_served() const {
  return Error{Code::not_registered, "the runtime does not serve agent '" + facts_.agent +
                                         "' version " + std::to_string(facts_.agent_version) +
                                         " with handler '" + facts_.handler +
                                         "': serve it before start(), and the run goes on"};
}

void RunCore::adopt(const detail::HandlerEntry& handler) {
  root_ = handler.make();
  if (facts_.agent == journal::kSagaAgent) payer_.serve(static_cast<saga::Coordinator&>(*root_));
  reply_type_ = handler.reply_type.substr(0, core::limits::kKeyBytes);
  on_divergence_ = handler.on_divergence;
  on_exception_ = handler.on_exception;
}

Result<void> RunCore::start_frame() {
  PERDURE_TRY(host_.bring(facts_.input));
  RunCore* const before = enter_handler();
  const Result<void> started = root_->start(*this, context_, facts_.input.bytes);
  leave_handler(before);
  facts_.input.shed();
  if (started.has_value()) return success();
  journal::Divergence divergence;
  divergence.what = journal::Divergence::What::bad_input;
  divergence.detail = started.error().message;
  return divergence.to_error();
}

void RunCore::pump() {
  RunCore* const before = enter_handler();
  do {
    while (!thrown_) {
      detail::Runnable* const runnable = take_runnable();
      if (runnable == nullptr) break;
      runnable->run();
    }
  } while (!thrown_ && (drop_stopped_waits() || run_asked_aborts()));
  leave_handler(before);
  // Replay knows only at its end what is new; what led to a park is tried again by better code.
  if (machine_.state() == journal::MachineState::running && !thrown_) write_dirty_state();
  if (machine_.state() == journal::MachineState::running && !thrown_) passed_ = head_.count;
}

void RunCore::settle() {
  while (machine_.state() == journal::MachineState::running) {
    if (thrown_) {
      park(*std::exchange(thrown_, std::nullopt));
      return;
    }
    if (root_->ended()) {
      // What it replies is known, and is recorded when the last of them has ended.
      waits_for_children() ? touch_status() : finish();
      return;
    }
    Pending* const pending = machine_.take_opened();
    if (pending == nullptr) {
      touch_status();
      return;
    }
    begin_opened(*pending);
  }
}

void RunCore::due(journal::DueRow::What what, const journal::StepPath& path, journal::Stamp at) {
  using What = journal::DueRow::What;
  const bool open = machine_.state() == journal::MachineState::running;
  if (what == What::grace && cancel_ && !closing_) return kill(*cancel_);
  if (what == What::deadline)
    return cancel({Code::timeout, "deadline", "the run's deadline has passed", kDeadlineGrace});
  if (what == What::saga) return saga_due(path.components().back());
  if (!open) return;
  Pending* const pending = machine_.find(path.components());
  if (pending == nullptr) return;
  if (what == What::retry && pending->phase() == Pending::Phase::backoff) {
    // Of an attempt before: whoever loaded the run for it armed it once more.
    if (const journal::Attempts* const row = attempts_of(path);
        row != nullptr && row->next_due != at)
      return;
    forget_attempts(path, Forget::due_only);
    machine_.set_phase(*pending, Pending::Phase::opened);
    settle();
  } else if (what == What::wait && (pending->phase() == Pending::Phase::waiting ||
                                    pending->phase() == Pending::Phase::over)) {
    wait_is_over(*pending);
    settle();
  }
}

void RunCore::open(detail::Leaf& leaf) {
  if (cancel_owed_ && !is_shielded(leaf.place()) && leaf.kind() != detail::LeafKind::compensate) {
    cancel_owed_ = false;
    leaf.refuse(cancel_error());
    leaf.ended();
    return;
  }
  // Cut to what a record can hold, live and on replay alike: begin_opened refuses the step.
  machine_.opened({path_of(leaf.place()), kind_of(leaf.kind()),
                   std::string_view(leaf.name().text).substr(0, core::limits::kNameBytes),
                   leaf.type().substr(0, core::limits::kKeyBytes), leaf.name().where.file_name(),
                   leaf.name().where.line()},
                  &leaf);
  if (sagas_.empty()) return;
  note_member(leaf);
  if (leaf.kind() != detail::LeafKind::compensate) return;
  const detail::WaitRequest& request = static_cast<detail::WaitLeaf&>(leaf).request();
  if (request.saga.run == facts_.id && !request.save_point)
    asked_aborts_.push_back(request.saga.number);
}

void RunCore::stop(detail::Leaf& leaf) noexcept {
  Pending* const pending = machine_.find(path_of(leaf.place()).components());
  // Paths over the limit are cut, and then two steps may have one: both are refused anyway.
  if (pending == nullptr || pending->tag != &leaf) return;
  // Nothing stops an undoing: its end is waited for.
  if (pending->what.kind == journal::StepKind::compensate && !payer_.pays()) return;
  const bool was_asked = std::exchange(pending->stop_requested, true);
  if (pending->what.kind != journal::StepKind::step) {
    if (!was_asked) stopped_waits_.push_back(pending);
  } else if (pending->phase() == Pending::Phase::active) {
    body_of(*pending).stop_source().request_stop();
  } else {
    // It has not begun, or waits for another attempt: begin_step settles it as cancelled.
    machine_.set_phase(*pending, Pending::Phase::opened);
  }
}

std::uint64_t RunCore::draw(const detail::PromiseBase& task, std::uint32_t number) const {
  const journal::StepPath next = path_of(task.place()).child(task.awaits() + 1);
  return core::draw_at(facts_.seed, std::as_bytes(next.components()), number);
}

}  // namespace perdure::actors
