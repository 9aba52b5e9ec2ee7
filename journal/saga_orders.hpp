/// What persons decide about sagas: whether it makes sense.
///
/// What this is: the judgement that a runtime and the command share.
/// What it does not: carry anything out.
#pragma once

#include <perdure/cancel.hpp>

#include "journal/reader.hpp"
#include "journal/saga_rows.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace perdure::journal {

/// `"retry"`, `"skip"`, `"mark-done"`: as the command and the payer have it.
[[nodiscard]] std::string_view to_string(SagaResolution::What what) noexcept;

/// Whether sagas of `run` can be aborted: this one, or any of them (kAllSagas). Errors:
/// `not_found`, `refused`; as Reader.
[[nodiscard]] Result<void> judge_compensate(Reader& reader, const RunId& run, std::uint32_t saga);
/// Whether a person can see to the saga so, and the key of the session that undoes it. Errors: as
/// above.
[[nodiscard]] Result<std::string> judge_resolution(Reader& reader, const SagaId& saga,
                                                   SagaResolution::What what,
                                                   const std::optional<std::uint32_t>& action);
/// Why the run of a payer is neither cancelled nor killed.
[[nodiscard]] Error undoing_is_not_ended();

}  // namespace perdure::journal
