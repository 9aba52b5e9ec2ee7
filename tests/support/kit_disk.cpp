#include "tests/support/kit_disk.hpp"

#include "actors/testing_core.hpp"

namespace perdure::test {

DiskView disk_of(testing::Runtime& test) {
  return DiskView(static_cast<actors::TestingEngine&>(test.core()).store());
}

}  // namespace perdure::test
