// expect: perdure: map owns its items; write ctx.map(std::move(items), f)
#include <perdure/perdure.hpp>

#include <memory>
namespace pd = perdure;

pd::Task<int> rate(pd::Context&, std::unique_ptr<int> item) { co_return *item; }
pd::Task<int> handler(pd::Context& ctx, int) {
  std::vector<std::unique_ptr<int>> items;
  auto rates = co_await ctx.map(
      items, [&](std::unique_ptr<int> item) { return rate(ctx, std::move(item)); });
  co_return rates.at(0);
}
