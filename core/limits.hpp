/// The limits, all in one place.
///
/// What this is: every bound that a user can meet, with its reason. docs/programming_model.md lists
/// them for users; an error that reports one names the limit and the size found.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace perdure::core::limits {

/// Names of agents, handlers and steps, in bytes: they stand in idempotency keys and log lines.
inline constexpr std::size_t kNameBytes = 256;
/// A session's key and a message's key, in bytes.
inline constexpr std::size_t kKeyBytes = 1024;
/// One payload (message, step result, reply, state): a value is in memory several times while it is
/// encoded, stored and read. What is larger is a pd::Blob, which has no limit but the disk's.
inline constexpr std::size_t kPayloadBytes = std::size_t{1} << 30U;
/// What a record holds of a payload itself: it must fit an LMDB overflow run that a reader copies
/// at once.
inline constexpr std::size_t kInlinePayloadBytes = 64U << 20U;
/// Payloads above this go to blobs, unless RuntimeOptions::blob_threshold_bytes says otherwise.
inline constexpr std::size_t kBlobThresholdBytes = 32U << 10U;
/// What that option may be.
inline constexpr std::size_t kBlobThresholdMin = 1U << 10U;
inline constexpr std::size_t kBlobThresholdMax = 16U << 20U;
/// A value of a session's state goes to a blob above this at the earliest: it is written over again
/// and again, which a row can be and a blob can't.
inline constexpr std::size_t kInlineStateBytes = 1U << 20U;
/// What a tool's heartbeat reports: it stands in a row that is written over and over.
inline constexpr std::size_t kProgressBytes = 64U << 10U;
/// Components of a step path: tasks and combinators nested in each other.
inline constexpr std::size_t kPathDepth = 64;
/// Budgets that a run is held to, its own and those of the runs that it works for.
inline constexpr std::size_t kNestedBudgets = 16;
/// Error messages are cut to this before they are recorded.
inline constexpr std::size_t kErrorMessageBytes = 16U << 10U;
/// The name of a user's table, in bytes, and an encoded key in it: with the byte between them they
/// fit a key of LMDB's, which has 511 bytes at most.
inline constexpr std::size_t kTableNameBytes = 64;
inline constexpr std::size_t kRowKeyBytes = 440;
/// Rows that one transaction reads one by one, and scans that it makes: the writer looks at each
/// while nobody else can submit anything.
inline constexpr std::size_t kTransactionReads = 10'000;
inline constexpr std::size_t kTransactionScans = 100;
/// Rows that one transaction writes, and the bytes of their keys and values: they are one change.
inline constexpr std::size_t kTransactionWrites = 10'000;
inline constexpr std::size_t kTransactionBytes = 64U << 20U;
/// Writes of rows that the writer remembers. A transaction that began before the oldest of them is
/// run again.
inline constexpr std::size_t kRememberedWrites = std::size_t{1} << 14U;
/// How often a transaction's body is run again, because rows that it read have changed, before that
/// is a failed attempt.
inline constexpr std::uint32_t kStaleRuns = 100;
/// Records in one run (its numbers are 32 bits, the last is reserved for the run's head row).
inline constexpr std::uint32_t kRecordsPerRun = 0xFFFF'FFF0U;
/// Signals that a session keeps for runs that have not asked for them.
inline constexpr std::size_t kKeptSignals = 10'000;
/// Unclean ends of the process during one step after which its run is parked.
inline constexpr std::uint32_t kUncleanEnds = 3;
/// Delays and grace periods that are longer are this long, a hundred years: so no time overflows.
inline constexpr std::chrono::milliseconds kDelayMax = std::chrono::hours(876'000);
/// How long opening for writing looks at pages after an unclean end; then it goes on. Some hundred
/// thousand pages take a second where the system has the file in memory.
inline constexpr std::chrono::milliseconds kPageCheck{2000};

}  // namespace perdure::core::limits
