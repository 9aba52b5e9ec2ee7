/// The testing kit's notes: bodies as they run, replaced or not, and what the runtime says.
#include "actors/testing_core.hpp"

#include "journal/reader.hpp"

#include <algorithm>

namespace perdure::actors {

void TestingEngine::replace(const std::string& step_name, std::shared_ptr<detail::BodyLeaf> body) {
  if (body) {
    replaced_[step_name] = std::move(body);
  } else {
    replaced_.erase(step_name);
  }
}

void TestingEngine::replace(detail::ToolEntry tool) {
  if (tool.run) {
    std::string name = tool.name;
    replaced_tools_[name] = std::make_shared<const detail::ToolEntry>(std::move(tool));
  } else {
    replaced_tools_.erase(tool.name);
  }
}

std::size_t TestingEngine::note_begin(const Step& step, Effect effect) {
  const std::size_t index = steps_.size();
  steps_.push_back({step.name(),
                    step.id(),
                    step.attempt(),
                    session_of(step.run_id()),
                    step.run_id(),
                    effect,
                    testing::StepOutcome::running,
                    {},
                    clock_->wall(),
                    life_});
  if (is_recorded(step.run_id(), step.id())) repeated_.insert(index);
  running_.push_back(index);
  return index;
}

detail::BodyResult TestingEngine::run(const BodyOrder& order, Step& step) noexcept {
  (void)note_begin(step, order.leaf->options().effect);
  const detail::BodyResult result = run_body_of(order, step);
  running_.pop_back();
  return result;
}

detail::BodyResult TestingEngine::run_body_of(const BodyOrder& order, Step& step) {
  const auto found = replaced_.find(step.name());
  if (found == replaced_.end()) return order.leaf->run(step);
  // It may replace or restore itself while it runs.
  const std::shared_ptr<detail::BodyLeaf> body = found->second;
  if (body->type() != order.leaf->type())
    return Error{Code::misuse, "the replacement of step '" + step.name() + "' gives " +
                                   std::string(body->type()) + ", the step " +
                                   std::string(order.leaf->type()) + ": return the same type"};
  return body->run(step);
}

std::shared_ptr<const detail::ToolEntry> TestingEngine::begin_tool(const BodyOrder& order,
                                                                   const Step& step) noexcept {
  ++tools_open_;
  if (order.tool->what == ToolOrder::What::find) {
    running_.push_back(steps_.size());
    return nullptr;
  }
  (void)note_begin(step, order.tool->policy.effect);
  const auto found = replaced_tools_.find(order.tool->entry->name);
  return found == replaced_tools_.end() ? nullptr : found->second;
}

void TestingEngine::tool_returned() noexcept { running_.pop_back(); }

void TestingEngine::ended(const BodyCompletion& completion) noexcept {
  const BodyAddress& address = completion.address;
  const std::string id = address.path.to_string();
  // The newest that is addressed so.
  const auto found =
      std::ranges::find_if(steps_.rbegin(), steps_.rend(), [&](const testing::StepRun& step) {
        return step.run == address.run && step.id == id &&
               step.attempt == static_cast<int>(address.attempt) && step.life == life_;
      });
  if (completion.tool) --tools_open_;
  if (completion.asked || found == steps_.rend()) return;
  if (completion.result.has_error()) {
    found->outcome = testing::StepOutcome::failed;
    found->error = completion.result.assume_error();
  } else {
    found->outcome = testing::StepOutcome::value;
  }
}

std::string TestingEngine::session_of(const RunId& run) {
  std::string& session = sessions_[run];
  if (!session.empty()) return session;
  Result<journal::Reader> reader = journal::Reader::open(store_);
  if (reader.has_error()) return session;
  const Result<std::optional<journal::RunInfo>> info = reader.assume_value().run(run);
  if (info.has_value() && info.assume_value())
    session = info.assume_value()->agent + "/" + info.assume_value()->session_key;
  return session;
}

/// Whether the journal holds the step's result. Each record is read once.
bool TestingEngine::is_recorded(const RunId& run, const std::string& step) {
  Recorded& known = recorded_[run];
  const auto read_on = [&]() -> Result<void> {
    PERDURE_TRY(journal::Reader reader, journal::Reader::open(store_));
    PERDURE_TRY(journal::RecordStream stream, reader.records(run, known.next));
    for (;;) {
      PERDURE_TRY(const journal::RecordBuffer* record, stream.next());
      if (record == nullptr) return success();
      known.next = stream.index() + 1;
      if (record->kind() != journal::Kind::step_result) continue;
      PERDURE_TRY(const journal::StepResult result, record->as<journal::StepResult>());
      known.steps.insert(journal::StepPath(result.path).to_string());
    }
  };
  // A journal that can't be read is reported by whoever needs it.
  (void)read_on();
  return known.steps.contains(step);
}

void TestingEngine::take_note(const LogRecord& record) {
  if (store_.dead()) return;
  log_.push_back({record.level, std::string(record.event), std::string(record.message), record.run,
                  std::string(record.session), std::string(record.step)});
}

}  // namespace perdure::actors
