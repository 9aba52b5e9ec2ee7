// What the journal knows of sagas.

#include "journal/reader.hpp"
#include "journal/row_scan.hpp"

namespace perdure::journal {
namespace {

constexpr std::size_t kSagaKeyBytes = kIdBytes + 4;
constexpr std::size_t kUndoKeyBytes = kIdBytes + 8;

std::uint32_t word_at(core::ByteView key, std::size_t offset) {
  return static_cast<std::uint32_t>(number_at(key, offset, 4));
}

}  // namespace

Result<std::vector<StoredSaga>> Reader::sagas(const RunId& run) {
  std::vector<StoredSaga> all;
  const Key prefix = Key{}.add(run);
  PERDURE_TRY(
      each_row<SagaRow>(*snapshot_, Table::sagas, {prefix, prefix, kSagaKeyBytes},
                        [&](core::ByteView key, const SagaRow& row, RecordNumber) -> Result<bool> {
                          all.push_back(owned(run, word_at(key, kIdBytes), row));
                          return true;
                        }));
  return all;
}

Result<std::optional<StoredSaga>> Reader::saga(const RunId& run, std::uint32_t number) {
  PERDURE_TRY(const auto found,
              read_row<SagaRow>(*snapshot_, buffer_, Table::sagas, saga_row(run, number)));
  if (!found) return std::nullopt;
  return owned(run, number, *found);
}

Result<std::vector<StoredUndo>> Reader::undos(const RunId& run, std::uint32_t number) {
  std::vector<StoredUndo> all;
  const Key prefix = saga_row(run, number);
  PERDURE_TRY(auto cursor, snapshot_->scan(Table::undos, prefix, prefix));
  // All first rows stand before all second ones.
  std::size_t at = 0;
  for (;;) {
    PERDURE_TRY(const bool found, cursor->next());
    if (!found) return all;
    const core::ByteView key = cursor->key();
    const auto broken = [&](Error why) { return with_place(std::move(why), Table::undos, key); };
    if (key.size() != kUndoKeyBytes) return broken({Code::corrupt, "its key is no key of an undo"});
    if (const Result<void> loaded = buffer_.load(key, cursor->value()); loaded.has_error())
      return broken(loaded.error());
    const std::uint32_t index = word_at(key, kIdBytes + 4);
    if ((index & kUndoStateBit) == 0) {
      const Result<UndoRow> row = buffer_.as<UndoRow>();
      if (row.has_error()) return broken(row.error());
      all.push_back(owned(index, row.assume_value()));
      continue;
    }
    const Result<UndoStateRow> row = buffer_.as<UndoStateRow>();
    if (row.has_error()) return broken(row.error());
    while (at < all.size() && all[at].index < (index & ~kUndoStateBit)) ++at;
    if (at == all.size() || all[at].index != (index & ~kUndoStateBit))
      return broken({Code::corrupt, "it speaks of an action that is not there"});
    add_state(all[at], row.assume_value());
  }
}

Result<core::Bytes> Reader::undo_input(const RunId& run, std::uint32_t number,
                                       std::uint32_t index) {
  PERDURE_TRY(const auto found,
              read_row<UndoRow>(*snapshot_, buffer_, Table::undos, undo_row(run, number, index)));
  if (!found)
    return Error{Code::not_found, "action " + std::to_string(index) + " of saga " +
                                      saga_id(run, number) + " is not in the journal"};
  return copy_of(found->payload);
}

Result<void> Reader::each_saga(const std::function<bool(const StoredSaga&)>& each) {
  return each_row<SagaRow>(
      *snapshot_, Table::sagas, {{}, {}, kSagaKeyBytes},
      [&](core::ByteView key, const SagaRow& row, RecordNumber) -> Result<bool> {
        return each(owned(id_at<RunId>(key, 0), word_at(key, kIdBytes), row));
      });
}

}  // namespace perdure::journal
