// expect: perdure: a handler can await only perdure operations; wrap other asynchronous work in
// ctx.step
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> handler(pd::Context&, int) {
  co_await std::suspend_always{};
  co_return 1;
}
