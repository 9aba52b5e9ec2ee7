// expect: perdure: this type cannot be stored; describe it with PERDURE_DESCRIBE or specialise
// perdure::Codec
#include <perdure/perdure.hpp>
namespace pd = perdure;

struct Opaque {
  int* where = nullptr;
};
pd::Result<int> looks(pd::Step&, const Opaque&) { return 1; }
inline constexpr pd::Tool look{"look", &looks};

pd::Task<int> handler(pd::Context& ctx, int) { co_return co_await ctx.call(look, Opaque{}); }
