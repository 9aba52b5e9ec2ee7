#include "journal/memory_store.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace perdure::journal {

class MemoryStore::CursorOf final : public Cursor {
 public:
  CursorOf(MemoryStore& store, Rows& rows, Version version, Key from, Key prefix)
      : store_(store), rows_(rows), version_(version), from_(from), prefix_(prefix) {}

  Result<bool> next() override {
    // Rows come and go beside this cursor, so it remembers a key, not a place.
    const std::shared_lock lock(store_.mutex_);
    for (auto row = begun_ ? rows_.upper_bound(from_) : rows_.lower_bound(from_);
         row != rows_.end(); ++row) {
      const core::ByteView key = row->first.view();
      const core::ByteView prefix = prefix_.view();
      if (key.size() < prefix.size() || !std::ranges::equal(key.first(prefix.size()), prefix))
        break;
      const core::Bytes* value = value_at(row->second, version_);
      if (value == nullptr) continue;
      from_ = row->first;
      begun_ = true;
      value_ = *value;
      return true;
    }
    value_ = {};
    return false;
  }
  core::ByteView key() const override { return from_.view(); }
  core::ByteView value() const override { return value_; }

 private:
  MemoryStore& store_;
  Rows& rows_;
  const Version version_;
  Key from_;
  const Key prefix_;
  bool begun_ = false;
  core::ByteView value_;
};

class MemoryStore::SnapshotOf final : public Snapshot {
 public:
  SnapshotOf(MemoryStore& store, Version version) : store_(store), version_(version) {}
  SnapshotOf(const SnapshotOf&) = delete;
  SnapshotOf& operator=(const SnapshotOf&) = delete;
  ~SnapshotOf() override { store_.close(version_); }

  Result<std::optional<core::ByteView>> get(Table table, const Key& key) override {
    const std::shared_lock lock(store_.mutex_);
    Rows& rows = store_.rows(table);
    const auto row = rows.find(key);
    if (row == rows.end()) return std::nullopt;
    const core::Bytes* value = value_at(row->second, version_);
    if (value == nullptr) return std::nullopt;
    return core::ByteView(*value);
  }
  Result<std::unique_ptr<Cursor>> scan(Table table, const Key& from, const Key& prefix) override {
    return std::make_unique<CursorOf>(store_, store_.rows(table), version_, std::max(from, prefix),
                                      prefix);
  }

 private:
  MemoryStore& store_;
  const Version version_;
};

MemoryStore::MemoryStore() : tables_(kTableCount) {}

MemoryStore::~MemoryStore() {
  PERDURE_ASSERT(open_.empty(), "snapshots are closed before their store");
}

MemoryStore::Rows& MemoryStore::rows(Table table) {
  const auto index = static_cast<std::size_t>(table) - 1;
  PERDURE_ASSERT(index < kTableCount, "there is such a table");
  return tables_[index];
}

const core::Bytes* MemoryStore::value_at(const Row& row, Version version) noexcept {
  for (auto state = row.rbegin(); state != row.rend(); ++state)
    if (state->since <= version) return state->value.get();
  return nullptr;
}

Result<void> MemoryStore::commit(std::span<const Mutation> batch, Durability durability) {
  {
    std::unique_lock hold(hold_mutex_);
    ++held_;
    hold_changed_.notify_all();
    hold_changed_.wait(hold, [&] { return !hold_; });
    --held_;
  }
  const auto before = [](const Mutation& a, const Mutation& b) {
    return a.table != b.table ? a.table < b.table : a.key < b.key;
  };
  for (std::size_t i = 1; i < batch.size(); ++i)
    PERDURE_ASSERT(before(batch[i - 1], batch[i]), "a batch is sorted, one mutation a row");

  const std::unique_lock lock(mutex_);
  const std::optional<MemoryFault> fault = fault_now();
  if (fault == MemoryFault::disk_full)
    return Error{Code::storage_full, "the memory store's disk is full, as ordered"};
  if (failed_ || fault == MemoryFault::write_failed) {
    failed_ = true;
    return Error{Code::storage_failed, "the memory store's disk failed a write, as ordered"};
  }
  apply(batch);
  if (fault == MemoryFault::sync_failed) {
    failed_ = true;
    return Error{Code::storage_failed, "the memory store's disk failed a sync, as ordered"};
  }
  ++figures_.commits;
  figures_.mutations += batch.size();
  if (durability == Durability::full) {
    synced_ = version_;
    ++figures_.syncs;
  }
  forget_stale();
  return success();
}

