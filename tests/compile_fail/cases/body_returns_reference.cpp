// expect: perdure: a step's result is stored: return a value
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> handler(pd::Context& ctx, int) {
  int kept = 1;
  co_return co_await ctx.step("one", [&](pd::Step&) -> int& { return kept; });
}
