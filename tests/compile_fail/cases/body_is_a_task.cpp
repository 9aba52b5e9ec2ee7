// expect: perdure: a step body is one boundary, not a handler; await the task itself instead
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> inner(pd::Context&, int) { co_return 1; }
pd::Task<int> handler(pd::Context& ctx, int) {
  co_return co_await ctx.step("one", [&](pd::Step&) { return inner(ctx, 1); });
}
