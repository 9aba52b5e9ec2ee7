/// The part of verify that looks at payloads, in rows and in blobs.
///
/// What this is: each payload's encoding, and each blob that a payload is or speaks of: that it is
/// there, that its bytes are those that its name says.
/// What it promises: a blob is read once, however many refer to it, and named where it is first
/// referred to.
/// What it does not: look for blobs that nothing refers to; the report says which are referred to.
#pragma once

#include "journal/blobs.hpp"
#include "journal/payload.hpp"
#include "journal/verify.hpp"
#include "journal/verify_run.hpp"

#include <cstdint>

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
  void check_bytes(Table table, core::ByteView key, core::ByteView bytes);
  /// Whether it was looked at before.
  [[nodiscard]] bool is_known(const BlobRef& ref);
  void check_content(Table table, core::ByteView key, const BlobRef& ref);

  const Blobs* const blobs_;
  Findings& findings_;
  VerifyReport& report_;
  const Look look_;
};

}  // namespace perdure::journal
