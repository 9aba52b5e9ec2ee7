/// What the tests of the writer and the gate share: a store that only remembers, things that wait.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "journal/change.hpp"
#include "journal/gate.hpp"
#include "journal/store.hpp"
#include "journal/writer.hpp"

namespace perdure::journal {

/// The record number in a value's envelope.
inline RecordNumber number_in(core::ByteView value) {
  RecordNumber number = 0;
  if (value.size() >= kEnvelopeBytes) std::memcpy(&number, value.data() + 8, sizeof number);
  return number;
}

inline RunId run_of(std::uint64_t n) {
  RunId run;
  for (std::size_t i = 16; i-- > 8; n >>= 8U)
    run.bytes[i] = std::byte{static_cast<unsigned char>(n & 255U)};
  return run;
}
inline Key record_key(std::uint64_t run, std::uint32_t index) {
  return Key{}.add(run_of(run)).add(index);
}
inline Error disk_full() { return {Code::storage_full, "no room on the disk of the test"}; }
inline Error disk_broken() { return {Code::storage_failed, "the disk of the test broke"}; }

/// Remembers batches. Thread: as a store; `next` and what it remembers before and after threads
/// run.
class RecordingStore final : public Store {
 public:
  struct Row {
    Table table;
    Mutation::Kind kind;
    Key key;
    core::Bytes value;
  };
  struct Batch {
    std::vector<Row> rows;
    std::thread::id thread;
  };

  Result<void> commit(std::span<const Mutation> batch, Durability) override {
    EXPECT_FALSE(busy_.exchange(true)) << "two commits at once";
    ++attempts;
    if (during_commit) during_commit();
    std::optional<Error> fault;
    if (!faults.empty()) {
      fault = faults.front();
      faults.pop_front();
    }
    if (!fault) {
      Batch& entry = batches.emplace_back();
      entry.thread = std::this_thread::get_id();
      for (const Mutation& m : batch)
        entry.rows.push_back({m.table, m.kind, m.key, core::Bytes(m.value.begin(), m.value.end())});
    }
    busy_ = false;
    if (fault) return *fault;
    return success();
  }
  Result<std::unique_ptr<Snapshot>> snapshot() override {
    return Error{Code::unsupported, "a test"};
  }

  /// The numbers in the rows of a batch, in the order of the rows.
  std::vector<RecordNumber> numbers(std::size_t batch) const {
    std::vector<RecordNumber> all;
    for (const Row& row : batches[batch].rows) all.push_back(number_in(row.value));
    return all;
  }

  std::vector<Batch> batches;
  std::size_t attempts = 0;
  /// One for each of the next attempts; empty: it succeeds.
  std::deque<std::optional<Error>> faults;
  std::function<void()> during_commit;

 private:
  std::atomic<bool> busy_ = false;
};

/// What became of the things that wait. Thread: any.
class Calls {
 public:
  /// Something that waits and notes here what happens to it under `name`.
  std::unique_ptr<Gated> waiter(RecordNumber name) { return std::make_unique<Waiter>(*this, name); }
  std::vector<RecordNumber> opened() const { return copy(opened_); }
  std::vector<RecordNumber> failed() const { return copy(failed_); }
  std::vector<std::string> reasons() const { return copy(reasons_); }
  /// Waits until `count` things were called.
  void await(std::size_t count) const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return opened_.size() + failed_.size() >= count; });
  }

 private:
  class Waiter final : public Gated {
   public:
    Waiter(Calls& calls, RecordNumber name) : calls_(calls), name_(name) {}
    void open() noexcept override { calls_.note(calls_.opened_, name_, ""); }
    void fail(const Error& why) noexcept override {
      calls_.note(calls_.failed_, name_, why.message);
    }

   private:
    Calls& calls_;
    RecordNumber name_;
  };
  void note(std::vector<RecordNumber>& list, RecordNumber name, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    list.push_back(name);
    if (!reason.empty()) reasons_.push_back(reason);
    changed_.notify_all();
  }
  template <class T>
  std::vector<T> copy(const std::vector<T>& list) const {
    const std::lock_guard lock(mutex_);
    return list;
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<RecordNumber> opened_;
  std::vector<RecordNumber> failed_;
  std::vector<std::string> reasons_;
};

/// A change with one record and the run's head, as a step makes it.
inline Change step_of(std::uint64_t run, std::uint32_t index, std::size_t payload = 8) {
  const core::Bytes bytes(payload, std::byte{7});
  Change change;
  change.append(run_of(run), index,
                RunEnded{.stamp = 1, .type = "t", .error = {}, .payload = bytes});
  change.put(Table::records, record_key(run, kHeadIndex),
             HeadRow{.count = index + 1,
                     .status = RunStatus::running,
                     .stamp = 1,
                     .code = Code::user,
                     .reason = {}});
  return change;
}

}  // namespace perdure::journal
