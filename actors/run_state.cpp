#include "actors/run_state.hpp"

namespace perdure::actors {
namespace {

const core::Bytes* pointer_to(const std::optional<core::Bytes>& value) noexcept {
  return value ? &*value : nullptr;
}

}  // namespace

Result<const core::Bytes*> StateCells::read(std::string_view name) {
  auto found = known_.find(name);
  if (found == known_.end()) {
    PERDURE_TRY(journal::Reader reader, journal::Reader::open(store_));
    PERDURE_TRY(std::optional<core::Bytes> value, reader.state(session_, name));
    found = known_.emplace(name, std::move(value)).first;
  }
  return pointer_to(found->second);
}

void StateCells::write(std::string_view name, std::optional<core::Bytes> value) {
  const auto found = known_.find(name);
  if (found == known_.end()) {
    known_.emplace(name, std::move(value));
  } else {
    found->second = std::move(value);
  }
}

Result<void> StateCells::bring(journal::Payload& payload) const {
  if (payload.is_at_hand()) return success();
  PERDURE_TRY(payload.bytes, journal::read_blob(store_.blobs(), *payload.blob));
  return success();
}

void RunState::load_before(std::vector<journal::StateValue> before) {
  for (journal::StateValue& each : before)
    before_.emplace(std::move(each.name), std::move(each.payload));
}

Result<const core::Bytes*> RunState::read(std::string_view name, StateCells& cells) {
  if (const auto own = written_.find(name); own != written_.end())
    return pointer_to(own->second.value);
  if (const auto found = before_.find(name); found != before_.end()) {
    if (!found->second) return nullptr;
    PERDURE_TRY(cells.bring(*found->second));
    return &found->second->bytes;
  }
  return cells.read(name);
}

void RunState::write(std::string_view name, std::string_view type,
                     std::optional<core::Bytes> value) {
  Cell& cell = written_[std::string(name)];
  cell.type = type;
  cell.value = std::move(value);
  dirty_.emplace(name);
}

Result<void> RunState::end_replay(StateCells& cells) {
  dirty_.clear();
  for (const auto& [name, cell] : written_) {
    PERDURE_TRY(const core::Bytes* committed, cells.read(name));
    const core::Bytes* const own = pointer_to(cell.value);
    if ((own == nullptr) != (committed == nullptr) || (own != nullptr && *own != *committed))
      dirty_.insert(name);
  }
  return success();
}

Result<void> RunState::flush(const RunId& run, StateCells& cells, journal::Change& change) {
  for (const std::string& name : dirty_) {
    const Cell& cell = written_.find(name)->second;
    if (!before_.contains(name)) {
      PERDURE_TRY(const core::Bytes* found, cells.read(name));
      std::optional<core::Bytes> value;
      if (found != nullptr) value = *found;
      journal::StateRow row{name, cell.type, static_cast<std::uint8_t>(value ? 0 : 1), {}};
      if (value) row.payload = *value;
      change.put(journal::Table::before, journal::before_row(run, name), row);
      before_.emplace(name, std::move(value));
    }
    const journal::Key key = journal::state_row(cells.session(), name);
    if (cell.value) {
      change.put(journal::Table::state, key, journal::StateRow{name, cell.type, 0, *cell.value});
    } else {
      change.erase(journal::Table::state, key);
    }
    cells.write(name, cell.value);
  }
  dirty_.clear();
  return success();
}

}  // namespace perdure::actors
