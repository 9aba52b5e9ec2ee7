/// One run, driven by hand: no threads, no clock, no actors.
///
/// What this is: a run core on a memory store. The test says which body returns next; everything
/// the run wants written is committed at once, and a crash leaves exactly what was committed.
/// What it does not: wait, or run bodies side by side.
#pragma once

#include "actors/run_core.hpp"
#include "tests/actors/bare_host.hpp"

#include "journal/batch.hpp"
#include "journal/memory_store.hpp"
#include "tests/actors/engine_fixture.hpp"
#include "tests/support/sanitized.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace perdure::test {

class RunDriver {
 public:
  /// What a record says of a step.
  struct Delivery {
    std::string path;
    std::string name;
    std::optional<pd::Error> error;
    core::Bytes payload;
  };

  RunDriver(const pd::detail::AgentEntry& agent, int input) : agent_(agent) {
    run_.emplace(facts(input), host_, clock_, random_);
    input_ = input;
    journal::Change change;
    run_->record_creation(change);
    run_->begin(&agent_.handlers.at(0), std::move(change));
    commit();
  }
  ~RunDriver() { drop(); }
  RunDriver(const RunDriver&) = delete;
  RunDriver& operator=(const RunDriver&) = delete;

  /// The process dies, and the next one goes on from what was committed.
  void crash_and_resume(actors::LastEnd last_end) {
    drop();
    for (const Delivery& each : deliveries()) recorded_.insert(each.path);
    run_.emplace(facts(input_), host_, clock_, random_);
    journal::Reader reader = journal::Reader::open(*store_).value();
    run_->resume(&agent_.handlers.at(0), reader, {last_end});
    commit();
  }

  /// Bodies that run, in the order in which they were begun.
  [[nodiscard]] const std::vector<actors::BodyOrder>& bodies() const { return bodies_; }
  [[nodiscard]] bool over() const { return ended_.has_value() || parked_.has_value(); }
  [[nodiscard]] const std::optional<pd::Error>& parked() const { return parked_; }
  /// Commits so far; each is a place to crash behind.
  [[nodiscard]] std::size_t commits() const { return commits_; }
  /// Bodies that were begun although their result was recorded.
  [[nodiscard]] const Lines& repeated() const { return repeated_; }

  /// The body at `which` runs and returns.
  void complete(std::size_t which) {
    const actors::BodyOrder order = take(which);
    pd::Step step({order.address.run, order.address.path.to_string(), &order.leaf->name().text,
                   order.address.attempt, std::nullopt, order.stop.get_token()});
    return_with(order, order.leaf->run(step));
  }
  /// The same with an outcome of the test's.
  void complete(std::size_t which, pd::detail::BodyResult result) {
    return_with(take(which), std::move(result));
  }

  [[nodiscard]] std::vector<Delivery> deliveries() const {
    std::vector<Delivery> found;
    journal::Reader reader = journal::Reader::open(*store_).value();
    journal::RecordStream stream = reader.records(RunId{}).value();
    while (const journal::RecordBuffer* record = stream.next().value()) {
      if (record->kind() != journal::Kind::step_result) continue;
      const auto result = record->as<journal::StepResult>().value();
      Delivery& each = found.emplace_back();
      each.path = journal::StepPath(result.path).to_string();
      each.name = result.name;
      if (result.error) {
        each.error = journal::to_error(*result.error);
      } else {
        each.payload = reader.copy_of(result.payload).value();
      }
    }
    return found;
  }
  /// The run's recorded reply.
  template <class T>
  [[nodiscard]] pd::Result<T> reply() const {
    journal::Reader reader = journal::Reader::open(*store_).value();
    journal::RecordStream stream = reader.records(RunId{}).value();
    while (const journal::RecordBuffer* record = stream.next().value()) {
      if (record->kind() != journal::Kind::run_ended) continue;
      const auto ended = record->as<journal::RunEnded>().value();
      if (ended.error) return journal::to_error(*ended.error);
      return pd::decode<T>(reader.copy_of(ended.payload).value());
    }
    return pd::Error{pd::Code::not_found, "the run has not ended"};
  }

 private:
  actors::RunFacts facts(int input) const {
    actors::RunFacts facts;
    facts.agent = agent_.name;
    facts.handler = agent_.handlers.at(0).name;
    facts.session_key = "s";
    facts.message_key = "start";
    facts.input = pd::encode(input).value();
    facts.seed = 11;
    return facts;
  }
  actors::BodyOrder take(std::size_t which) {
    actors::BodyOrder order = std::move(bodies_.at(which));
    bodies_.erase(bodies_.begin() + static_cast<std::ptrdiff_t>(which));
    return order;
  }
  void return_with(const actors::BodyOrder& order, pd::detail::BodyResult result) {
    actors::BodyCompletion completion;
    completion.address = order.address;
    completion.result = std::move(result);
    run_->complete(std::move(completion));
    commit();
  }
  void commit() {
    actors::RunEffects effects = run_->take_effects();
    if (effects.ended) ended_ = effects.ended;
    if (effects.parked) parked_ = effects.parked;
    if (!effects.change.empty()) {
      std::vector<journal::NumberedChange> numbered(1);
      number_ += journal::Batch::numbers(effects.change);
      numbered[0].last = number_;
      numbered[0].change = std::move(effects.change);
      journal::Batch batch;
      store_->commit(batch.build(numbered), journal::Durability::full).value();
      ++commits_;
    }
    for (actors::BodyOrder& order : effects.bodies) {
      const std::string path = order.address.path.to_string();
      if (recorded_.contains(path)) repeated_.push_back(path);
      bodies_.push_back(std::move(order));
    }
  }
  /// Nothing of what the bodies return is written.
  void drop() {
    run_->abandon();
    while (!bodies_.empty()) {
      actors::BodyCompletion completion;
      completion.address = take(0).address;
      run_->complete(std::move(completion));
      (void)run_->take_effects();
    }
    run_.reset();
  }

  const pd::detail::AgentEntry& agent_;
  std::shared_ptr<journal::MemoryStore> store_ = std::make_shared<journal::MemoryStore>();
  BareHost host_{*store_};
  core::ManualClock clock_;
  core::SeededRandom random_{7};
  std::optional<actors::RunCore> run_;
  int input_ = 0;
  std::vector<actors::BodyOrder> bodies_;
  std::set<std::string> recorded_;
  Lines repeated_;
  std::optional<journal::RunStatus> ended_;
  std::optional<pd::Error> parked_;
  journal::RecordNumber number_ = 0;
  std::size_t commits_ = 0;
};

}  // namespace perdure::test
