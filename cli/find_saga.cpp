#include "cli/find_saga.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "cli/find_run.hpp"
#include "cli/saga_facts.hpp"
#include "cli/text.hpp"

namespace perdure::cli {
namespace {

using journal::SagaId;

constexpr std::size_t kSagasNamed = 8;  ///< Candidates that an error lists.

std::string candidates_text(const std::vector<const SagaFacts*>& sagas) {
  std::string text;
  for (std::size_t i = 0; i < sagas.size() && i < kSagasNamed; ++i)
    text += "\n  " + sagas[i]->id() + "  " + state_text(*sagas[i]) + "  " +
            safe_line(sagas[i]->saga.name, 60);
  if (sagas.size() > kSagasNamed)
    text += "\n  and " + std::to_string(sagas.size() - kSagasNamed) + " more";
  return text;
}

Result<SagaId> the_one_of(journal::Reader& reader, const journal::RunInfo& run) {
  PERDURE_TRY(const std::vector<SagaFacts> sagas, sagas_of(reader, run));
  std::vector<const SagaFacts*> all;
  std::vector<const SagaFacts*> unfinished;
  for (const SagaFacts& saga : sagas) {
    all.push_back(&saga);
    if (!saga.is_over()) unfinished.push_back(&saga);
  }
  const std::vector<const SagaFacts*>& meant = unfinished.empty() ? all : unfinished;
  if (meant.size() == 1) return SagaId{run.id, meant.front()->saga.number};
  const std::string named = "run " + to_string(run.id);
  if (meant.empty())
    return Error{Code::not_found,
                 named + " has no saga in the journal; `perdure sagas` lists what there is"};
  return Error{Code::not_found, named + " has " + std::to_string(meant.size()) + " sagas" +
                                    (unfinished.empty() ? "" : " that are not over") +
                                    "; say which:" + candidates_text(meant)};
}

/// `RUN.N`, in two; empty: it is something else.
std::optional<std::pair<std::string_view, std::string_view>> parts_of(std::string_view text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || text.find('/') != std::string_view::npos)
    return std::nullopt;
  return std::pair{text.substr(0, dot), text.substr(dot + 1)};
}

Result<SagaId> by_number(journal::Reader& reader, std::string_view run_text,
                         std::string_view number_text) {
  std::uint32_t number = 0;
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): its end goes with it
  const char* const begin = number_text.data();
  const char* const end = begin + number_text.size();
  const auto [stopped, failed] = std::from_chars(begin, end, number);
  if (failed != std::errc{} || stopped != end || number == 0 || number == journal::kAllSagas)
    return Error{Code::misuse, "'" + safe_line(number_text, 40) +
                                   "' is no number of a saga: write RUN.N, as `perdure sagas` "
                                   "lists them"};
  PERDURE_TRY(const journal::RunInfo run, find_run(reader, run_text));
  PERDURE_TRY(const auto saga, reader.saga(run.id, number));
  if (!saga)
    return Error{Code::not_found,
                 "the journal has no saga " + journal::saga_id(run.id, number) +
                     "; `perdure sagas --all` lists what there is. A saga is recorded with its "
                     "first action that has to be undone"};
  return SagaId{run.id, number};
}

}  // namespace

Result<SagaId> find_saga(journal::Reader& reader, std::string_view text) {
  if (const auto parts = parts_of(text)) return by_number(reader, parts->first, parts->second);
  PERDURE_TRY(const journal::RunInfo run, find_unfinished_run(reader, text));
  return the_one_of(reader, run);
}

Result<SagaId> find_sagas(journal::Reader& reader, std::string_view text) {
  if (const auto parts = parts_of(text)) return by_number(reader, parts->first, parts->second);
  PERDURE_TRY(const journal::RunInfo run, find_unfinished_run(reader, text));
  return SagaId{run.id, journal::kAllSagas};
}

}  // namespace perdure::cli
