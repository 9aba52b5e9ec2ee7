/// Verify's look at one run's records.
///
/// What this is: the check that is fed the rows of a run in the order of their keys, and the place
/// where findings are put.
#pragma once

#include "journal/record.hpp"
#include "journal/verify.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace perdure::journal {

/// Thread: one at a time.
class Findings {
 public:
  /// `report` outlives it.
  Findings(VerifyReport& report, std::size_t most) : report_(report), most_(most) {}
  void add(Table table, core::ByteView key, std::string what);
  /// What can't be read, and what a newer Perdure wrote, has another remedy than damage.
  void add(Table table, core::ByteView key, const Error& error);
  void count(Table table, std::size_t bytes) noexcept;
  void count_run() noexcept { ++report_.runs; }
  void count_record() noexcept { ++report_.records; }

 private:
  void add(Table table, core::ByteView key, std::string what, std::string remedy);

  VerifyReport& report_;
  const std::size_t most_;
};

class PayloadCheck;

/// Thread: one at a time.
class RunCheck {
 public:
  /// `row` is the run's, where it is there and sound. What it borrows need not outlive this call;
  /// `findings` and `payloads` outlive it.
  RunCheck(const RunId& id, const std::optional<RunRow>& row,
           std::optional<RecordNumber> last_number, Findings& findings, PayloadCheck& payloads);
  [[nodiscard]] const RunId& id() const noexcept { return id_; }
  /// The next row of the run: a record, or at last the head.
  void take(core::ByteView key, core::ByteView value);
  /// There are no more rows.
  void finish();

 private:
  void take_record(core::ByteView key, std::uint32_t index);
  void take_head(core::ByteView key);
  void check_order(core::ByteView key, Stamp stamp);
  void check_created(core::ByteView key);
  void check_result(core::ByteView key);
  void check_ended(core::ByteView key);
  void check_payload(core::ByteView key, const PayloadView& payload, bool has_error);
  void add(core::ByteView key, std::string what);

  const RunId id_;
  const std::optional<RecordNumber> last_number_;
  Findings& findings_;
  PayloadCheck& payloads_;
  bool has_row_ = false;
  std::string agent_;
  std::string handler_;
  std::string session_key_;
  std::uint32_t agent_version_ = 0;
  Stamp created_ = 0;

  RecordBuffer buffer_;
  std::uint32_t next_ = 0;  ///< The index that should come now.
  RecordNumber number_ = 0;
  Stamp stamp_ = 0;
  bool has_head_ = false;
  bool ended_ = false;
  bool ended_in_error_ = false;
};

}  // namespace perdure::journal
