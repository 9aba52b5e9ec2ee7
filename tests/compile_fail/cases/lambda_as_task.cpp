// expect: and a lambda or a member function cannot be one: write a function
#include <perdure/perdure.hpp>
namespace pd = perdure;

inline auto make() {
  return [](pd::Context&, int) -> pd::Task<int> { co_return 1; };
}
inline void use(pd::Context& ctx) { (void)make()(ctx, 1); }
