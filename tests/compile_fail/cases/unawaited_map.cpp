// expect: perdure: branches do nothing until they are awaited
// flags: -Werror=unused-result
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> rate(pd::Context&, int item) { co_return item; }
pd::Task<int> handler(pd::Context& ctx, std::vector<int> items) {
  ctx.map(items, [&](int item) { return rate(ctx, item); });
  co_return 1;
}
