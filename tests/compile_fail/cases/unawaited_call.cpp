// expect: perdure: a tool is not called until the call is awaited
// flags: -Werror=unused-result
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Result<int> doubled(pd::Step&, int number) { return 2 * number; }
inline constexpr pd::Tool twice{"twice", &doubled};

pd::Task<int> handler(pd::Context& ctx, int number) {
  ctx.call(twice, number);
  co_return number;
}
