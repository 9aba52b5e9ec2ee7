#include "core/assert.hpp"

#include <gtest/gtest.h>
#include <perdure/result.hpp>

namespace perdure {
namespace {

TEST(AssertDeathTest, AFalseConditionSaysWhatAndWhereAndAborts) {
  const int rooms = 0;
  EXPECT_EXIT(
      PERDURE_ASSERT(rooms > 0, "a hotel has rooms"), testing::KilledBySignal(SIGABRT),
      "perdure: assertion failed: a hotel has rooms \\(rooms > 0\\) at .*assert_test.cpp:[0-9]+");
}

TEST(AssertDeathTest, TheErrorOfASuccessIsAProgrammingError) {
  const Result<int> result = 5;
  EXPECT_EXIT(static_cast<void>(result.error()), testing::KilledBySignal(SIGABRT),
              "Result::error\\(\\) was called on a success");
}

TEST(Assert, ATrueConditionCostsItsEvaluationOnly) {
  int evaluated = 0;
  PERDURE_ASSERT(++evaluated == 1, "it is an expression, evaluated once");
  EXPECT_EQ(evaluated, 1);
}

}  // namespace
}  // namespace perdure
