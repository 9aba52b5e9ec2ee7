#include "tests/disks/ears.hpp"

namespace perdure::test {

pd::Task<int> large(pd::Context& ctx, int start) {
  int sum = start;
  for (int i = 0; i < 4; ++i) {
    const std::string text =
        co_await ctx.step("large", [&](pd::Step&) { return std::string(25'000, 'x'); });
    sum += static_cast<int>(text.size());
  }
  co_return sum;
}

pd::Task<int> waits(pd::Context& ctx, int start) {
  co_await ctx.step("until the shutdown", [](pd::Step& step) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any changed;
    changed.wait(lock, step.stop_token(), [] { return false; });
  });
  co_return start;
}

bool runs(pd::Runtime& runtime, const std::string& key) {
  const auto run = runtime.session(writer, key).start(0);
  if (!run) return false;
  const auto reply = run.value().wait();
  return reply && reply.value() == kReply;
}

bool grow_log(const fs::path& place) {
  Ears ears;
  auto runtime = ears.open(place);
  for (int i = 0; runtime && i < 10; ++i)
    if (!runs(runtime.value(), "growing " + std::to_string(i))) return false;
  return runtime && runtime.value().shutdown();
}

}  // namespace perdure::test
