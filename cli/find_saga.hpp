/// Which saga somebody means.
///
/// What this is: from `SAGA` as typed to a saga of the journal, or to all of a run.
/// What it promises: what names no saga, or several, gets an error that lists the candidates;
/// nothing is guessed.
#pragma once

#include <string_view>

#include "journal/reader.hpp"
#include "journal/saga_rows.hpp"

namespace perdure::cli {

/// `text` is `RUN.N`, with the run's id or a part of it as in find_run.hpp; or a run, which may be
/// `agent/key` too, that has one saga which is not over, or one at all.
/// Errors: `misuse` for text that can be none of these, `not_found` for no saga or several;
/// whatever reading gives.
[[nodiscard]] Result<journal::SagaId> find_saga(journal::Reader& reader, std::string_view text);
/// The same, but a run stands for all of its sagas: the number is then journal::kAllSagas.
[[nodiscard]] Result<journal::SagaId> find_sagas(journal::Reader& reader, std::string_view text);

}  // namespace perdure::cli
