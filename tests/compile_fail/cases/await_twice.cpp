// expect: perdure: an operation is awaited once; write co_await std::move(operation)
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> handler(pd::Context& ctx, int) {
  auto step = ctx.step("one", [](pd::Step&) { return 1; });
  co_return co_await step;
}
