// expect: perdure: a child is started when its spawn is awaited
// flags: -Werror=unused-result
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> take(pd::Context&, int number) { co_return number; }
inline constexpr pd::Handler taking{"take", &take};
inline constexpr pd::Agent taker{"taker", taking};
pd::Task<int> handler(pd::Context& ctx, int number) {
  ctx.session(taker, "t").spawn(taking, number);
  co_return 1;
}
