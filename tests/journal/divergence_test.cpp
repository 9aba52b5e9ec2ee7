// The words of a divergence: both sides, the line, the causes.
#include "journal/divergence.hpp"

#include <gtest/gtest.h>

namespace perdure::journal {
namespace {

StepFacts step(std::initializer_list<std::uint32_t> path, std::string name, std::string type) {
  return {StepPath(std::span(path.begin(), path.size())),
          StepKind::step,
          std::move(name),
          std::move(type),
          {},
          0};
}

StepFacts here(StepFacts facts) {
  facts.file = "trip.cpp";
  facts.line = 41;
  return facts;
}

std::string text_of(const Divergence& divergence) {
  const Error error = divergence.to_error();
  EXPECT_EQ(error.code, Code::diverged);
  EXPECT_FALSE(error.is_retryable());
  return error.message;
}

constexpr const char* kCauses =
    "\n  likely:    steps were added, removed, reordered or renamed while this run was unfinished; "
    "a "
    "branch depends on something that is not recorded (the wall clock, an environment variable, "
    "unordered iteration, a random number not drawn by ctx.random()). Deploy code that matches the "
    "journal, or serve the new code as a new agent version";
constexpr const char* kCodecCauses =
    "\n  likely:    a field was renamed or its type changed; add fields or remove them, one of the "
    "two "
    "at a time, or serve the new code as a new agent version";

TEST(DivergenceText, OfARenamedStepShowsBothSidesAndTheLine) {
  const Divergence divergence{Divergence::What::differs,
                              4,
                              step({3, 0, 1}, "book room", "Booking"),
                              {here(step({3, 0, 1}, "book a room", "Booking2"))},
                              {}};
  EXPECT_EQ(text_of(divergence),
            std::string("the code attempts another step than the journal recorded at this place "
                        "(record 4 of the run)"
                        "\n  recorded:  step 3.0.1, step 'book room', payload Booking"
                        "\n  attempted: step 3.0.1, step 'book a room', payload Booking2"
                        "\n             at trip.cpp:41") +
                kCauses);
}

TEST(DivergenceText, OfAStepThatIsNotReachedShowsWhatTheCodeWaitsFor) {
  Divergence divergence{Divergence::What::not_attempted,
                        2,
                        step({2}, "b", ""),
                        {here(step({1, 0}, "x", "int32")), here(step({1, 1}, "y", "int32"))},
                        {}};
  EXPECT_EQ(
      text_of(divergence),
      std::string("the journal holds the result of a step that the code does not reach here "
                  "(record 2 of the run)"
                  "\n  recorded:  step 2, step 'b', payload ?"
                  "\n  attempted: step 1.0, step 'x', payload int32\n             at trip.cpp:41"
                  "\n  attempted: step 1.1, step 'y', payload int32\n             at trip.cpp:41") +
          kCauses);
  divergence.attempted.clear();
  EXPECT_NE(text_of(divergence).find("\n  attempted: nothing\n"), std::string::npos);
}

TEST(DivergenceText, OfAHandlerThatEndedEarlySaysSo) {
  const Divergence divergence{Divergence::What::ended_early, 6, step({5}, "write", "text"), {}, {}};
  EXPECT_EQ(
      text_of(divergence),
      std::string("the handler ended, but the journal holds further results (record 6 of the run)"
                  "\n  recorded:  step 5, step 'write', payload text"
                  "\n  attempted: the end of the handler") +
          kCauses);
}

TEST(DivergenceText, OfARunThatEndedAlreadyShowsWhatTheCodeStillWants) {
  const Divergence divergence{
      Divergence::What::already_ended, 9, std::nullopt, {here(step({6}, "more", "int32"))}, {}};
  EXPECT_EQ(text_of(divergence),
            std::string(
                "the journal says that the run ended, but the handler goes on (record 9 of the run)"
                "\n  attempted: step 6, step 'more', payload int32\n             at trip.cpp:41") +
                kCauses);
}

TEST(DivergenceText, OfAPayloadThatDoesNotDecodeShowsTheDecodersWords) {
  const Divergence divergence{Divergence::What::undecodable,
                              3,
                              step({2}, "read", "int32"),
                              {here(step({2}, "read", "text"))},
                              "expected text, found a number"};
  EXPECT_EQ(
      text_of(divergence),
      std::string("a recorded result does not decode as the type that the code expects "
                  "(record 3 of the run)"
                  "\n  recorded:  step 2, step 'read', payload int32"
                  "\n  attempted: step 2, step 'read', payload text\n             at trip.cpp:41"
                  "\n  decoder:   expected text, found a number") +
          kCodecCauses);
}

TEST(DivergenceText, OfAMessageThatDoesNotDecodeShowsTheDecodersWords) {
  const Divergence divergence{Divergence::What::bad_input, 0, std::nullopt, {}, "no field 'city'"};
  EXPECT_EQ(text_of(divergence),
            std::string("the recorded message does not decode as the handler's parameter "
                        "(record 0 of the run)\n  decoder:   no field 'city'") +
                kCodecCauses);
}

}  // namespace
}  // namespace perdure::journal
