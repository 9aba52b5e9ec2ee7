/// The process dies at each of the writer's crash points: what was durable then, and what had left?
#include <sys/mman.h>

#include <csignal>
#include <cstdlib>

#include "core/crash_point.hpp"
#include "tests/journal/writer_fixture.hpp"

namespace perdure::journal {
namespace {

/// Memory that the parent sees as the child left it.
struct Seen {
  int committed;
  int opened;
};

class Shared {
 public:
  Shared()
      : memory_(mmap(nullptr, sizeof(Seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                     0)) {}
  ~Shared() { munmap(memory_, sizeof(Seen)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  [[nodiscard]] Seen& operator*() const { return *static_cast<Seen*>(memory_); }

 private:
  void* memory_;
};

class CountingStore final : public Store {
 public:
  explicit CountingStore(Seen& seen) : seen_(seen) {}
  Result<void> commit(std::span<const Mutation>, Durability) override {
    ++seen_.committed;
    return success();
  }
  Result<std::unique_ptr<Snapshot>> snapshot() override {
    return Error{Code::unsupported, "a test"};
  }

 private:
  Seen& seen_;
};

class CountingGated final : public Gated {
 public:
  explicit CountingGated(Seen& seen) : seen_(seen) {}
  void open() noexcept override { ++seen_.opened; }
  void fail(const Error&) noexcept override { std::abort(); }

 private:
  Seen& seen_;
};

/// Two batches of one change; the process dies at `point` in the second.
void work_and_die(core::CrashPoint point, Seen& seen) {
  CountingStore store(seen);
  Gate gate;
  Writer writer(store, gate, {});
  for (std::uint64_t run = 1; run <= 2; ++run) {
    if (run == 2) core::arm_crash_point(point, 1);
    const RecordNumber number = writer.submit(step_of(run, 0), Admission::new_work).value();
    gate.when_durable(number, std::make_unique<CountingGated>(seen));
    writer.commit_here();
  }
  std::exit(0);
}

TEST(WriterCrashDeathTest, NothingHasLeftThatIsNotDurable) {
  struct Case {
    core::CrashPoint point;
    int committed;
  };
  for (const Case& one :
       {Case{core::CrashPoint::commit_before, 1}, Case{core::CrashPoint::commit_after, 2},
        Case{core::CrashPoint::gate_opened, 2}}) {
    const Shared shared;
    SCOPED_TRACE(core::kCrashPointNames[static_cast<std::size_t>(one.point)]);
    EXPECT_EXIT(work_and_die(one.point, *shared), testing::KilledBySignal(SIGKILL), "");
    EXPECT_EQ((*shared).committed, one.committed);
    EXPECT_EQ((*shared).opened, 1) << "what waited for the second batch has not left";
  }
}

}  // namespace
}  // namespace perdure::journal
