#include "tests/format/held_journal.hpp"

#include "journal/reader.hpp"
#include "tests/format/checked.hpp"

#include <limits>
#include <thread>

namespace perdure::format_test {

using namespace journal;

Result<void> Door::commit(std::span<const Mutation> batch, Durability durability) {
  std::unique_lock lock(mutex_);
  is_waiting_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return is_open_; });
  is_waiting_ = false;
  lock.unlock();
  return inner_.commit(batch, durability);
}

void Door::close() {
  const std::lock_guard lock(mutex_);
  is_open_ = false;
}

void Door::await_batch() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_waiting_; });
}

void Door::open() {
  const std::lock_guard lock(mutex_);
  is_open_ = true;
  changed_.notify_all();
}

HeldJournal::HeldJournal(const std::filesystem::path& directory, core::Clock& clock,
                         core::Random& random, std::uint64_t log_bytes) {
  lock_ = checked(LockFile::acquire(directory, clock));
  const std::filesystem::path generation = directory / "generation-000001";
  tables_ = checked(LmdbStore::open(generation, LmdbAccess::write));
  const auto identity = checked(checked(Reader::open(*tables_)).identity());
  door_ = std::make_unique<Door>(*tables_);
  log_ = checked(WalStore::open(generation, identity.value().journal, *door_,
                                {.checkpoint_bytes = std::numeric_limits<std::uint64_t>::max(),
                                 .checkpoint_age = std::chrono::hours(24),
                                 .file_bytes_max = log_bytes}));
  journal_ = checked(JournalForWriting::open_in(*log_, clock, random));
}

void HeldJournal::checkpoint(const std::function<void()>& meanwhile) {
  door_->close();
  std::thread thread([this] { check(log_->checkpoint()); });
  door_->await_batch();
  meanwhile();
  door_->open();
  thread.join();
}

}  // namespace perdure::format_test
