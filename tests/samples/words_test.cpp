#include "samples/research_agent/words.hpp"

#include "samples/research_agent/exact.hpp"
#include "samples/research_agent/similarity.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

namespace research {
namespace {

TEST(Words, KeepApostrophesAndPartAtHyphens) {
  std::vector<std::string> words;
  for (const Token& token : tokens_of("The Program's don't-care 'quoted' café's v2.")) {
    words.emplace_back(token.text);
  }
  EXPECT_EQ(words, (std::vector<std::string>{"The", "Program's", "don't", "care", "quoted",
                                             "café's", "v2"}));
}

TEST(Words, EndAtSignsOutsideAscii) {
  EXPECT_EQ(count_words("one—two…three «four» 五"), 5U);
  EXPECT_EQ(count_words(""), 0U);
  EXPECT_EQ(count_words(" -- \xff '' "), 0U);
}

TEST(Words, FoldCaseAndPossessives) {
  EXPECT_EQ(folded("Program's"), "program");
  EXPECT_EQ(folded("ÉTÉ’s"), "été");
  EXPECT_EQ(folded("GPL"), "gpl");
}

TEST(Words, KnowsWhatSaysNothing) {
  for (const char* word : {"the", "of", "shall", "x", "2007", "don't"}) {
    EXPECT_TRUE(is_stop_word(word)) << word;
  }
  for (const char* word : {"licence", "gpl", "v2"}) EXPECT_FALSE(is_stop_word(word)) << word;
}

TEST(Stems, AreThoseOfPortersPaper) {
  // The examples that the paper gives for steps 1a, 1b and 1c.
  const std::pair<const char*, const char*> examples[] = {
      {"caresses", "caress"},  {"ponies", "poni"},
      {"ties", "ti"},          {"caress", "caress"},
      {"cats", "cat"},         {"feed", "feed"},
      {"agreed", "agree"},     {"plastered", "plaster"},
      {"bled", "bled"},        {"motoring", "motor"},
      {"sing", "sing"},        {"conflated", "conflate"},
      {"troubled", "trouble"}, {"sized", "size"},
      {"hopping", "hop"},      {"tanned", "tan"},
      {"falling", "fall"},     {"hissing", "hiss"},
      {"fizzed", "fizz"},      {"failing", "fail"},
      {"filing", "file"},      {"happy", "happi"},
      {"sky", "sky"}};
  for (const auto& [word, expected] : examples) EXPECT_EQ(stem(word), expected) << word;
}

TEST(Stems, LeaveAloneWhatIsNotEnglishLetters) {
  EXPECT_EQ(stem("cafés"), "cafés");
  EXPECT_EQ(stem("is"), "is");
  EXPECT_EQ(stem("v2s"), "v2s");
}

TEST(Exact, LogarithmsAreWithinTheLastDigit) {
  for (std::uint64_t n = 1; n < 100'000; n = n * 3 / 2 + 1) {
    const double exact = std::log2(static_cast<double>(n));
    const double found = static_cast<double>(exact_log2(n)) / static_cast<double>(exact_one);
    EXPECT_LE(found, exact + 1e-9) << n;
    EXPECT_GE(found, exact - 3e-6) << n;
  }
  EXPECT_EQ(exact_log2(1), 0U);
  EXPECT_EQ(exact_log2(1024), 10 * exact_one);
  EXPECT_EQ(exact_log2(std::uint64_t{1} << 63), 63 * exact_one);
}

TEST(Exact, RootsAreRoundedDown) {
  EXPECT_EQ(exact_sqrt(0), 0U);
  EXPECT_EQ(exact_sqrt(99), 9U);
  EXPECT_EQ(exact_sqrt(100), 10U);
  EXPECT_EQ(exact_sqrt(~std::uint64_t{0}), 0xffffffffU);
}

TEST(Similarity, CountsWhatTwoSetsHaveInCommon) {
  Vocabulary vocabulary;
  const StemSet a = vocabulary.set_of("Licences grant rights; a licence grants.");
  const StemSet b = vocabulary.set_of("The right is granted.");
  EXPECT_EQ(a.size(), 3U);
  EXPECT_EQ(overlap(a, b), 2U);
  EXPECT_EQ(containment(a, b), exact_one);
  EXPECT_EQ(containment(a, {}), 0U);
}

}  // namespace
}  // namespace research
