/// Batches that a store is given, so that what it holds tells which of them it has.
///
/// What this is: numbered batches of rows drawn from a number and a nonce, and what became known of
/// them outside.
/// What it promises: two batches of one number with other nonces have other rows, so that one can't
/// be taken for the other; rows that hold batches 1 to k are told from any others.
/// What it does not: know what a log is.
///
/// A line of what is known outside is a word, a number and a nonce:
///
///     begin NUMBER NONCE    the batch is about to be committed
///     full NUMBER NONCE     it is committed, and durable
///     none NUMBER NONCE     it is committed
///     durable NUMBER -      all up to this one are
#pragma once

#include "journal/store.hpp"
#include "tests/crash/log_rows.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::crash {

/// A batch and what its mutations borrow.
class LogBatch {
 public:
  LogBatch(std::uint64_t number, std::string nonce);
  LogBatch(const LogBatch&) = delete;
  LogBatch& operator=(const LogBatch&) = delete;
  /// Sorted, as a store wants it.
  [[nodiscard]] std::vector<journal::Mutation> mutations() const;
  void put_into(Rows& rows) const;

 private:
  struct Change {
    journal::Key key;
    bool is_erased = false;
    std::string value;
  };
  std::map<std::pair<journal::Table, std::string>, Change> changes_;
};

/// How many batches the rows hold; the last one's number.
[[nodiscard]] std::uint64_t last_batch(const Rows& rows);

/// What the outside world knows of batches.
class KnownBatches {
 public:
  /// A line, without its end.
  void take(std::string_view line);
  /// All that are whole.
  void take_lines(std::string_view text);
  /// Power was lost, and this is what is left: of the others nobody knows any more.
  void forget_but(const Rows& rows);
  /// What is wrong with `rows`; `with_all_committed` where no power was lost.
  [[nodiscard]] std::vector<std::string> hold_against(const Rows& rows,
                                                      bool with_all_committed) const;

 private:
  std::map<std::uint64_t, std::string> durable_;
  std::map<std::uint64_t, std::string> committed_;  ///< And perhaps not durable.
  std::uint64_t begun_ = 0;
};

}  // namespace perdure::crash
