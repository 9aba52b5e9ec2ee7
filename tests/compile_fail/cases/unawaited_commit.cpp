// expect: perdure: nothing happens until it is awaited
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> handler(pd::Context& ctx, int seat) {
  pd::Saga trip{ctx, "trip"};
  trip.commit();
  co_return seat;
}
