// What the journal knows of sessions beside their runs.

#include "journal/reader.hpp"
#include "journal/row_scan.hpp"

namespace perdure::journal {
namespace {

Key named(Key key, std::string_view name) {
  const core::Hash128 hash = core::hash128(core::as_bytes(name));
  return key.add(hash.high).add(hash.low);
}

}  // namespace

Key due_row(Stamp at, const RunId& run, DueRow::What what) noexcept {
  return Key{}.add(static_cast<std::uint64_t>(at)).add(run).add(static_cast<std::uint64_t>(what));
}

Key due_row(const Due& due) noexcept {
  const bool is_of_a_step = due.what == DueRow::What::retry || due.what == DueRow::What::wait ||
                            due.what == DueRow::What::saga;
  return is_of_a_step ? due_row(due.at, due.run, StepPath(due.path))
                      : due_row(due.at, due.run, due.what);
}

Key state_row(const SessionId& session, std::string_view name) noexcept {
  return named(Key{}.add(session), name);
}

Key before_row(const RunId& run, std::string_view name) noexcept {
  return named(Key{}.add(run), name);
}

Result<std::vector<Wait>> Reader::waits(const RunId& run) {
  std::vector<Wait> all;
  const RowRange range{Key{}.add(run), Key{}.add(run), kIdBytes + 8};
  PERDURE_TRY(
      each_row<WaitRow>(*snapshot_, Table::waits, range,
                        [&](core::ByteView, const WaitRow& row, RecordNumber) -> Result<bool> {
                          all.push_back({row.step_kind,
                                         {row.path.begin(), row.path.end()},
                                         std::string(row.name),
                                         row.begun,
                                         row.due,
                                         row.by_wall_clock != 0,
                                         row.session,
                                         row.run});
                          return true;
                        }));
  return all;
}

ChildRow view_of(const Child& child) {
  ChildRow row{child.path,
               child.session,
               child.agent,
               child.session_key,
               child.run,
               child.parent_end,
               static_cast<std::uint8_t>(child.ended ? 1 : 0),
               std::nullopt};
  if (child.error) row.error = view_of(*child.error);
  return row;
}

Result<std::vector<Child>> Reader::children(const RunId& run) {
  std::vector<Child> all;
  const RowRange range{Key{}.add(run), Key{}.add(run), kIdBytes + 8};
  PERDURE_TRY(
      each_row<ChildRow>(*snapshot_, Table::children, range,
                         [&](core::ByteView, const ChildRow& row, RecordNumber) -> Result<bool> {
                           Child child{{row.path.begin(), row.path.end()},
                                       row.session,
                                       std::string(row.agent),
                                       std::string(row.session_key),
                                       row.run,
                                       row.parent_end,
                                       row.ended != 0,
                                       std::nullopt};
                           if (row.error) child.error = to_error(*row.error);
                           all.push_back(std::move(child));
                           return true;
                         }));
  return all;
}

Result<std::optional<StoredBudget>> Reader::budget(const RunId& run) {
  PERDURE_TRY(const auto found,
              read_row<BudgetRow>(*snapshot_, buffer_, Table::budgets, budget_row(run)));
  if (!found) return std::nullopt;
  return owned(*found);
}

Result<std::optional<Usage>> Reader::usage(const RunId& payer, const RunId& run) {
  PERDURE_TRY(const auto found,
              read_row<UsageRow>(*snapshot_, buffer_, Table::usage, usage_row(payer, run)));
  if (!found) return std::nullopt;
  return Usage{run, found->used, found->reserved, found->assumed};
}

Result<Usage> Reader::usage_of_all(const RunId& payer) {
  Usage all{payer, {}, {}, {}};
  const RowRange range{budget_row(payer), budget_row(payer), 2 * kIdBytes};
  PERDURE_TRY(
      each_row<UsageRow>(*snapshot_, Table::usage, range,
                         [&](core::ByteView, const UsageRow& row, RecordNumber) -> Result<bool> {
                           all.used = all.used + row.used;
                           all.reserved = all.reserved + row.reserved;
                           all.assumed = all.assumed + row.assumed;
                           return true;
                         }));
  return all;
}

Result<BudgetInfo> Reader::budget_info(const RunId& run) {
  BudgetInfo info{std::nullopt, {run, {}, {}, {}}, {}};
  PERDURE_TRY(RecordStream stream, records(run));
  PERDURE_TRY(const RecordBuffer* const first, stream.next());
  if (first != nullptr) {
    PERDURE_TRY(const RunCreated created, first->as<RunCreated>());
    info.payers = payers_of(created.payers);
  }
  PERDURE_TRY(info.own, budget(run));
  if (info.own) {
    PERDURE_TRY(info.usage, usage_of_all(run));
    return info;
  }
  PERDURE_TRY(std::optional<Usage> own,
              usage(info.payers.empty() ? run : info.payers.front(), run));
  if (own) info.usage = *std::move(own);
  return info;
}

Result<bool> Reader::is_due(const Key& key) {
  PERDURE_TRY(const auto found, snapshot_->get(Table::due, key));
  return found.has_value();
}

Result<bool> Reader::has_session(const SessionId& session) {
  PERDURE_TRY(const auto found, snapshot_->get(Table::sessions, Key{}.add(session)));
  return found.has_value();
}

Result<std::optional<Reader::SessionInfo>> Reader::session(const SessionId& session) {
  PERDURE_TRY(const auto found,
              read_row<SessionRow>(*snapshot_, buffer_, Table::sessions, Key{}.add(session)));
  if (!found) return std::nullopt;
  return SessionInfo{std::string(found->agent), std::string(found->key), found->created};
}

Result<std::optional<RunId>> Reader::open_run(const SessionId& session) {
  PERDURE_TRY(const auto found,
              read_row<OpenRow>(*snapshot_, buffer_, Table::open, Key{}.add(session)));
  if (!found) return std::nullopt;
  return found->run;
}

Result<std::vector<Arrival>> Reader::arrivals(Table table, const SessionId& session,
                                              RecordNumber from) {
  std::vector<Arrival> all;
  const RowRange range{Key{}.add(session).add(from), Key{}.add(session), kIdBytes + 8};
  PERDURE_TRY(each_row<ArrivalRow>(
      *snapshot_, table, range,
      [&](core::ByteView key, const ArrivalRow& row, RecordNumber) -> Result<bool> {
        all.push_back(owned(row, number_at(key, kIdBytes, 8)));
        return true;
      }));
  return all;
}

Result<void> Reader::each_arrival(
    Table table, const SessionId& session,
    const std::function<bool(const ArrivalRow&, RecordNumber)>& each) {
  const RowRange range{Key{}.add(session), Key{}.add(session), kIdBytes + 8};
  return each_row<ArrivalRow>(
      *snapshot_, table, range,
      [&](core::ByteView key, const ArrivalRow& row, RecordNumber) -> Result<bool> {
        return each(row, number_at(key, kIdBytes, 8));
      });
}

Result<std::optional<Arrival>> Reader::arrival(Table table, const SessionId& session,
                                               RecordNumber number) {
  PERDURE_TRY(const auto found,
              read_row<ArrivalRow>(*snapshot_, buffer_, table, Key{}.add(session).add(number)));
  if (!found) return std::nullopt;
  return owned(*found, number);
}

Result<void> Reader::each_unread(
    const std::function<bool(const SessionId&, const Arrival&)>& each) {
  return each_row<ArrivalRow>(
      *snapshot_, Table::inbox, {{}, {}, kIdBytes + 8},
      [&](core::ByteView key, const ArrivalRow& row, RecordNumber) -> Result<bool> {
        return each(id_at<SessionId>(key, 0), owned(row, number_at(key, kIdBytes, 8)));
      });
}

Result<std::optional<core::Bytes>> Reader::state(const SessionId& session, std::string_view name) {
  PERDURE_TRY(const auto found,
              read_row<StateRow>(*snapshot_, buffer_, Table::state, state_row(session, name)));
  if (!found) return std::nullopt;
  PERDURE_TRY(core::Bytes value, copy_of(found->payload));
  return value;
}

Result<void> Reader::each_state(const SessionId& session,
                                const std::function<bool(const StateRow&)>& each) {
  const RowRange range{Key{}.add(session), Key{}.add(session), 2 * kIdBytes};
  return each_row<StateRow>(
      *snapshot_, Table::state, range,
      [&](core::ByteView, const StateRow& row, RecordNumber) -> Result<bool> { return each(row); });
}

Result<std::vector<StateValue>> Reader::before(const RunId& run) {
  std::vector<StateValue> all;
  const RowRange range{Key{}.add(run), Key{}.add(run), 2 * kIdBytes};
  PERDURE_TRY(
      each_row<StateRow>(*snapshot_, Table::before, range,
                         [&](core::ByteView, const StateRow& row, RecordNumber) -> Result<bool> {
                           StateValue value{std::string(row.name), std::nullopt};
                           if (row.absent == 0) value.payload.emplace(row.payload);
                           all.push_back(std::move(value));
                           return true;
                         }));
  return all;
}

}  // namespace perdure::journal
