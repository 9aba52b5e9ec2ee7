// expect: perdure: map calls f(item) for each item: let f take one, by value or by reference
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> handler(pd::Context& ctx, std::vector<int> items) {
  co_await ctx.map(items, [&] { return ctx.step("one", [](pd::Step&) { return 1; }); });
  co_return 1;
}
