// expect: perdure: nothing can win among no branches
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> handler(pd::Context& ctx, int) {
  co_await ctx.any();
  co_return 1;
}
