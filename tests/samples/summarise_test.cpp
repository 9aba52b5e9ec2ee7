#include "samples/research_agent/summarise.hpp"

#include "samples/research_agent/rank.hpp"
#include "tests/samples/sample_fixture.hpp"

#include <algorithm>

namespace research {
namespace {

TEST(Rank, PrefersWhatTheOthersResemble) {
  Vocabulary vocabulary;
  std::vector<StemSet> sentences;
  for (const char* text : {"Cats chase mice.", "Cats chase mice and dogs chase cats.",
                           "Dogs chase cats.", "Rain fell yesterday."}) {
    sentences.push_back(vocabulary.set_of(text));
  }
  const std::vector<Exact> scores = rank_sentences(sentences);
  EXPECT_EQ(std::ranges::max_element(scores) - scores.begin(), 1);
  // Nothing resembles the last: only what everybody gets is left.
  EXPECT_EQ(scores[3], exact_one - exact_one * 85 / 100);
}

TEST(Rank, OfEqualSentencesIsOneEach) {
  const std::vector<Exact> scores = rank_sentences(std::vector<StemSet>(10, StemSet{1, 2, 3}));
  for (const Exact score : scores) EXPECT_NEAR(static_cast<double>(score), 1 << exact_bits, 200);
}

TEST(Rank, StaysInBoundsWithAsManyLongSentencesAsThereMayBe) {
  StemSet all(1023);
  for (StemId i = 0; i < 1023; ++i) all[i] = i;
  std::vector<StemSet> sentences(rank_sentences_max, all);
  sentences.back() = {1};
  const std::vector<Exact> scores = rank_sentences(sentences);
  // The sum is conserved: an overflow anywhere would show here.
  Exact sum = 0;
  for (const Exact score : scores) sum += score;
  EXPECT_NEAR(static_cast<double>(sum), 1000.0 * (1 << exact_bits), 1e6);
}

TEST(Summary, HasNoSentenceTwiceAndKeepsTheOrder) {
  const std::string twin = "The committee shall publish the annual budget of the town in May.";
  const Study study = study_of(plain(
      "The town council elects a committee for the annual budget each spring. " + twin + "\n\n" +
      twin + " Every citizen may ask the committee about the budget of the town.\n\n" +
      "The weather in spring is pleasant and the birds are singing loudly.\n"));
  std::string_view text = study.document.text;
  EXPECT_EQ(study.summary.sentences.size(), 3U);
  for (const std::string& sentence : study.summary.sentences) {
    const std::size_t at = text.find(sentence);
    ASSERT_NE(at, std::string_view::npos) << sentence;
    text = text.substr(at + sentence.size());
  }
  EXPECT_LE(std::ranges::count(study.summary.sentences, twin), 1);
}

TEST(Summary, OfLittleIsThatLittle) {
  EXPECT_TRUE(study_of(plain("")).summary.sentences.empty());
  EXPECT_EQ(study_of(plain("")).summary.sentences_total, 0U);
  EXPECT_EQ(study_of(plain("Short words.\n")).summary.sentences,
            std::vector<std::string>{"Short words."});
  EXPECT_TRUE(study_of(plain("of the and to\n")).summary.sentences.empty());
}

TEST(Summary, ShortensASentenceThatNobodyWouldRead) {
  std::string text = "Word";
  for (int i = 0; i < 200; ++i) text += " item" + std::to_string(i);
  const Summary summary = study_of(plain(text + ".\n")).summary;
  ASSERT_EQ(summary.sentences.size(), 1U);
  EXPECT_TRUE(summary.sentences[0].ends_with("item43 …")) << summary.sentences[0];
}

TEST(Summary, QuotesWithoutTheMarkOfAListItem) {
  EXPECT_EQ(quotable("b) You may."), "You may.");
  EXPECT_EQ(quotable("(iv) You may."), "You may.");
  EXPECT_EQ(quotable("1.7. \"Work\" is this."), "\"Work\" is this.");
  EXPECT_EQ(quotable("A word."), "A word.");
  EXPECT_EQ(quotable("…"), "…");
}

TEST(Summary, OfTheLargestDocumentIsThinnedInBlocks) {
  std::string text;
  for (int i = 0; text.size() < document_bytes_max - 100; ++i) {
    const std::string n = std::to_string(i);
    text += "T" + std::to_string(i % 97) + " trades g" + std::to_string(i % 89) + " with h" +
            std::to_string(i % 83) + " for n" + n + ". ";
  }
  const Study study = study_of(plain(text + "\n"));
  EXPECT_GT(study.summary.sentences_total, rank_sentences_max * 10);
  EXPECT_EQ(study.summary.sentences.size(), 6U);
}

TEST(Summary, IsTheSameEverywhere) {
  // Compilers, optimisation levels and machines must agree on the choice, so it stands here.
  const Study study = study_of(markdown(
      "# Tides\n\n"
      "The moon pulls the water of the sea, and the sea rises where the moon stands high. "
      "Twice a day the tide comes in, and twice a day it goes out. "
      "Sailors know the hours of the tide by heart. "
      "The sun pulls the water too, but the sun is far away and the moon is near.\n\n"
      "## Spring tides\n\n"
      "When sun and moon stand in one line, their pull on the water adds up to a spring tide. "
      "A spring tide rises higher than any other tide of the month. "
      "Harbours are built for the spring tide.\n\n"
      "## Neap tides\n\n"
      "When sun and moon stand at a right angle, the pull of one weakens the pull of the other. "
      "The neap tide that follows rises least of all the tides of the month. "
      "Children like it, because the beach stays wide.\n"));
  EXPECT_EQ(study.summary.sentences,
            (std::vector<std::string>{
                "Twice a day the tide comes in, and twice a day it goes out.",
                "When sun and moon stand in one line, their pull on the water adds up to a spring "
                "tide.",
                "The neap tide that follows rises least of all the tides of the month."}));
}

}  // namespace
}  // namespace research
