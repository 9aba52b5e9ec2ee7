#include "cli/sagas.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "cli/saga_facts.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "cli/values.hpp"

namespace perdure::cli {
namespace {

using journal::RunInfo;
using journal::SagaState;
using Which = SagasRequest::Which;

constexpr std::size_t kSagaNameColumns = 32;
constexpr std::size_t kSagaSessionColumns = 48;
constexpr std::size_t kSagaWhyColumns = 120;

/// How many there are of each sort, in the order of a saga's life.
class Tally {
 public:
  void add(const SagaFacts& facts) {
    ++total_;
    ++counts_[facts.is_left_open ? kLeftOpen : static_cast<std::size_t>(facts.saga.state)];
  }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
  [[nodiscard]] std::string text() const {
    std::string text = counted(total_, "saga") + ": ";
    const char* between = "";
    each([&](const std::string& name, std::uint64_t count) {
      if (count != 0) text += std::exchange(between, ", ") + count_text(count) + " " + name;
    });
    return text;
  }
  [[nodiscard]] JsonObject json() const {
    JsonObject object;
    each([&](const std::string& name, std::uint64_t count) {
      object.number(name == "left open" ? "left_open" : name, count);
    });
    return object;
  }

 private:
  template <class Each>
  void each(Each&& each) const {
    for (const SagaState state : {SagaState::open, SagaState::forward, SagaState::compensating,
                                  SagaState::stuck, SagaState::committed, SagaState::compensated}) {
      each(std::string(to_string(state)), counts_[static_cast<std::size_t>(state)]);
      if (state == SagaState::forward) each("left open", counts_[kLeftOpen]);
    }
  }
  static constexpr std::size_t kLeftOpen = 0;
  std::array<std::uint64_t, 7> counts_{};
  std::uint64_t total_ = 0;
};

bool is_wanted(Which which, const SagaFacts& facts) {
  switch (which) {
    case Which::unfinished: return !facts.is_over();
    case Which::all: return true;
    case Which::stuck: return facts.needs_a_person();
  }
  return true;
}

/// The run of a saga; those of one run stand together.
class RunOfSaga {
 public:
  explicit RunOfSaga(journal::Reader& reader) : reader_(reader) {}
  Result<const RunInfo*> get(const RunId& id) {
    if (!run_ || run_->id != id) {
      PERDURE_TRY(run_, reader_.run(id));
    }
    if (!run_)
      return Error{Code::corrupt,
                   "run " + to_string(id) + ", which has a saga, is missing: run `perdure verify`"};
    return &*run_;
  }

 private:
  journal::Reader& reader_;
  std::optional<RunInfo> run_;
};

/// Calls `each` for those that are wanted, while somebody reads.
Result<Tally> each_saga_wanted(journal::Reader& reader, const SagasRequest& request,
                               const Screen& screen,
                               const std::function<void(const SagaFacts&, const RunInfo&)>& each) {
  Tally tally;
  RunOfSaga runs(reader);
  const auto look = [&](const journal::StoredSaga& saga) -> Result<void> {
    if (request.which != Which::all && is_over(saga.state)) return success();
    PERDURE_TRY(const RunInfo* const run, runs.get(saga.run));
    PERDURE_TRY(const SagaFacts facts, facts_of(reader, saga, run->head.status));
    if (!is_wanted(request.which, facts)) return success();
    tally.add(facts);
    each(facts, *run);
    return success();
  };
  Result<void> looked = success();
  PERDURE_TRY(reader.each_saga([&](const journal::StoredSaga& saga) {
    looked = look(saga);
    return looked.has_value() && screen.open();
  }));
  PERDURE_TRY(std::move(looked));
  return tally;
}

std::string why_text(const SagaFacts& facts, const RunInfo& run, const Screen& screen) {
  const journal::StoredSaga& saga = facts.saga;
  if (facts.is_left_open) return "its run has ended: " + std::string(to_string(run.head.status));
  if (saga.paid_with != 0 && saga.paid_with != saga.number)
    return "is undone with " + journal::saga_id(saga.run, saga.paid_with);
  if (saga.state == SagaState::stuck) return first_line(saga.why, kSagaWhyColumns);
  if (saga.state == SagaState::compensating || saga.state == SagaState::compensated)
    return first_line(decision_text(saga.who, saga.why), kSagaWhyColumns);
  if (saga.state != SagaState::open || saga.deadline == 0) return "";
  return "is aborted at " + iso_time(saga.deadline, screen.zone) + " (" +
         relative(saga.deadline, screen.now) + ")";
}

const char* nothing_text(Which which) {
  switch (which) {
    case Which::unfinished: return "No saga is unfinished; --all shows those that are over.\n";
    case Which::all: return "The journal has no sagas.\n";
    case Which::stuck: return "No saga needs a person.\n";
  }
  return "";
}

Result<void> list_sagas_as_text(journal::Reader& reader, const SagasRequest& request,
                                const Screen& screen) {
  using Align = Column::Align;
  Table table(screen, {{"SAGA", Align::left},
                       {"NAME", Align::left},
                       {"STATE", Align::left},
                       {"SESSION", Align::left},
                       {"OWED", Align::left},
                       {"AGE", Align::right},
                       {"WHY", Align::left}});
  PERDURE_TRY(
      const Tally tally,
      each_saga_wanted(reader, request, screen, [&](const SagaFacts& facts, const RunInfo& run) {
        table.add({{facts.id()},
                   {safe_line(facts.saga.name, kSagaNameColumns)},
                   {state_text(facts), ink_of(facts)},
                   {safe_line(run.agent + "/" + run.session_key, kSagaSessionColumns)},
                   {owed_text(facts)},
                   {duration(screen.now - facts.saga.created)},
                   {why_text(facts, run, screen)}});
      }));
  table.finish();
  if (tally.total() == 0)
    screen.out << nothing_text(request.which);
  else
    screen.out << tally.text() << '\n';
  return success();
}

Result<void> list_sagas_as_json(journal::Reader& reader, const SagasRequest& request,
                                const Screen& screen) {
  const char* between = "\n";
  screen.out << "{\"sagas\":[";
  PERDURE_TRY(
      const Tally tally,
      each_saga_wanted(reader, request, screen, [&](const SagaFacts& facts, const RunInfo& run) {
        screen.out << std::exchange(between, ",\n") << json_of(facts, run).line();
      }));
  screen.out << "\n],\"shown\":" << tally.total() << ",\"states\":" << tally.json().line() << "}\n";
  return success();
}

}  // namespace

Result<void> list_sagas(journal::Reader& reader, const SagasRequest& request,
                        const Screen& screen) {
  return screen.format == Format::json ? list_sagas_as_json(reader, request, screen)
                                       : list_sagas_as_text(reader, request, screen);
}

}  // namespace perdure::cli
