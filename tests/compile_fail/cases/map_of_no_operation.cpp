// expect: perdure: map's f gives what can be awaited, a task or an operation: wrap other work in
// expect: ctx.step
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> handler(pd::Context& ctx, std::vector<int> items) {
  co_await ctx.map(items, [](int item) { return item + 1; });
  co_return 1;
}
