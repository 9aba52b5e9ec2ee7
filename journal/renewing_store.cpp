#include "journal/renewing_store.hpp"

#include "core/assert.hpp"
#include "core/bytes.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace perdure::journal {

class RenewingStore::RenewedCursor final : public Cursor {
 public:
  RenewedCursor(RenewingStore& store, Table table, const Key& from, const Key& prefix)
      : store_(store), table_(table), next_(from), prefix_(prefix) {
    store_.cursors_.push_back(this);
  }
  ~RenewedCursor() override { std::erase(store_.cursors_, this); }
  RenewedCursor(const RenewedCursor&) = delete;
  RenewedCursor& operator=(const RenewedCursor&) = delete;

  Result<bool> next() override {
    PERDURE_TRY(Snapshot* const snapshot, store_.current());
    if (!inner_) {
      PERDURE_TRY(std::unique_ptr<Cursor> inner_scan, snapshot->scan(table_, next_, prefix_));
      inner_ = std::move(inner_scan);
    }
    PERDURE_TRY(const bool found, inner_->next());
    if (!found) return false;
    const core::ByteView key = inner_->key();
    const core::ByteView value = inner_->value();
    key_.assign(key.begin(), key.end());
    value_.assign(value.begin(), value.end());
    next_ = Key{}.add(key).add_zero_byte();
    return true;
  }
  [[nodiscard]] core::ByteView key() const override { return key_; }
  [[nodiscard]] core::ByteView value() const override { return value_; }

  void let_go() noexcept { inner_.reset(); }

 private:
  RenewingStore& store_;
  Table table_;
  Key next_;
  Key prefix_;
  std::unique_ptr<Cursor> inner_;
  core::Bytes key_;
  core::Bytes value_;
};

class RenewingStore::RenewedSnapshot final : public Snapshot {
 public:
  explicit RenewedSnapshot(RenewingStore& store) : store_(store) {}

  Result<std::optional<core::ByteView>> get(Table table, const Key& key) override {
    PERDURE_TRY(Snapshot* const snapshot, store_.current());
    PERDURE_TRY(const std::optional<core::ByteView> found, snapshot->get(table, key));
    if (!found) return std::optional<core::ByteView>{};
    value_.assign(found->begin(), found->end());
    return std::optional<core::ByteView>(value_);
  }
  Result<std::unique_ptr<Cursor>> scan(Table table, const Key& from, const Key& prefix) override {
    // Its first row says whether anything can be read.
    return std::unique_ptr<Cursor>(std::make_unique<RenewedCursor>(store_, table, from, prefix));
  }

 private:
  RenewingStore& store_;
  core::Bytes value_;
};

RenewingStore::~RenewingStore() {
  PERDURE_ASSERT(cursors_.empty(), "a renewing store outlives what came from it");
}

Result<void> RenewingStore::commit(std::span<const Mutation>, Durability) {
  return Error{Code::misuse, "this journal was opened for reading"};
}

Result<std::unique_ptr<Snapshot>> RenewingStore::snapshot() {
  PERDURE_TRY(current());
  return std::unique_ptr<Snapshot>(std::make_unique<RenewedSnapshot>(*this));
}

void RenewingStore::release() noexcept {
  for (RenewedCursor* const cursor : cursors_) cursor->let_go();
  held_.reset();
}

Result<Snapshot*> RenewingStore::current() {
  const core::Elapsed now = clock_.elapsed();
  if (held_ && now - held_since_ > kOldest) release();
  if (!held_) {
    PERDURE_TRY(std::unique_ptr<Snapshot> renewed, inner_.snapshot());
    held_ = std::move(renewed);
    held_since_ = now;
  }
  return held_.get();
}

}  // namespace perdure::journal
