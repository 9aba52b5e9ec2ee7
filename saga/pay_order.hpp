/// Pay orders: what the payer of a saga is told.
///
/// What this is: the message that makes a run of the agent `perdure.saga`, whose sessions undo what
/// sagas owe, and the word of a person to such a session. Both are recorded as any message and
/// signal is, and shown as JSON.
/// What it promises: an order has all that undoing needs, but for inputs and outputs: those are
/// read from the rows and records that it names, which nobody changes any more.
/// What it does not: hold code. A compensation is a name.
#pragma once

#include <perdure/codec.hpp>
#include <perdure/describe.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace perdure::saga {

/// Something to be undone. Fields are part of the format of journals (docs/journal_format.md).
struct OwedAction {
  /// `undo`: by the compensation of that name. `pivot`: by a person. `group`: it is a saga whose
  /// actions follow. `ask`: by its own payer, whose run is asked.
  std::string what;
  std::int64_t group = -1;  ///< The position of the group that it is in.
  std::uint32_t saga = 0;   ///< Of the run that the order is about; of `ask`: of `run`, 0: all.
  std::uint32_t index = 0;  ///< In that saga; of an `ask`: its entry in the saga `of`.
  std::uint32_t of = 0;
  std::string name;  ///< Of the action's step, or of the saga.
  std::string undo;
  std::string key;  ///< The action's idempotency key.
  std::string input_type;
  std::string output_type;
  bool happened = false;  ///< It succeeded, and has an output: in the record `ended` of the run.
  std::uint32_t begun = 0;
  std::uint32_t ended = 0;
  std::int64_t not_before_us = 0;
  // Of an `ask`.
  std::string run;
  std::string agent;
  std::string session_key;
};
PERDURE_DESCRIBE(OwedAction, what, group, saga, index, of, name, undo, key, input_type, output_type,
                 happened, begun, ended, not_before_us, run, agent, session_key);

struct PayOrder {
  /// `abort`: all that it owes. `back`: what came behind a save-point. `rest`: what failed in a
  /// saga that is committed.
  std::string what;
  std::string run;  ///< Whose saga it is.
  std::string agent;
  std::string session_key;
  std::uint32_t saga = 0;
  std::string name;
  std::vector<std::uint32_t> step;  ///< Of `back`: which waits for it.
  bool parallel = false;
  bool goes_on = false;
  /// It is behind its pivot: nothing is owed, and a person has to finish it.
  bool forward = false;
  // Why, and who wanted it.
  std::string code;
  std::string who;
  std::string why;
  std::vector<OwedAction> owed;
};
PERDURE_DESCRIBE(PayOrder, what, run, agent, session_key, saga, name, step, parallel, goes_on,
                 forward, code, who, why, owed);

/// The name of a question (`abort_saga`) to whoever undoes a part of it, once it was told that this
/// is stuck: it is answered when that is settled, and not before.
inline constexpr std::string_view kUntilSettled = "until settled";

/// The handler of `perdure.saga` that takes orders.
inline constexpr const char* kPayHandler = "pay";

/// What a person decides about a saga that is being undone: the signal `verb`.
struct SagaVerb {
  /// `retry`: what is stuck is tried again. `skip`: it stays as it is. `mark-done`: somebody undid
  /// it by hand.
  std::string what;
  std::uint32_t saga = 0;   ///< Of the run: sagas within others are paid with them.
  std::int64_t entry = -1;  ///< The action's index; -1: all that are not undone.
  std::string who;
  std::string why;
};
PERDURE_DESCRIBE(SagaVerb, what, saga, entry, who, why);
inline constexpr const char* kVerbSignal = "verb";

}  // namespace perdure::saga
