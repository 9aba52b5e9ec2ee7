#include <gtest/gtest.h>
#include <perdure/result.hpp>

#include <memory>
#include <string>

namespace perdure {
namespace {

Result<int> half_of(int number) {
  if (number % 2 != 0) return Error{Code::user, std::to_string(number) + " is odd"};
  return number / 2;
}

Result<int> quarter_of(int number) {
  PERDURE_TRY(const int half, half_of(number));
  PERDURE_TRY(auto quarter, half_of(half));
  return quarter;
}

Result<void> check(int number) {
  PERDURE_TRY(half_of(number));
  return success();
}

Result<void> check_unless(bool skip, int number) {
  // One statement: it may stand without braces, with an else behind it.
  if (skip)
    PERDURE_TRY(half_of(0));
  else
    PERDURE_TRY(half_of(number));
  return success();
}

TEST(Result, IsAValueOrAnError) {
  EXPECT_TRUE(half_of(4));
  EXPECT_EQ(half_of(4).value(), 2);
  EXPECT_FALSE(half_of(3));
  EXPECT_EQ(half_of(3).error().message, "3 is odd");
}

TEST(Result, TheValueOfAFailureThrowsItsError) {
  try {
    static_cast<void>(half_of(3).value());
    FAIL() << "value() returned";
  } catch (const Exception& exception) {
    EXPECT_EQ(exception.error(), (Error{Code::user, "3 is odd"}));
    EXPECT_STREQ(exception.what(), "3 is odd");
  }
}

TEST(Result, TryHandsFailuresOn) {
  EXPECT_EQ(quarter_of(8).value(), 2);
  EXPECT_EQ(quarter_of(6).error().message, "3 is odd");
  EXPECT_EQ(quarter_of(5).error().message, "5 is odd");
  EXPECT_TRUE(check(2));
  EXPECT_EQ(check(1).error().message, "1 is odd");
  EXPECT_TRUE(check_unless(true, 1));
  EXPECT_FALSE(check_unless(false, 1));
}

Result<std::unique_ptr<int>> boxed(int number) { return std::make_unique<int>(number); }

Result<int> unboxed(int number) {
  PERDURE_TRY(const auto box, boxed(number));
  return *box;
}

TEST(Result, TryMovesWhatCanNotBeCopied) { EXPECT_EQ(unboxed(7).value(), 7); }

TEST(Result, UnwrapIsForBothForms) {
  static_assert(std::is_same_v<detail::unwrap_result_t<Result<int>>, int>);
  static_assert(std::is_same_v<detail::unwrap_result_t<const Result<void>&>, void>);
  static_assert(std::is_same_v<detail::unwrap_result_t<std::string>, std::string>);
  static_assert(detail::is_result<Result<int>>::value && !detail::is_result<int>::value);
}

}  // namespace
}  // namespace perdure
