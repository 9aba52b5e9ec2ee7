// expect: perdure: a step does nothing until it is awaited
// flags: -Werror=unused-result
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> handler(pd::Context& ctx, int) {
  ctx.step("one", [](pd::Step&) { return 1; });
  co_return 1;
}
