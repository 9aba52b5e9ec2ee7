/// The checker: does what happened keep what Perdure promises?
///
/// What this is: the outside world's memory (history.hpp) held against the journal
/// (journal_facts.hpp). It believes the program nothing.
/// What it promises: every broken promise of the list below that these two can show is found, and
/// told with the run, the step and the line of the list. checker_test.cpp breaks each one.
/// What it does not: see what nobody noted.
///
/// The list (design.md section 3):
///  1. verify finds nothing wrong, and every record of a run can be read;
///  2. a run whose start was acknowledged is in the journal, with its order, under its session;
///  3. a message with a key makes one run: every caller was given the same one;
///  4. a step whose result was recorded when a process began did not run in that process;
///  5. the recorded result of a step is what its body's last run returned, with its attempt, or a
///     failure that Perdure alone may give it; what a body returned before a shutdown has ended is
///     recorded;
///  6. what a body was made of (its inputs) stands recorded, and is the same as was recorded;
///  7. the idempotency key of a step is RUN/STEP/NAME on every attempt;
///  8. attempts of a step rise from run to run of its body, but that an attempt which failed during
///     a shutdown may be counted again;
///  9. the body of an at-most-once step has a start record ahead of it, and runs again only when
///     the attempt before refused;
/// 10. an outcome is unknown only where an at-most-once body may have been cut off by a crash; and
///     where its body ran and was cut off, the outcome is unknown and not guessed;
/// 11. a handler that comes by the same place again has drawn the same numbers, read the same
///     state, and goes the same way at a change of its code;
/// 12. an acknowledged reply is the recorded end, which is made of recorded results;
/// 13. a run is parked only as a suspect, and only after three processes began, or because it was
///     made to; nothing else went wrong;
/// 14. when everybody was told that all is done, every acknowledged run has ended;
///     and of sessions (session_checker.hpp):
/// 15. a session handles one message at a time;
/// 16. a message that a handler sent is there once when the sending is recorded, and is handled
///     once; nobody handles one that nobody sent;
/// 17. a signal is received at most once, is received or kept once it was acknowledged or its
///     sending recorded, and signals of one sender are received in their order;
/// 18. state is what the handled messages made of it, one after the other, and no query saw more;
/// 19. a child that its parent had to wait for ended before it, one that was to be cancelled with
///     it is, one that was left alone goes on;
/// 20. nothing that was to wait for a time began before it;
/// 21. a run that was told to end is cancelled, or had ended; and nobody else's run is;
/// 22. the way that a run went at a change of its code is marked, once, and is the way it goes;
/// 23. a run fails because of its code only where its agent says so;
///     and of tools:
/// 24. what attempts used of a run's budget is counted there: each used one token.
#pragma once

#include "tests/crash/history.hpp"
#include "tests/crash/journal_facts.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace perdure::crash {

/// Steps with a recorded result, by run.
using Recorded = std::map<std::string, std::set<std::string>>;
[[nodiscard]] Recorded recorded_steps(const JournalFacts& journal);

enum class Ended : std::uint8_t {
  maybe,      ///< The last process died, or a run is parked.
  all_of_it,  ///< The last process said that every run had ended.
};

/// What may leave the process before what it depends on is durable (perdure::Durability).
enum class Ahead : std::uint8_t {
  nothing,  ///< The list holds as it stands.
  /// Steps run ahead of the disk: 6 holds for at-most-once bodies and replies only, 8 does not, 11
  /// for draws only, and 22 for the newest bodies.
  an_interval,
};

/// What is wrong, one sentence each; empty when all is well. `before[i]` is what was recorded when
/// the i-th life of `history` began; where it has no such element, promise 4 is not looked at.
[[nodiscard]] std::vector<std::string> judge(const History& history, const JournalFacts& journal,
                                             const std::vector<Recorded>& before,
                                             Ended ended = Ended::maybe,
                                             Ahead ahead = Ahead::nothing);

}  // namespace perdure::crash
