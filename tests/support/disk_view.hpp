/// What a journal holds, for tests: read from any store, at the moment of the call.
#pragma once

#include "journal/reader.hpp"
#include "journal/store.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace perdure::test {

/// `store` outlives it.
class DiskView {
 public:
  explicit DiskView(journal::Store& store) : store_(store) {}

  [[nodiscard]] journal::Reader read() const;
  [[nodiscard]] journal::Head head(const RunId& run) const;
  [[nodiscard]] bool is_ready(const RunId& run) const;
  [[nodiscard]] std::vector<journal::Due> due() const;
  [[nodiscard]] std::vector<journal::Attempts> attempts(const RunId& run) const;
  /// One line a record: `step_result 3.0 'name' ok`, `step_started 2 'name' #1`, `run_ended
  /// failed`.
  [[nodiscard]] std::vector<std::string> records(const RunId& run) const;
  /// What verify finds, a line each; empty when the journal is sound.
  [[nodiscard]] std::string damage() const;
  /// How many blobs the journal's rows refer to.
  [[nodiscard]] std::size_t blobs() const;

 private:
  journal::Store& store_;
};

}  // namespace perdure::test
