/// What the tests of WalStore share: one over a store in memory, that ends and begins again.
#pragma once

#include "journal/memory_store.hpp"
#include "journal/wal_store.hpp"
#include "tests/journal/wal_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace perdure::journal {

/// A store in memory that tells when something was committed to it.
class ToldStore final : public Store {
 public:
  Result<void> commit(std::span<const Mutation> batch, Durability durability) override {
    Result<void> done = inner_.commit(batch, durability);
    const std::lock_guard lock(mutex_);
    if (done) ++commits_;
    changed_.notify_all();
    return done;
  }
  Result<std::unique_ptr<Snapshot>> snapshot() override { return inner_.snapshot(); }

  [[nodiscard]] MemoryStore& inner() { return inner_; }
  [[nodiscard]] std::uint64_t commits() const {
    const std::lock_guard lock(mutex_);
    return commits_;
  }
  void await_commits(std::uint64_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return commits_ >= count; });
  }

 private:
  MemoryStore inner_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t commits_ = 0;
};

/// Options with which nothing goes below by itself.
inline WalOptions on_demand() {
  return {.checkpoint_bytes = std::uint64_t{1} << 40U,
          .checkpoint_age = std::chrono::hours(24),
          .file_bytes_max = 64U << 20U};
}

class WalStoreTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(WalFile::create(directory_.path(), kLogJournal)); }

  [[nodiscard]] Result<std::unique_ptr<WalStore>> try_open() {
    store_.reset();
    return WalStore::open(directory_.path(), kLogJournal, below_, options_);
  }
  void open() {
    auto opened = try_open();
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(opened).value();
  }
  void commit(const Changes& changes, Durability durability = Durability::none) {
    const Result<void> done = store_->commit(changes.mutations(), durability);
    ASSERT_TRUE(done) << done.error().message;
    changes.apply(model_);
  }
  /// A batch of one row that has its number and `bytes` more.
  static Changes row(std::uint64_t number, std::size_t bytes = 0) {
    Changes changes;
    changes.put(Table::runs, number_key(number), std::to_string(number) + std::string(bytes, 'x'));
    return changes;
  }
  void commit_row(std::uint64_t number, Durability durability = Durability::none,
                  std::size_t bytes = 0) {
    commit(row(number, bytes), durability);
  }
  [[nodiscard]] bool is_as_it_should_be() { return contents(*store_) == model_; }
  [[nodiscard]] std::filesystem::path log() const { return directory_.path() / "wal"; }

  TemporaryDirectory directory_;
  ToldStore below_;
  WalOptions options_ = on_demand();
  Model model_;
  std::unique_ptr<WalStore> store_;
};

}  // namespace perdure::journal
