/// Many threads, a store that blocks and fails at random: run under the thread sanitizer.
#include <algorithm>
#include <random>

#include "tests/journal/writer_fixture.hpp"

namespace perdure::journal {
namespace {

/// Blocks, finds the disk full and fails as its seed says, and remembers up to where it is durable.
class MoodyStore final : public Store {
 public:
  MoodyStore(std::uint64_t seed, std::uint64_t fails_at) : random_(seed), fails_at_(fails_at) {}

  Result<void> commit(std::span<const Mutation> batch, Durability) override {
    EXPECT_FALSE(busy_.exchange(true)) << "two commits at once";
    const Result<void> result = decide(batch);
    busy_ = false;
    return result;
  }
  Result<std::unique_ptr<Snapshot>> snapshot() override {
    return Error{Code::unsupported, "a test"};
  }
  RecordNumber durable() const { return durable_; }

 private:
  Result<void> decide(std::span<const Mutation> batch) {
    const std::uint64_t mood = random_() % 10;
    for (std::uint64_t i = 0; i < mood * 5; ++i) std::this_thread::yield();
    if (++commits_ == fails_at_) return disk_broken();
    EXPECT_TRUE(fails_at_ == 0 || commits_ < fails_at_) << "a commit after a failed sync";
    if (mood == 9) return disk_full();
    std::vector<RecordNumber> numbers;
    for (const Mutation& m : batch)
      if (m.table != Table::ready) numbers.push_back(number_in(m.value));
    std::ranges::sort(numbers);
    RecordNumber last = durable_;
    for (const RecordNumber number : numbers)
      EXPECT_EQ(number, ++last) << "records are dense, in the order of their numbers";
    durable_ = last;
    return success();
  }

  std::mt19937_64 random_;
  std::uint64_t fails_at_;
  std::uint64_t commits_ = 0;
  std::atomic<bool> busy_ = false;
  std::atomic<RecordNumber> durable_ = 0;
};

/// One thing that waits: what it was called, and whether it was durable then.
struct Fate {
  std::atomic<int> opened = 0;
  std::atomic<int> failed = 0;
  RecordNumber number = 0;
};

class FateWaiter final : public Gated {
 public:
  FateWaiter(Fate& fate, const MoodyStore& store) : fate_(fate), store_(store) {}
  void open() noexcept override {
    EXPECT_LE(fate_.number, store_.durable()) << "it left before it was durable";
    ++fate_.opened;
  }
  void fail(const Error&) noexcept override { ++fate_.failed; }

 private:
  Fate& fate_;
  const MoodyStore& store_;
};

constexpr std::size_t kThreads = 4;
constexpr std::size_t kEach = 250;

/// Submits `kEach` changes of one to three records and has them committed in one way or another.
void work(Writer& writer, Gate& gate, const MoodyStore& store, std::vector<Fate>& fates,
          std::size_t thread, std::uint64_t seed) {
  std::mt19937_64 random(seed * kThreads + thread);
  const RunEnded end{.stamp = 1, .type = "t", .error = {}, .payload = {}};
  for (std::size_t i = 0; i < kEach; ++i) {
    Change change;
    const std::uint64_t run = thread * kEach + i;
    const std::uint64_t records = 1 + random() % 3;
    for (std::uint32_t index = 0; index < records; ++index) change.append(run_of(run), index, end);
    change.erase(Table::ready, Key{}.add(run_of(run)));
    const Result<RecordNumber> number = writer.submit(std::move(change), Admission::under_way);
    Fate& fate = fates[run];
    if (!number) {
      EXPECT_EQ(number.error().code, Code::storage_failed);
      continue;
    }
    fate.number = number.assume_value();
    gate.when_durable(fate.number, std::make_unique<FateWaiter>(fate, store));
    switch (random() % 4) {
      case 0: writer.wake(); break;
      case 1: break;
      default: writer.commit_here(); break;
    }
  }
}

void run_stress(std::uint64_t seed, std::uint64_t fails_at) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  MoodyStore store(seed, fails_at);
  Gate gate;
  Gate early;
  std::vector<Fate> fates(kThreads * kEach);
  std::atomic<int> fatal = 0;
  WriterOptions options;
  options.full_disk_retry = std::chrono::milliseconds(1);
  options.batch_bytes_max = seed % 2 == 0 ? 2'000 : 1'000'000;
  options.on_fatal = [&](const Error&) { ++fatal; };
  if (seed % 3 == 0) options.early = &early;  // Mode `interval`.
  options.commit_interval = std::chrono::milliseconds(1);
  Writer writer(store, gate, std::move(options));

  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] { work(writer, gate, store, fates, t, seed); });
  for (std::thread& thread : threads) thread.join();
  // One attempt may find the disk full; the writer's own thread sees to the rest.
  Result<void> stopped = writer.stop();
  if (stopped) {
    EXPECT_EQ(store.durable(), writer.last_number());
  } else {
    EXPECT_EQ(fatal.load(), stopped.error().code == Code::storage_failed ? 1 : 0);
  }
  std::size_t opened = 0;
  for (const Fate& fate : fates) {
    if (fate.number == 0) continue;
    EXPECT_EQ(fate.opened + fate.failed, 1) << "number " << fate.number;
    if (fate.opened == 1) EXPECT_LE(fate.number, store.durable());
    // Who comes to the gate after the failure is failed, even with a number that became durable.
    if (fails_at == 0) EXPECT_EQ(fate.opened == 1, fate.number <= store.durable());
    opened += static_cast<std::size_t>(fate.opened);
  }
  EXPECT_GE(writer.figures().changes, opened);
  if (seed % 3 == 0) EXPECT_GE(early.watermark(), gate.watermark());
  if (fails_at == 0) EXPECT_EQ(writer.figures().changes, opened);
}

TEST(WriterStress, OpensEverythingOnceInOrderThroughFullDisks) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) run_stress(seed, 0);
}

TEST(WriterStress, TellsEverybodyWhenTheDiskFails) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) run_stress(seed, 3 + seed * 7);
}

}  // namespace
}  // namespace perdure::journal
