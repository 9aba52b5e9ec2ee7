/// What stands in the pages, held against itself.
///
/// What this is: the check of keys' lengths, envelopes and the order of a run's records that needs
/// nothing but the entries in their order, so that it works on a file whose damage keeps LMDB out.
/// What it promises: what verify.hpp says of findings; memory for one value.
/// What it does not: hold rows of one table against another's.
#pragma once

#include "journal/page_file.hpp"
#include "journal/page_tree.hpp"
#include "journal/record.hpp"
#include "journal/verify_payloads.hpp"
#include "journal/verify_run.hpp"

#include <optional>

namespace perdure::journal {

/// Thread: one at a time.
class PageValueCheck {
 public:
  /// All outlive it.
  PageValueCheck(const PageFile& file, VerifyReport& report, std::size_t findings_max)
      : file_(file),
        findings_(report, findings_max),
        payloads_(nullptr, findings_, report, PayloadCheck::Look::at_rows) {}
  /// The next entry of `table`. Rows of `meta` come first, and those of a table together.
  void take(Table table, const TreeEntry& entry);
  /// There are no more entries of this table.
  void end_table();

 private:
  /// The value, from wherever it stands; empty after a finding.
  std::optional<core::ByteView> value_of(Table table, const TreeEntry& entry);
  void take_record(core::ByteView key, core::ByteView value);

  const PageFile& file_;
  Findings findings_;
  PayloadCheck payloads_;
  core::Bytes value_;
  RecordBuffer buffer_;
  std::optional<RecordNumber> last_number_;
  std::optional<RunCheck> run_;
};

}  // namespace perdure::journal
