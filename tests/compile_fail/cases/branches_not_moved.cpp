// expect: perdure: an operation is awaited once; write std::move(operations)
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> rate(pd::Context&) { co_return 1; }
pd::Task<int> handler(pd::Context& ctx, int) {
  std::vector<pd::Task<int>> rates;
  rates.push_back(rate(ctx));
  auto won = co_await ctx.any(rates);
  co_return won.value;
}
