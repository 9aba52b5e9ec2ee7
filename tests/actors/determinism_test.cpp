// Step ids and draws: the same in every process, whatever the order of events.
#include "core/random.hpp"
#include "journal/step_path.hpp"
#include "tests/actors/engine_fixture.hpp"

namespace perdure::test {
namespace {

class DeterminismTest : public EngineFixture {
 protected:
  /// Runs `agent` once without a crash and once with one in the middle of its step `last`.
  template <class A>
  Lines run_twice(const A& agent) {
    TestEngine engine(disk_);
    engine.start(agent);
    auto run = engine.runtime().session(agent, "s").start(0).value();
    id_ = run.id();
    run.wait().value();
    return world_.trace.all();
  }
  pd::RunId id_;
};

auto id_of(const char* name) {
  return [name](pd::Step& step) { world->trace.add(std::string(name) + "=" + step.id()); };
}

pd::Task<void> task_of_two(pd::Context& ctx) {
  co_await ctx.step("t1", id_of("t1"));
  co_await ctx.step("t2", id_of("t2"));
}

pd::Task<int> shapes(pd::Context& ctx, int) {
  co_await ctx.step("a", id_of("a"));
  for (int i = 0; i < 2; ++i) co_await ctx.step("loop", id_of("loop"));
  co_await task_of_two(ctx);
  // Its arguments are evaluated in an order of the compiler's choice; their ids come from their
  // places.
  co_await ctx.all(ctx.step("x", id_of("x")), ctx.all(ctx.step("y", id_of("y")), task_of_two(ctx)),
                   pd::as_result(ctx.step("z", id_of("z"))));
  auto late = ctx.step("late", id_of("late"));
  co_await ctx.step("early", id_of("early"));
  co_await std::move(late);
  co_return 0;
}
inline constexpr pd::Agent shaping{"shapes", &shapes};

TEST_F(DeterminismTest, StepIdsAreThePlacesOfTheirAwaits) {
  Lines ids = run_twice(shaping);
  std::ranges::sort(ids);
  EXPECT_EQ(ids, (Lines{"a=1", "early=6", "late=7", "loop=2", "loop=3", "t1=4.1", "t1=5.1.1.1",
                        "t2=4.2", "t2=5.1.1.2", "x=5.0", "y=5.1.0", "z=5.2"}));
}

/// One draw in an expression: compilers differ in the order in which they evaluate operands.
std::string draw_line(pd::Context& ctx, const std::string& where) {
  std::string line = where;
  line += " " + std::to_string(ctx.random());
  line += " " + std::to_string(ctx.random_below(1000));
  line += " " + ctx.uuid();
  line += " " + std::to_string(ctx.now().time_since_epoch().count());
  return line;
}

pd::Task<void> draws_in_task(pd::Context& ctx, std::string where) {
  world->trace.add(draw_line(ctx, where + " begin"));
  co_await ctx.step(where, [](pd::Step&) { std::this_thread::yield(); });
  world->trace.add(draw_line(ctx, where + " end"));
}

pd::Task<int> draws(pd::Context& ctx, int) {
  world->trace.add(draw_line(ctx, "root 1"));
  if (world->mode == 1) (void)ctx.random();  // Code that draws once more in the same place.
  co_await ctx.step("tick", [](pd::Step&) { world->door("tick").pass(); });
  world->trace.add(draw_line(ctx, "root 2"));
  co_await ctx.all(draws_in_task(ctx, "left"), draws_in_task(ctx, "right"));
  co_await ctx.step("last", [](pd::Step&) {
    world->trace.add("in last");
    world->door("last").pass();
  });
  co_return 0;
}
inline constexpr pd::Agent drawing{"drawing", &draws};

TEST_F(DeterminismTest, TimeAndDrawsAreTheSameOnReplayAndWriteNothing) {
  Lines live;
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(drawing);
    id = engine.runtime().session(drawing, "s").start(0).value().id();
    disk_.clock->advance(1234567us);
    world_.door("tick").open();
    world_.trace.wait_for("in last");
    live = world_.trace.all();
    engine.die_at_commit(0);
    world_.door("last").open();
  }
  world_.trace.clear();
  world_.mode = 1;
  disk_.clock->advance(48h);
  TestEngine engine(disk_);
  engine.start(drawing);
  engine.runtime().run<int>(id).wait().value();
  Lines replayed = world_.trace.all();
  ASSERT_EQ(live.size(), 7U);
  std::ranges::sort(live);
  std::ranges::sort(replayed);
  EXPECT_EQ(replayed, live) << "one draw more in one place changes no other place";
  EXPECT_EQ(disk_.records(id).size(), 6U);
  std::set<std::string> distinct;
  for (const std::string& line : live)
    if (line != "in last") distinct.insert(line.substr(line.find(' ', line.find(' ') + 1)));
  EXPECT_EQ(distinct.size(), live.size() - 1) << "each place draws its own";
}

TEST_F(DeterminismTest, NowIsTheTimeOfTheLastDelivery) {
  TestEngine engine(disk_);
  engine.start(drawing);
  const auto created = disk_.clock->wall().time_since_epoch().count();
  auto run = engine.runtime().session(drawing, "s").start(0).value();
  world_.door("last").open();
  disk_.clock->advance(5s);
  world_.door("tick").open();
  run.wait().value();
  const Lines lines = world_.trace.all();
  EXPECT_TRUE(lines.at(0).ends_with(" " + std::to_string(created))) << lines[0];
  EXPECT_TRUE(lines.at(1).ends_with(" " + std::to_string(created + 5'000'000))) << lines[1];
}

TEST_F(DeterminismTest, NowNeverDecreases) {
  TestEngine engine(disk_);
  engine.start(drawing);
  const auto created = disk_.clock->wall().time_since_epoch().count();
  auto run = engine.runtime().session(drawing, "s").start(0).value();
  world_.door("last").open();
  disk_.clock->jump_wall(-1h);
  world_.door("tick").open();
  run.wait().value();
  for (const std::string& line : world_.trace.all())
    EXPECT_TRUE(line == "in last" || line.ends_with(" " + std::to_string(created))) << line;
}

/// What `ctx.random()` gives is part of the format: a replay with another release must draw the
/// same.
TEST_F(DeterminismTest, DrawsAreAFunctionOfSeedPlaceAndNumber) {
  TestEngine engine(disk_);
  engine.start(drawing);
  world_.door("tick").open();
  world_.door("last").open();
  auto run = engine.runtime().session(drawing, "s").start(0).value();
  run.wait().value();
  journal::Reader reader = disk_.read();
  journal::RecordStream stream = reader.records(run.id()).value();
  const std::uint64_t seed = stream.next().value()->as<journal::RunCreated>().value().seed;
  const auto drawn = [&](std::initializer_list<std::uint32_t> place, std::uint64_t number) {
    return std::to_string(
        core::draw_at(seed, std::as_bytes(std::span(place.begin(), place.size())), number));
  };
  const Lines lines = world_.trace.all();
  EXPECT_TRUE(lines.at(0).starts_with("root 1 " + drawn({1}, 0) + " "));
  EXPECT_TRUE(lines.at(1).starts_with("root 2 " + drawn({2}, 0) + " "));
  for (const std::string& line : lines) {
    if (line.starts_with("left begin"))
      EXPECT_TRUE(line.starts_with("left begin " + drawn({2, 0, 1}, 0) + " ")) << line;
    if (line.starts_with("right end"))
      EXPECT_TRUE(line.starts_with("right end " + drawn({2, 1, 2}, 0) + " ")) << line;
  }
}

pd::Task<std::string> shape_of_uuid(pd::Context& ctx, int) {
  std::string text = ctx.uuid();
  bool below = true;
  for (int i = 0; i < 200; ++i)
    below = below && ctx.random_below(3) < 3 && ctx.random_below(1) == 0;
  co_return below ? text : "not below";
}
inline constexpr pd::Agent uuid_agent{"uuid", &shape_of_uuid};

TEST_F(DeterminismTest, AUuidHasItsVersionAndVariant) {
  TestEngine engine(disk_);
  engine.start(uuid_agent);
  const std::string uuid =
      engine.runtime().session(uuid_agent, "s").start(0).value().wait().value();
  ASSERT_EQ(uuid.size(), 36U) << uuid;
  EXPECT_EQ(uuid[14], '4') << uuid;
  EXPECT_TRUE(contains("89ab", uuid.substr(19, 1))) << uuid;
}

pd::Task<int> misuses(pd::Context& ctx, int which) {
  if (which == 4) (void)ctx.random_below(0);
  co_return co_await ctx.step("misuses", [&](pd::Step&) {
    if (which == 0) (void)ctx.random();
    if (which == 1) (void)ctx.uuid();
    if (which == 2) (void)ctx.now();
    if (which == 3) ctx.log("from a body");
    return 1;
  });
}
inline constexpr pd::Agent misusing{"misusing", &misuses};

TEST_F(DeterminismTest, DrawingInABodyIsMisuseAndSaysWhatToDo) {
  TestEngine engine(disk_);
  engine.start(misusing);
  const Lines functions{"ctx.random()", "ctx.uuid()", "ctx.now()", "ctx.log()"};
  for (int which = 0; which < 5; ++which) {
    const auto reply =
        engine.runtime().session(misusing, std::to_string(which)).start(which).value().wait();
    ASSERT_TRUE(reply.has_error());
    EXPECT_EQ(reply.error().code, pd::Code::misuse);
    if (which == 4) {
      EXPECT_TRUE(contains(reply.error().message, "random_below(0)")) << reply.error().message;
      continue;
    }
    // uuid() is made of random().
    const std::string& function = functions[which == 1 ? 0U : static_cast<std::size_t>(which)];
    EXPECT_TRUE(contains(reply.error().message, function)) << reply.error().message;
    EXPECT_TRUE(contains(reply.error().message, "let the body capture the value"));
  }
}

pd::Task<std::string> knows_itself(pd::Context& ctx, int) {
  ctx.log("hello");
  const auto key = co_await ctx.step("the step: 1/2", [&](pd::Step& step) {
    return step.key() + " " + step.id() + " " + step.name();
  });
  co_return std::string(ctx.agent()) + "/" + std::string(ctx.session_key()) + " " +
      std::to_string(ctx.agent_version()) + " " + key;
}
inline constexpr pd::Agent knowing{"knowing", &knows_itself, {.version = 3}};

TEST_F(DeterminismTest, AHandlerAndItsStepsKnowWhoTheyAre) {
  TestEngine engine(disk_);
  engine.start(knowing);
  auto run = engine.runtime().session(knowing, "me").start(0).value();
  EXPECT_EQ(run.wait().value(),
            "knowing/me 3 " + to_string(run.id()) + "/1/the%20step%3A%201%2F2 1 the step: 1/2");
  EXPECT_EQ(engine.log_lines(), Lines{"handler: hello"});
}

pd::Task<int> logs(pd::Context& ctx, int) {
  ctx.log("before");
  co_await ctx.step("done", [](pd::Step&) { return 1; });
  ctx.log("between");
  co_await ctx.step("waits", [](pd::Step&) {
    world->trace.add("waits");
    world->door("w").pass();
  });
  ctx.log("after");
  co_return 1;
}
inline constexpr pd::Agent logging{"logging", &logs};

TEST_F(DeterminismTest, TheLogIsSilentDuringReplay) {
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(logging);
    id = engine.runtime().session(logging, "s").start(0).value().id();
    world_.trace.wait_for("waits");
    EXPECT_EQ(engine.log_lines(), (Lines{"handler: before", "handler: between"}));
    engine.die_at_commit(0);
    world_.door("w").open();
  }
  TestEngine engine(disk_);
  engine.start(logging);
  engine.runtime().run<int>(id).wait().value();
  EXPECT_EQ(engine.log_lines(), Lines{"handler: after"});
}

