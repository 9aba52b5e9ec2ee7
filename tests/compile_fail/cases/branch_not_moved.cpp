// expect: perdure: an operation is awaited once; write std::move(operation)
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> rate(pd::Context&) { co_return 1; }
pd::Task<int> handler(pd::Context& ctx, int) {
  auto mine = rate(ctx);
  auto won = co_await ctx.race(mine, rate(ctx));
  co_return static_cast<int>(won.index());
}