std::optional<MemoryFault> MemoryStore::fault_now() {
  ++attempts_;
  if (disk_is_full_) return MemoryFault::disk_full;
  for (const Order& order : orders_)
    if (order.first <= attempts_ && attempts_ <= order.last) return order.fault;
  return std::nullopt;
}

void MemoryStore::apply(std::span<const Mutation> batch) {
  ++version_;
  for (const Mutation& mutation : batch) {
    Rows& table = rows(mutation.table);
    std::shared_ptr<const core::Bytes> value;
    if (mutation.kind == Mutation::Kind::put)
      value = std::make_shared<core::Bytes>(mutation.value.begin(), mutation.value.end());
    else if (!table.contains(mutation.key))
      continue;
    Row& row = table[mutation.key];
    const bool leaves_one_to_forget = !row.empty() || value == nullptr;
    row.push_back({version_, std::move(value)});
    if (leaves_one_to_forget)
      stale_.push_back({version_, static_cast<std::size_t>(mutation.table) - 1, mutation.key});
  }
}

/// Forgets what neither a snapshot nor a power loss can bring back.
void MemoryStore::forget_stale() {
  const Version oldest = open_.empty() ? synced_ : std::min(synced_, *open_.begin());
  while (!stale_.empty() && stale_.front().since <= oldest) {
    Rows& table = tables_[stale_.front().table];
    const auto row = table.find(stale_.front().key);
    if (row != table.end()) prune(table, row, oldest);
    stale_.pop_front();
  }
}

void MemoryStore::prune(Rows& rows, Rows::iterator row, Version oldest) {
  Row& states = row->second;
  const auto later = std::ranges::find_if(states, [&](const State& s) { return s.since > oldest; });
  if (later == states.begin()) return;
  auto keep = std::prev(later);  // What the oldest reader sees.
  if (keep->value == nullptr) ++keep;
  states.erase(states.begin(), keep);
  if (states.empty()) rows.erase(row);
}

Result<std::unique_ptr<Snapshot>> MemoryStore::snapshot() {
  const std::unique_lock lock(mutex_);
  open_.insert(version_);
  return std::make_unique<SnapshotOf>(*this, version_);
}

void MemoryStore::close(Version version) {
  const std::unique_lock lock(mutex_);
  open_.erase(open_.find(version));
  forget_stale();
}

void MemoryStore::order_fault(MemoryFault fault, std::uint64_t first, std::uint64_t count) {
  const std::unique_lock lock(mutex_);
  orders_.push_back({fault, attempts_ + first, attempts_ + first + count - 1});
}

void MemoryStore::fill_disk() {
  const std::unique_lock lock(mutex_);
  disk_is_full_ = true;
}

void MemoryStore::free_room() {
  const std::unique_lock lock(mutex_);
  disk_is_full_ = false;
}

void MemoryStore::power_loss() {
  const std::unique_lock lock(mutex_);
  PERDURE_ASSERT(open_.empty(), "no snapshot is open when the power goes");
  for (Rows& table : tables_)
    for (auto row = table.begin(); row != table.end();) {
      Row& states = row->second;
      std::erase_if(states, [&](const State& state) { return state.since > synced_; });
      row = states.empty() ? table.erase(row) : std::next(row);
    }
  std::erase_if(stale_, [&](const Stale& stale) { return stale.since > synced_; });
  version_ = synced_;
}

void MemoryStore::restart() {
  const std::unique_lock lock(mutex_);
  failed_ = false;
}

void MemoryStore::hold_commits() {
  const std::lock_guard lock(hold_mutex_);
  hold_ = true;
}

void MemoryStore::release_commits() {
  const std::lock_guard lock(hold_mutex_);
  hold_ = false;
  hold_changed_.notify_all();
}

void MemoryStore::wait_for_held_commit() {
  std::unique_lock lock(hold_mutex_);
  PERDURE_ASSERT(hold_, "commits are being held");
  hold_changed_.wait(lock, [&] { return held_ > 0; });
}

MemoryStore::Figures MemoryStore::figures() const {
  const std::shared_lock lock(mutex_);
  return figures_;
}

std::size_t MemoryStore::versions() const {
  const std::shared_lock lock(mutex_);
  std::size_t count = 0;
  for (const Rows& table : tables_)
    for (const auto& row : table) count += row.second.size();
  return count;
}

}  // namespace perdure::journal
