#include "tests/support/kit_disk.hpp"

#include "actors/testing_core.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/control_queue.hpp"

namespace perdure::test {
namespace {

actors::MortalStore& store_of(testing::Runtime& test) {
  return static_cast<actors::TestingEngine&>(test.core()).store();
}

}  // namespace

DiskView disk_of(testing::Runtime& test) { return DiskView(store_of(test)); }

void die(testing::Runtime& test) { store_of(test).die(); }

void queue_signal(testing::Runtime& test, const QueuedSignal& signal, const Bytes& payload,
                  std::chrono::microseconds later) {
  core::ManualClock clock(test.now() + later);
  core::SeededRandom random(11);
  const auto journal = journal::JournalForWriting::open_in(store_of(test), clock, random).value();
  journal::ControlRequest request;
  request.what.what = row_of(request.verb);
  request.what.agent = signal.agent;
  request.what.session_key = signal.session_key;
  request.what.name = signal.name;
  request.what.payload = payload;
  journal::queue_order_in(*journal, request, clock, random).value();
}

}  // namespace perdure::test
