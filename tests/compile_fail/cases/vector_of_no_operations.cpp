// expect: perdure: branches are tasks or operations; to make one of each item, write
// expect: ctx.map(items, f)
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> handler(pd::Context& ctx, std::vector<int> items) {
  co_await ctx.all(std::move(items));
  co_return 1;
}
