#include "bench/unfinished_runs.hpp"

#include <perdure/perdure.hpp>

#include "core/ids.hpp"
#include "core/random.hpp"
#include "journal/change.hpp"
#include "journal/directory.hpp"
#include "journal/gate.hpp"
#include "journal/reader.hpp"
#include "journal/writer.hpp"

#include <algorithm>

namespace perdure::bench {
namespace {

using journal::Change;
using journal::Key;
using journal::Table;

/// Rows in one change, so that the longest run fits through the writer.
constexpr std::uint32_t kStepsInAChange = 10'000;
constexpr journal::Stamp kStamp = 2;

class Maker {
 public:
  Maker(journal::Writer& writer, const UnfinishedRuns& what)
      : writer_(writer), what_(what), input_(encode(what.message).value()) {}

  void create(const RunId& run, const std::string& key) {
    const journal::SessionId session = journal::session_hash(what_.agent, key);
    Change change;
    change.put(Table::sessions, Key{}.add(session), journal::SessionRow{what_.agent, key, 1});
    change.put(Table::keys, journal::message_key_row(session, "start"),
               journal::MessageKeyRow{"start", run});
    change.put(Table::runs, Key{}.add(run),
               journal::RunRow{session, what_.agent, 1, "run", key, 1});
    if (!what_.are_finished) change.put(Table::ready, Key{}.add(run), journal::ReadyRow{session});
    change.append(run, 0,
                  journal::RunCreated{what_.agent, 1, "run", key, "start",
                                      type_name<std::uint32_t>(), input_, 1, 1});
    put_head(change, run, 1);
    submit(std::move(change));
  }

  void add_steps(const RunId& run) {
    for (std::uint32_t first = 0; first < what_.steps; first += kStepsInAChange) {
      const std::uint32_t end = std::min(what_.steps, first + kStepsInAChange);
      Change change;
      for (std::uint32_t i = first; i < end; ++i) {
        const std::uint32_t path = i + 1;
        const Bytes payload = encode(static_cast<std::uint64_t>(i)).value();
        journal::StepResult result;
        result.path = {&path, 1};
        result.name = what_.step_name;
        result.type = type_name<std::uint64_t>();
        result.stamp = kStamp;
        result.payload = payload;
        change.append(run, i + 1, result);
      }
      put_head(change, run, end + 1);
      submit(std::move(change));
    }
  }

  void end(const RunId& run) {
    const Bytes payload = encode(std::uint64_t{0}).value();
    Change change;
    change.append(run, what_.steps + 1,
                  journal::RunEnded{kStamp, type_name<std::uint64_t>(), std::nullopt, payload});
    put_head(change, run, what_.steps + 2, journal::RunStatus::completed);
    submit(std::move(change));
  }

 private:
  static void put_head(Change& change, const RunId& run, std::uint32_t count,
                       journal::RunStatus status = journal::RunStatus::running) {
    change.put(Table::records, Key{}.add(run).add(journal::kHeadIndex),
               journal::HeadRow{count, status, kStamp, Code::user, {}});
  }
  void submit(Change&& change) {
    (void)writer_.submit(std::move(change), journal::Admission::under_way).value();
    if (++waiting_ % 2000 == 0) writer_.commit_here();
  }

  journal::Writer& writer_;
  const UnfinishedRuns& what_;
  Bytes input_;
  std::uint32_t waiting_ = 0;
};

}  // namespace

std::vector<RunId> write_unfinished_runs(const std::string& directory, const UnfinishedRuns& what) {
  core::SystemClock clock;
  core::SystemRandom random;
  auto journal = journal::JournalForWriting::open(directory, clock, random).value();
  journal::Gate gate;
  journal::Writer writer(journal->store(), gate, {.last_number = journal->last_number()});
  Maker maker(writer, what);
  std::vector<RunId> ids;
  for (std::uint32_t number = 0; number < what.runs; ++number) {
    ids.push_back(core::draw_run_id(clock, random));
    maker.create(ids.back(), std::string(what.agent) + "-" + std::to_string(number));
    maker.add_steps(ids.back());
    if (what.are_finished) maker.end(ids.back());
  }
  writer.stop().value();
  journal->close_cleanly(writer.last_number(), kStamp).value();
  return ids;
}

}  // namespace perdure::bench