/// A local that asks the Context when it is destroyed, whatever the reason.
class Leaver {
 public:
  Leaver(pd::Context& ctx, std::string name) : ctx_(ctx), name_(std::move(name)) {}
  Leaver(const Leaver&) = delete;
  Leaver& operator=(const Leaver&) = delete;
  ~Leaver() {
    ctx_.log(name_ + " leaves");
    world->trace.add(draw_line(ctx_, name_));
  }

 private:
  pd::Context& ctx_;
  std::string name_;
};

pd::Task<void> fails(pd::Context& ctx) {
  const Leaver leaver(ctx, "failing");
  co_await ctx.step("refused", [](pd::Step&) -> pd::Result<void> {
    return pd::Error{pd::Code::user, "no", false, {}, {}};
  });
}

pd::Task<int> leaves(pd::Context& ctx, int) {
  const Leaver leaver(ctx, "root");
  (void)co_await pd::as_result(fails(ctx));
  co_await ctx.step(
      "later", [](pd::Step&) -> pd::Result<void> { return pd::Error{pd::Code::user, "not yet"}; },
      {.retry = {.attempts_max = 9, .delay = 1h, .jitter = 0.0}});
  co_return 0;
}
inline constexpr pd::Agent leaving{"leaves", &leaves};

TEST_F(DeterminismTest, DestructorsMayDrawAndLogAlsoWhenTheirFrameIsDiscarded) {
  pd::RunId id;
  {
    TestEngine engine(disk_);
    engine.start(leaving);
    id = engine.runtime().session(leaving, "s").start(0).value().id();
    engine.wait_for_log("step_retry");
    EXPECT_EQ(engine.log_lines().at(0), "handler: failing leaves");
    EXPECT_TRUE(engine.shutdown());
    EXPECT_EQ(engine.log_lines().size(), 2U) << "a discarded frame says nothing";
  }
  const Lines first = world_.trace.all();
  ASSERT_EQ(first.size(), 2U);
  EXPECT_TRUE(first[0].starts_with("failing ")) << first[0];
  EXPECT_TRUE(first[1].starts_with("root ")) << first[1];
  world_.trace.clear();
  TestEngine engine(disk_);
  engine.start(leaving);
  engine.advance(1h);
  engine.wait_for_log("step_retry");
  // Where frames are given up the root leaves once more, when it waits again.
  const Lines second = world_.trace.all();
  ASSERT_FALSE(second.empty());
  EXPECT_EQ(second[0], first[0]) << "the failure is the handler's own, and the same";
  for (std::size_t i = 1; i < second.size(); ++i)
    EXPECT_TRUE(frames_are_given_up() && second[i].starts_with("root ")) << second[i];
  EXPECT_EQ(engine.log_lines().size(), 1U) << "replay is silent";
}

}  // namespace
}  // namespace perdure::test
