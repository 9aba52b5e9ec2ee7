// expect: perdure: the agent has no query of this type: pass one of those that it was made of
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> take(pd::Context&, int number) { co_return number; }
int total(const pd::View&, int) { return 0; }
inline constexpr pd::Agent taker{"taker", pd::Handler{"take", &take}};
inline constexpr pd::Query totals{"total", &total};
pd::Result<int> ask(pd::Runtime& runtime) { return runtime.session(taker, "t").query(totals, 1); }
