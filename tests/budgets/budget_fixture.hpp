/// What the tests of budgets share: a model that uses tokens, and agents that ask it.
#pragma once

#include "tests/calls/call_fixture.hpp"
#include "tests/support/kit_disk.hpp"

namespace perdure::test {

/// The far side's `mode`:
///  0 tells what it used (100 tokens and 10 cents, as much as it may), and answers
///  1 tells half of that
///  2 says nothing, and answers
///  3 says nothing, and fails with an effect that nobody knows
///  4 says nothing, and refuses
///  5 tells half, and fails
///  6 uses four times what it said at most
inline constexpr pd::Cost kMost{.money = pd::Money::cents(10), .tokens = 100};
inline constexpr pd::Cost kHalf{.money = pd::Money::cents(5), .tokens = 50};

inline pd::Result<std::string> ask_function(pd::Step& step, const std::string& question) {
  far_side->trace.push_back("ask " + question + " #" + std::to_string(step.attempt()));
  switch (far_side->mode) {
    case 0: step.charge(kMost); break;
    case 1:
      step.charge({.tokens = 30});
      step.charge({.money = pd::Money::cents(5), .tokens = 20});
      break;
    case 3: return pd::Error{pd::Code::user, "the line went dead"};
    case 4: return pd::Error{pd::Code::overloaded, "come back later"};
    case 5: step.charge(kHalf); return pd::Error{pd::Code::user, "half an answer"};
    case 6: step.charge({.money = pd::Money::cents(40), .tokens = 400}); break;
    default: break;
  }
  return "about " + question;
}
inline constexpr pd::Tool ask{
    "ask", &ask_function, {.retry = kEven, .timeout = 1s, .cost_max = kMost}};

/// Asks so many questions, and counts the answers; what is refused ends it.
inline pd::Task<int> asking(pd::Context& ctx, int questions) {
  for (int i = 0; i < questions; ++i) {
    const auto answer = co_await pd::as_result(
        ctx.call(ask, std::to_string(i), {.name = "ask " + std::to_string(i)}));
    if (!answer && answer.error().code == pd::Code::over_budget) co_return 1000 + i;
    if (!answer) co_return answer.error();
  }
  co_return questions;
}

/// The same by a completion, which it leaves behind.
inline std::vector<pd::Completion<std::string>> left_open;
inline void stall_function(pd::Step step, std::string question,
                           pd::Completion<std::string> completion) {
  far_side->trace.push_back("stall " + question + " #" + std::to_string(step.attempt()));
  left_open.push_back(std::move(completion));
}
inline constexpr pd::Tool stall{"stall", &stall_function, {.retry = kEven, .cost_max = kMost}};
/// It says of no cost.
inline constexpr pd::Tool stall_free{"stall-free", &stall_function, {.retry = kEven}};

/// A run with this budget, whose handler is `asking`.
inline constexpr pd::Agent thrifty{"thrifty",
                                   pd::Handler{"run", &asking, {.budget = {.tokens = 250}}}};
inline constexpr pd::Agent graceful{
    "graceful",
    pd::Handler{"run",
                &asking,
                {.budget = {.tokens = 250, .when_exhausted = pd::WhenExhausted::fail_step}}}};
inline constexpr pd::Agent unlimited{"unlimited", &asking};

class BudgetFixture : public CallFixture {
 protected:
  ~BudgetFixture() override { left_open.clear(); }
  template <class R>
  [[nodiscard]] static pd::Spending spending(const pd::Run<R>& run) {
    return run.spending().value();
  }
  /// That the journal says so too.
  static void expect_sound(kit::Runtime& test) { EXPECT_EQ(disk_of(test).damage(), ""); }
};

}  // namespace perdure::test
