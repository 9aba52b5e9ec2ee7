/// The workload's agents that are sessions: messages, signals, state, times, children and cancels.
///
/// What this is: handlers that use everything that sessions are given, and the bodies of their
/// steps (bodies.hpp). Whoever starts and cancels them is session_callers.cpp.
/// What it promises: a message that a handler sends names the step that sends it (`RUN/STEP`), and
/// so does a signal, so that the checker can tell which of them came how often. What a handler read
/// of state, and which way it went at a change, it notes as it notes a draw: `~before`, `~version`.
/// What it does not: open a runtime (workload.cpp).
#pragma once

#include <perdure/perdure.hpp>

#include "tests/crash/workload_types.hpp"

#include <string>

namespace perdure::crash {

/// Books an amount: reads and writes state between steps, and leaves `mark` absent.
Task<std::string> book(Context& ctx, Order order);
int read_sum(const View& view, int);
inline constexpr State<int> sum{"sum"};
inline constexpr State<int> mark{"mark"};
inline constexpr Handler booking{"book", &book};
inline constexpr Query sum_query{"sum", &read_sum};
inline constexpr Agent ledger{"ledger", booking, sum_query};

/// Calls the ledger, sends to it, and sends to it for later.
Task<std::string> pay(Context& ctx, Order order);
inline constexpr Agent payer{"payer", &pay};

/// Says so many words to the listener `order.flavour`.
Task<std::string> talk(Context& ctx, Order order);
inline constexpr Agent talker{"talker", &talk};
/// Hears so many words, by receives that may lose against a time; then one of the caller's.
Task<std::string> listen(Context& ctx, Order order);
inline constexpr Signal<std::string> word{"word"};
inline constexpr Signal<std::string> outer_word{"outer"};
inline constexpr State<int> heard{"heard"};
inline constexpr Agent listener{"listener", &listen};

/// Children of every sort, under the key `child` of sessions of their own.
Task<std::string> bring_up(Context& ctx, Order order);
inline constexpr Agent parent{"parent", &bring_up};
Task<std::string> toil(Context& ctx, Order order);
Task<std::string> idle(Context& ctx, Order order);
inline constexpr Handler toiling{"toil", &toil};
inline constexpr Handler idling{"idle", &idle};
inline constexpr Agent helper{"helper", toiling, idling};

/// They end by being cancelled, each in its way.
Task<std::string> wait_and_tidy_up(Context& ctx, Order order);
Task<std::string> wait_for_ever(Context& ctx, Order order);
Task<std::string> wait_and_not_heed(Context& ctx, Order order);
inline constexpr Agent tidy{"tidy", &wait_and_tidy_up};
inline constexpr Agent plain{"plain", &wait_for_ever};
inline constexpr Agent heedless{"heedless", &wait_and_not_heed};
inline constexpr Agent mortal{"mortal", Handler{"run", &wait_for_ever, {.deadline = kNap}}};

/// Two steps and a nap, for messages that come while it is busy.
Task<std::string> two_steps(Context& ctx, Order order);
inline constexpr Handler revising{
    "revise", &two_steps, {.when_busy = WhenBusy::cancel_and_replace}};
inline constexpr Handler digesting{"digest", &two_steps, {.when_busy = WhenBusy::join}};
inline constexpr Agent clerk{"clerk", revising, digesting};

/// Its code changes between the first life and the others: by a version, and without one.
Task<std::string> evolve(Context& ctx, Order order);
Task<std::string> shift(Context& ctx, Order order);
inline constexpr Agent evolver{"evolver", &evolve};
inline constexpr Agent shifty{"shifty", &shift, {.on_divergence = WhenStuck::fail}};

/// They throw: one always, the other until its agent is `repaired` and its run resumed.
Task<std::string> throw_always(Context& ctx, Order order);
Task<std::string> throw_at_first(Context& ctx, Order order);
inline constexpr Agent failing{"failing", &throw_always, {.on_exception = WhenStuck::fail}};
inline constexpr Agent thrower{"thrower", &throw_at_first, {.on_exception = WhenStuck::park}};
void repair();

/// Its step fails once, and tries again in ten minutes or when somebody says so.
Task<std::string> try_later(Context& ctx, Order order);
inline constexpr Agent impatient{"impatient", &try_later};

}  // namespace perdure::crash
