#include <gtest/gtest.h>
#include <perdure/error.hpp>

#include <set>
#include <string>

namespace perdure {
namespace {

constexpr std::uint16_t kFirst = 1;
constexpr std::uint16_t kLast = 33;

TEST(Error, EveryCodeHasANameOfItsOwn) {
  std::set<std::string> names;
  for (std::uint16_t number = kFirst; number <= kLast; ++number) {
    const std::string name{to_string(static_cast<Code>(number))};
    EXPECT_NE(name, "unrecognised") << number;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(to_string(static_cast<Code>(0)), "unrecognised");
  EXPECT_EQ(to_string(static_cast<Code>(kLast + 1)), "unrecognised");
  EXPECT_EQ(to_string(static_cast<Code>(65535)), "unrecognised");
}

TEST(Error, NumbersAndNamesAreWrittenToJournalsAndStay) {
  EXPECT_EQ(static_cast<int>(Code::user), 1);
  EXPECT_EQ(static_cast<int>(Code::storage_full), 10);
  EXPECT_EQ(static_cast<int>(Code::unsupported), 22);
  EXPECT_EQ(static_cast<int>(Code::busy), 23);
  EXPECT_EQ(static_cast<int>(Code::deadlock), 24);
  EXPECT_EQ(static_cast<int>(Code::peer_cancelled), 25);
  EXPECT_EQ(static_cast<int>(Code::rate_limited), 26);
  EXPECT_EQ(static_cast<int>(Code::invalid_request), 30);
  EXPECT_EQ(static_cast<int>(Code::over_budget), 31);
  EXPECT_EQ(static_cast<int>(Code::saga_aborted), 32);
  EXPECT_EQ(static_cast<int>(Code::saga_stuck), 33);
  EXPECT_EQ(to_string(Code::outcome_unknown), "outcome_unknown");
  EXPECT_EQ(to_string(Code::already_started), "already_started");
  EXPECT_EQ(static_cast<int>(ErrorEffect::refused), 0);
  EXPECT_EQ(static_cast<int>(ErrorEffect::unknown), 2);
  EXPECT_EQ(to_string(ErrorEffect::refused), "refused");
  EXPECT_EQ(to_string(ErrorEffect::happened), "happened");
  EXPECT_EQ(to_string(ErrorEffect::unknown), "unknown");
  EXPECT_EQ(to_string(static_cast<ErrorEffect>(9)), "unknown");
}

TEST(Error, TheCodeDecidesWhetherToTryAgainUnlessTheErrorSays) {
  const std::set<Code> final_codes{
      Code::refused,        Code::cancelled,        Code::misuse,          Code::too_large,
      Code::diverged,       Code::undecodable,      Code::outcome_unknown, Code::deadlock,
      Code::peer_cancelled, Code::context_overflow, Code::unauthenticated, Code::invalid_request,
      Code::over_budget,    Code::saga_aborted,     Code::saga_stuck};
  for (std::uint16_t number = kFirst; number <= kLast; ++number) {
    Error error{static_cast<Code>(number), "m"};
    EXPECT_EQ(error.is_retryable(), !final_codes.contains(error.code)) << to_string(error.code);
    error.retryable = true;
    EXPECT_TRUE(error.is_retryable());
    error.retryable = false;
    EXPECT_FALSE(error.is_retryable());
  }
}

TEST(Error, TheEffectIsUnknownUnlessRefusedOrSaid) {
  for (const Code code :
       {Code::refused, Code::rate_limited, Code::overloaded, Code::context_overflow,
        Code::unauthenticated, Code::invalid_request, Code::over_budget})
    EXPECT_EQ((Error{code, "m"}).known_effect(), ErrorEffect::refused);
  for (const Code code : {Code::user, Code::timeout, Code::exception, Code::outcome_unknown,
                          Code::saga_aborted, Code::saga_stuck})
    EXPECT_EQ((Error{code, "m"}).known_effect(), ErrorEffect::unknown);
  Error error{Code::refused, "m"};
  error.effect = ErrorEffect::happened;
  EXPECT_EQ(error.known_effect(), ErrorEffect::happened);
}

TEST(Error, ReadsAsCodeAndMessage) {
  EXPECT_EQ((Error{Code::held, "the journal is open in process 7"}).to_string(),
            "held: the journal is open in process 7");
}

}  // namespace
}  // namespace perdure
