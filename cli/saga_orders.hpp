/// What persons decide about sagas: retry, skip, mark-done and compensate.
///
/// What this is: from what was typed to a request, held against the journal first, and what came of
/// it in words.
/// What it does not: deliver it (orders.hpp).
#pragma once

#include <string>

#include "cli/arguments.hpp"
#include "journal/control_client.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {

struct SagaOrder {
  journal::ControlRequest asked;
  journal::SagaId saga;  ///< The number may be journal::kAllSagas.
  std::string name;      ///< Empty: there are several.
};

/// `who` gives it, if the request does not say. Errors: what the command line lacks (`misuse`,
/// `too_large`), `not_found`, `refused`; as Reader.
[[nodiscard]] Result<SagaOrder> saga_order(journal::Reader& reader, const Request& request,
                                           const std::string& who);
/// As the command has the verb: `mark-done`.
[[nodiscard]] std::string_view saga_verb(Verb verb) noexcept;
/// What came of it, for a person.
[[nodiscard]] std::string saga_order_text(const SagaOrder& order, const Request& request,
                                          const journal::Delivered& given);

}  // namespace perdure::cli
