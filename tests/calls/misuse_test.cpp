/// Tools that can't be served or called as they are: a clear error each, and nothing is lost.
#include "tests/calls/call_fixture.hpp"

#include <filesystem>
#include <memory>

namespace perdure::test {
namespace {

pd::Result<int> plain_function(pd::Step&, int input) { return input; }
inline constexpr pd::Tool plain{"plain", &plain_function};
inline constexpr pd::Tool nameless{"", &plain_function};
inline constexpr pd::Tool blind{"blind", &plain_function, {.effect = pd::Effect::queryable}};
inline constexpr pd::Tool row{"row", &plain_function, {.effect = pd::Effect::transactional}};
inline constexpr pd::Tool<int, int> empty{"empty"};
pd::Result<std::string> other_function(pd::Step&, int) { return std::string("other"); }
inline constexpr pd::Tool other{"plain", &other_function};

enum class Colour : std::uint8_t { red = 1 };
PERDURE_DESCRIBE_ENUM(Colour, red);
pd::Result<Colour> paints_function(pd::Step&, Colour) { return static_cast<Colour>(7); }
inline constexpr pd::Tool paints{"paints", &paints_function};

pd::Task<std::string> painter_handler(pd::Context& ctx, int input) {
  const auto got = co_await pd::as_result(ctx.call(paints, static_cast<Colour>(input)));
  co_return got.has_value() ? "painted" : got.error().to_string();
}
inline constexpr pd::Agent painter{"painter", &painter_handler};
pd::Task<int> plain_handler(pd::Context& ctx, int input) {
  co_return co_await ctx.call(plain, input);
}
inline constexpr pd::Agent calls_plain{"calls-plain", &plain_handler};

class CallMisuseTest : public CallFixture {
 protected:
  template <class... Things>
  static std::string refusal(const Things&... things) {
    kit::Runtime test(options());
    test.serve(things...);
    try {
      test.run_until_idle();
    } catch (const pd::Exception& refused) {
      return refused.error().to_string();
    }
    return "served";
  }
};
PERDURE_TEST_FRAMES(CallMisuseTest);

TEST_P(CallMisuseTest, OfADefinitionIsToldWhenItIsServed) {
  EXPECT_EQ(refusal(plain), "served");
  EXPECT_EQ(refusal(nameless), "misuse: the tool's name is empty: give it a name");
  EXPECT_TRUE(contains(refusal(blind), "tool 'blind' is queryable and has nothing to ask"));
  EXPECT_TRUE(contains(refusal(row), "tool 'row' can't be transactional"));
  EXPECT_TRUE(contains(refusal(empty), "tool 'empty' has no function"));
}

TEST_P(CallMisuseTest, AnInputThatDoesNotEncodeFailsTheCall) {
  kit::Runtime test(options());
  const std::string said = test.session(painter, "s").start(9).value().wait().value();
  EXPECT_TRUE(contains(said, "misuse: the input of tool 'paints': cannot encode")) << said;
  EXPECT_EQ(test.times("paints"), 0U);
}

TEST_P(CallMisuseTest, AnOutputThatDoesNotEncodeFailsTheCallWithoutAnotherAttempt) {
  kit::Runtime test(options());
  const std::string said = test.session(painter, "s").start(1).value().wait().value();
  EXPECT_TRUE(contains(said, "misuse: cannot encode")) << said;
  EXPECT_EQ(test.times("paints"), 1U);
}

TEST_P(CallMisuseTest, ATwinOfOtherTypesParksTheRun) {
  kit::Runtime test(options());
  test.serve(other);
  auto run = test.session(calls_plain, "s").start(3).value();
  test.run_until_idle();
  const std::string why = test.explain(run.id()).value();
  EXPECT_TRUE(contains(why, "tool 'plain' is served as one from")) << why;
  EXPECT_TRUE(contains(why, "two tools have one name")) << why;
}

}  // namespace
}  // namespace perdure::test
