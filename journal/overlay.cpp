#include "journal/overlay.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace perdure::journal {
namespace {

/// Merges: at each step the smallest key of all parts, and of equal ones the newest part's row.
class OverlayCursor final : public Cursor {
 public:
  OverlayCursor(std::unique_ptr<Cursor> below, const Memtables& above, std::uint64_t batch,
                Table table, const Key& from, const Key& prefix)
      : below_(std::move(below)) {
    above_.reserve(above.size());
    for (const auto& memtable : above)
      above_.emplace_back(*memtable, batch, table, prefix)
          .seek(table, std::max(from, prefix).view());
  }

  Result<bool> next() override {
    for (;;) {
      PERDURE_TRY(go_on());
      const Memtable::Cursor* newest = nullptr;
      std::optional<core::ByteView> smallest;
      if (below_valid_) smallest = below_->key();
      for (const Memtable::Cursor& cursor : above_) {
        if (!cursor.valid()) continue;
        // Of the newest memtable that has it, or of one with a smaller key.
        const bool is_smaller = !smallest || compare_keys(cursor.row().key, *smallest) < 0;
        const bool replaces_below =
            newest == nullptr && smallest && compare_keys(cursor.row().key, *smallest) == 0;
        if (!is_smaller && !replaces_below) continue;
        newest = &cursor;
        smallest = cursor.row().key;
      }
      has_row_ = smallest.has_value();
      if (!smallest) return false;
      at_ = *smallest;
      if (newest == nullptr) {
        value_ = below_->value();
        return true;
      }
      value_ = newest->row().value;
      if (newest->row().kind == Mutation::Kind::put) return true;
    }
  }
  [[nodiscard]] core::ByteView key() const override { return at_; }
  [[nodiscard]] core::ByteView value() const override { return value_; }

 private:
  /// Moves all parts past the current row.
  Result<void> go_on() {
    for (Memtable::Cursor& cursor : above_)
      if (has_row_ && cursor.valid() && compare_keys(cursor.row().key, at_) == 0) cursor.next();
    const bool moves_below =
        !has_begun_ || (below_valid_ && has_row_ && compare_keys(below_->key(), at_) == 0);
    has_begun_ = true;
    // `at_` may lie in the row below, so this comes last.
    if (moves_below) {
      PERDURE_TRY(below_valid_, below_->next());
    }
    return success();
  }

  std::unique_ptr<Cursor> below_;
  std::vector<Memtable::Cursor> above_;
  bool has_begun_ = false;
  bool below_valid_ = false;
  bool has_row_ = false;
  core::ByteView at_;
  core::ByteView value_;
};

class Overlay final : public Snapshot {
 public:
  Overlay(std::unique_ptr<Snapshot> below, Memtables above, std::uint64_t batch)
      : above_(std::move(above)), batch_(batch), below_(std::move(below)) {}

  Result<std::optional<core::ByteView>> get(Table table, const Key& key) override {
    for (const auto& memtable : above_) {
      const std::optional<Memtable::Row> row = memtable->find(table, key.view(), batch_);
      if (!row) continue;
      if (row->kind == Mutation::Kind::erase) return std::nullopt;
      return row->value;
    }
    return below_->get(table, key);
  }
  Result<std::unique_ptr<Cursor>> scan(Table table, const Key& from, const Key& prefix) override {
    PERDURE_TRY(std::unique_ptr<Cursor> below, below_->scan(table, from, prefix));
    return std::unique_ptr<Cursor>(
        std::make_unique<OverlayCursor>(std::move(below), above_, batch_, table, from, prefix));
  }

 private:
  const Memtables above_;
  const std::uint64_t batch_;
  const std::unique_ptr<Snapshot> below_;
};

}  // namespace

std::unique_ptr<Snapshot> make_overlay(std::unique_ptr<Snapshot> below, Memtables newest_first,
                                       std::uint64_t batch) {
  std::erase_if(newest_first, [](const auto& memtable) { return !memtable || memtable->empty(); });
  if (newest_first.empty()) return below;
  return std::make_unique<Overlay>(std::move(below), std::move(newest_first), batch);
}

}  // namespace perdure::journal
