/// Sagas as people and as programs read them.
///
/// What this is: a saga's row, and what is counted of its actions: how many have to be undone, and
/// how many of them are not.
/// What it does not: say what each action is (saga_show.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/json.hpp"
#include "cli/screen.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {

struct SagaFacts {
  journal::StoredSaga saga;
  /// Its run has ended, and nobody decided about it: a person has to.
  bool is_left_open = false;
  /// Of it and the sagas that are undone with it: actions that are, or would be, undone.
  std::uint32_t actions = 0;
  /// Those of them that are not undone, and that nobody has given up.
  std::uint32_t owed = 0;

  [[nodiscard]] bool is_over() const noexcept { return journal::is_over(saga.state); }
  [[nodiscard]] bool needs_a_person() const noexcept {
    return is_left_open || saga.state == journal::SagaState::stuck;
  }
  [[nodiscard]] std::string id() const { return journal::saga_id(saga.run, saga.number); }
};

[[nodiscard]] constexpr bool is_being_undone(journal::SagaState state) noexcept {
  return state == journal::SagaState::compensating || state == journal::SagaState::stuck;
}
/// Whether an action of `saga` is still to be undone: it may have happened, and the saga is being
/// undone, or is committed without it.
[[nodiscard]] bool is_owed(const journal::StoredSaga& saga,
                           const journal::StoredUndo& undo) noexcept;

/// `status`: of the saga's run. Errors: as Reader.
[[nodiscard]] Result<SagaFacts> facts_of(journal::Reader& reader, journal::StoredSaga saga,
                                         journal::RunStatus status);
/// The sagas of a run, by number. Errors: as above.
[[nodiscard]] Result<std::vector<SagaFacts>> sagas_of(journal::Reader& reader,
                                                      const journal::RunInfo& run);

/// `open`, `left open`, `stuck`.
[[nodiscard]] std::string state_text(const SagaFacts& facts);
[[nodiscard]] Ink ink_of(const SagaFacts& facts);
/// `2 of 5 to undo`; of one that is open `5 if aborted`. Empty: there is nothing to say.
[[nodiscard]] std::string owed_text(const SagaFacts& facts);
/// `by ann: the trip is off`. Not made safe.
[[nodiscard]] std::string decision_text(const std::string& who, const std::string& why);
/// Sets an id of a saga of `run`, or null for 0.
void set_saga(JsonObject& object, std::string name, const RunId& run, std::uint32_t number);
/// Without what it is of its run.
[[nodiscard]] JsonObject json_of(const SagaFacts& facts);
/// With its run's `agent`, `key` and `run_status`.
[[nodiscard]] JsonObject json_of(const SagaFacts& facts, const journal::RunInfo& run);

}  // namespace perdure::cli
