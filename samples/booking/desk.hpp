/// A service's requests and answers, without the wire.
///
/// What this is: JSON in, a status and JSON out.
/// What it promises: a request that makes no sense changes nothing, and the answer says what is
/// wrong with it (400, or 422 where a key belongs to another trip).
///
///     do     200 {"state": "done", "reference": R}   409 {"refused": WHY}   410 {"undone": true}
///     undo   200 {"undone": true, "was": STATE}
///     find   200 {"state": STATE, "reference": R}
///
/// What it does not: have faults. They are the service's.
#pragma once

#include "ledger.hpp"

#include <string>
#include <string_view>

namespace booking {

struct Reply {
  int status = 200;
  std::string body;
};

/// `body`: {"key": K, "trip": T, "traveller": W, "detail": D, "amount_cents": N}.
[[nodiscard]] Reply answer_do(Ledger& ledger, const std::string& body, std::string_view fault = {});
/// `body`: {"key": K, "trip": T}.
[[nodiscard]] Reply answer_undo(Ledger& ledger, const std::string& body,
                                std::string_view fault = {});
[[nodiscard]] Reply answer_find(Ledger& ledger, const std::string& key,
                                std::string_view fault = {});
/// Writes down a request that a crash cuts off before it has an effect.
void note_crash(Ledger& ledger, std::string_view request, const std::string& body,
                std::string_view fault);

}  // namespace booking
