/// The part of verify that looks at payloads, in rows and in blobs.
///
/// What this is: each payload's encoding, and each blob that a payload is or speaks of: that it is
/// there, that its bytes are those that its name says.
/// What it promises: a blob is read once as a payload and once as content, however many refer to
/// it, and what is wrong with it is named at each row that does: of the others somebody may rely on
/// being told that they are sound. Memory for one payload, and some hundred bytes for each blob.
/// What it does not: look for blobs that nothing refers to; the report says which are referred to.
#pragma once

#include "journal/blobs.hpp"
#include "journal/payload.hpp"
#include "journal/verify.hpp"
#include "journal/verify_run.hpp"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace perdure::journal {

/// Thread: one at a time.
class PayloadCheck {
 public:
  /// Whether blobs are looked at, or rows alone, because nobody knows where blobs are.
  enum class Look : std::uint8_t { at_blobs_too, at_rows };
  /// `blobs` (null: the store has none), `findings` and `report` outlive it.
  PayloadCheck(const Blobs* blobs, Findings& findings, VerifyReport& report,
               Look look = Look::at_blobs_too)
      : blobs_(blobs), findings_(findings), report_(report), look_(look) {}
  /// The payload of the row at `key`.
  void check(Table table, core::ByteView key, const PayloadView& payload);

 private:
  using Faults = std::vector<Error>;
  /// Also by size: another one of the same id is a fault of who says so.
  using Known = std::map<std::pair<BlobId, std::uint64_t>, Faults>;

  [[nodiscard]] Faults faults_in(core::ByteView bytes);
  const Faults& faults_of_payload(const BlobRef& ref);
  const Faults& faults_of_content(const BlobRef& ref);
  void count(const BlobRef& ref);

  const Blobs* const blobs_;
  Findings& findings_;
  VerifyReport& report_;
  const Look look_;
  Known payloads_;
  Known contents_;
};

}  // namespace perdure::journal
