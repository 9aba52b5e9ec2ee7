// A process to be killed: a durable agent that appends a line to a file whenever a body really
// runs.
//
// usage: crash_child JOURNAL EFFECTS
#include <perdure/perdure.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <iostream>

namespace pd = perdure;
using namespace std::chrono_literals;

namespace {

std::string effects_file;

/// One write(2) of a whole line, so that lines of several threads and lives don't mix.
void note(const pd::Step& step) {
  const int file = ::open(effects_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  const std::string line =
      step.id() + "\t" + step.key() + "\t" + std::to_string(step.attempt()) + "\n";
  if (file < 0 || ::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    std::abort();
  ::close(file);
}

pd::Task<int> branch(pd::Context& ctx, int number) {
  const int doubled = co_await ctx.step("double", [&](pd::Step& step) {
    note(step);
    return number * 2;
  });
  co_return co_await ctx.step("add", [&](pd::Step& step) {
    note(step);
    return doubled + 1;
  });
}

pd::Task<std::string> journey(pd::Context& ctx, int start) {
  int sum = start;
  for (int i = 0; i < 3; ++i)
    sum += co_await ctx.step("count " + std::to_string(i), [&](pd::Step& step) {
      note(step);
      return i;
    });
  auto both = co_await ctx.all(branch(ctx, sum), branch(ctx, 10));
  const pd::Result<int> once =
      co_await pd::as_result(ctx.step("once",
                                      [&](pd::Step& step) {
                                        note(step);
                                        return 5;
                                      },
                                      {.effect = pd::Effect::at_most_once}));
  const std::string last =
      co_await ctx.step("flaky",
                        [&](pd::Step& step) -> pd::Result<std::string> {
                          note(step);
                          if (step.attempt() == 1)
                            return pd::Error{pd::Code::user, "not this time"};
                          return std::string("done");
                        },
                        {.retry = {.attempts_max = 0, .delay = 1ms, .jitter = 0.0}});
  co_return std::to_string(std::get<0>(both) + std::get<1>(both)) + " " +
      (once ? std::to_string(once.value()) : std::string(to_string(once.error().code))) + " " +
      last;
}
inline constexpr pd::Agent traveller{"traveller", &journey};

pd::Result<std::string> run(const char* journal) {
  PERDURE_TRY(auto runtime, pd::Runtime::open({.journal = journal}));
  runtime.serve(traveller);
  PERDURE_TRY(runtime.start());
  PERDURE_TRY(auto travel, runtime.session(traveller, "one").start(1));
  PERDURE_TRY(std::string reply, travel.wait());
  PERDURE_TRY(runtime.shutdown());
  return reply;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  effects_file = argv[2];
  const pd::Result<std::string> reply = run(argv[1]);
  if (!reply) {
    std::cerr << reply.error().to_string() << '\n';
    return 1;
  }
  std::cout << reply.value() << '\n';
  return 0;
}
