/// What is still to be held against a journal when the newest of its batches may be lost.
///
/// What this is: the outside world's memory up to the last moment that the journal itself tells of.
/// In durability `none` a loss of power takes batches from the end; what the rest depends on, and
/// what was known by then, must all be there.
/// What it promises: what is cut off can be lost without a batch in the middle being lost.
/// What it does not: judge (checker.hpp).
#pragma once

#include "tests/crash/journal_facts.hpp"

#include <string>

namespace perdure::crash {

/// The lines of `outside` up to the last body whose result is in `journal`, and at least those of
/// all lives before the last one that got as far as to open the journal, which makes them durable;
/// of what comes later the beginnings of lives, and bodies that the journal says ran out of time.
[[nodiscard]] std::string survivors(const std::string& outside, const JournalFacts& journal);

}  // namespace perdure::crash
