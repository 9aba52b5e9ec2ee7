// expect: perdure: the agent has no handler of this type: pass one of those that it was made of
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> take(pd::Context&, int number) { co_return number; }
pd::Task<int> read(pd::Context&, std::string text) { co_return static_cast<int>(text.size()); }
inline constexpr pd::Agent taker{"taker", pd::Handler{"take", &take}};
inline constexpr pd::Handler reading{"read", &read};
pd::Task<int> handler(pd::Context& ctx, int) {
  co_return co_await ctx.session(taker, "t").call(reading, "text");
}
