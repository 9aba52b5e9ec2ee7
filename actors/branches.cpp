#include <perdure/detail/branches.hpp>
#include <perdure/operations.hpp>

#include "core/limits.hpp"

#include <string>
#include <utility>

namespace perdure {
inline namespace v0 {
namespace detail {
namespace {

/// Of one failure's words, in a message that tells several.
constexpr std::size_t kWordsEach = 1024;
/// What the first failures may take: the last one and the count come behind them.
constexpr std::size_t kWordsAll = core::limits::kErrorMessageBytes - 2 * kWordsEach;

std::string words_of(std::uint32_t index, const Error& error) {
  std::string words = "branch " + std::to_string(index) + ": " + error.to_string();
  if (words.size() <= kWordsEach) return words;
  std::size_t end = kWordsEach;
  // Not in the middle of a character.
  while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xC0U) == 0x80U) --end;
  words.resize(end);
  return words + "…";
}

}  // namespace

Start Branches::start_of(Branch& branch, std::uint32_t index, std::size_t position) noexcept {
  branch.index = index;
  branch.running = true;
  branch.next_ended = nullptr;
  return Start{*execution_, Place{&place_, index}, *this, position};
}

void Branches::start(const Start& start) {
  execution_ = &start.execution;
  task_ = start.execution.current();
  place_ = start.place;
  parent_ = &start.parent;
  position_ = start.position;
  advance();
}

void Branches::request_stop() noexcept {
  if (over_) return;
  stopped_ = true;
  ask_to_stop();
}

/// Once: a branch that tidies up after it was asked is not disturbed again.
void Branches::ask_to_stop() noexcept {
  if (!std::exchange(asked_, true)) stop_running();
}

void Branches::child_ended(std::size_t position) noexcept {
  Branch& branch = at(position);
  branch.running = false;
  (last_ended_ == nullptr ? first_ended_ : last_ended_->next_ended) = &branch;
  last_ended_ = &branch;
  if (busy_ || std::exchange(queued_, true)) return;
  execution_->make_runnable(*this);
}

void Branches::run() noexcept {
  queued_ = false;
  Execution& execution = *execution_;
  // What a branch is made by may draw, and the number of the draw is the awaiting task's.
  execution.set_current(task_);
  advance();
  execution.set_current(nullptr);
}

void Branches::advance() noexcept {
  busy_ = true;
  for (;;) {
    if (Branch* const ended = first_ended_) {
      first_ended_ = ended->next_ended;
      if (first_ended_ == nullptr) last_ended_ = nullptr;
      judge(*ended);
    } else if (next_ < count_ && running_ < limit_ && !decided_ && !stopped_) {
      begin_next();
    } else {
      break;
    }
  }
  busy_ = false;
  if (running_ == 0) end();
}

void Branches::begin_next() noexcept {
  const auto index = static_cast<std::uint32_t>(next_++);
  ++running_;
  try {
    begin(index);
  } catch (...) {
    threw(index);
  }
}

/// What the user's code threw for a branch that runs no more, or has never run.
void Branches::threw(std::uint32_t index) noexcept {
  if (std::optional<Error> error = escaped(*execution_)) {
    --running_;
    failed(index, std::move(*error));
  } else {
    // The run parks. The branch counts as running, so nobody is told of an end.
    decided_ = true;
  }
}

void Branches::judge(Branch& branch) noexcept {
  const std::uint32_t index = branch.index;
  Wanted wanted = Wanted::no;
  if (Error* const error = failure_of(branch)) {
    failed(index, std::move(*error));
  } else {
    wanted = succeeded(branch);
  }
  try {
    judged(branch, wanted);
    --running_;
  } catch (...) {
    decided_ = false;
    threw(index);
  }
}

Wanted Branches::succeeded(Branch& branch) noexcept {
  if (decided_) return Wanted::no;
  if (rule_ != Rule::all) {
    winner_ = branch.index;
    failure_.reset();
    decide();
  }
  return Wanted::yes;
}

void Branches::failed(std::uint32_t index, Error error) {
  if (decided_) return;
  if (rule_ != Rule::any) {
    failure_ = std::move(error);
    decide();
    return;
  }
  ++failures_;
  // Only a refusal of all of them is one of the whole.
  if (failure_ && failure_->known_effect() != error.known_effect())
    error.effect = ErrorEffect::unknown;
  std::string words = words_of(index, error);
  if (untold_ > 0 || words_.size() + words.size() > kWordsAll) {
    ++untold_;
  } else {
    words_ += (words_.empty() ? "" : "; ") + words;
  }
  failure_ = std::move(error);
  winner_ = index;
}

void Branches::decide() noexcept {
  decided_ = true;
  ask_to_stop();
}

/// The last failure becomes one of all; `winner_` is the branch that it was of.
void Branches::none_succeeded() {
  std::string message = "all " + std::to_string(failures_) + " branches failed: " + words_;
  if (untold_ > 1) message += "; and " + std::to_string(untold_ - 1) + " more";
  if (untold_ > 0) message += "; " + words_of(winner_, *failure_);
  failure_->effect = failure_->known_effect();
  failure_->message = std::move(message);
}

void Branches::end() noexcept {
  over_ = true;
  if (rule_ == Rule::all) {
    // Without a failure of its own: it was stopped from outside before all could begin.
    if (!decided_ && next_ < count_) failure_ = cancelled_error();
  } else if (count_ == 0) {
    failure_ = Error{Code::misuse,
                     "nothing can win among no branches: look before you await `any` or `race` of "
                     "an empty vector"};
  } else if (!decided_ && failures_ > 1) {
    none_succeeded();
  }
  clear();
  parent_->child_ended(position_);
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
