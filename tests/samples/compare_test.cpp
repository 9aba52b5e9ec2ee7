#include "samples/research_agent/compare.hpp"

#include "samples/research_agent/terms.hpp"
#include "samples/research_agent/wording.hpp"
#include "tests/samples/sample_fixture.hpp"

#include <algorithm>

namespace research {
namespace {

const char* const bread =
    "Bread is baked from flour and water in a hot oven by the baker. The dough of the bread must "
    "rise before the baker puts it into the oven.\n";
const char* const bread_too =
    "Bread is baked from flour and water in a hot oven by the baker. The dough of the bread must "
    "rest before the baker puts it into the oven. Sourdough starters need regular feeding.\n";
const char* const ships =
    "Ships sail on the sea with the wind in their canvas. The captain of a ship reads the stars "
    "and the charts at night.\n";

std::vector<Study> three() {
  return {study_of("bread.txt", bread), study_of("bread2.txt", bread_too),
          study_of("ships.txt", ships)};
}

TEST(Comparison, FindsTheNearVariantsAndNothingElse) {
  const Comparison comparison = compare(three());
  ASSERT_EQ(comparison.similarity.size(), 9U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(comparison.similarity[4 * i], 1000U);
  EXPECT_EQ(comparison.similarity[1], comparison.similarity[3]);
  EXPECT_GT(comparison.similarity[1], family_similarity_min);
  EXPECT_LT(comparison.similarity[2], 200U);
  EXPECT_EQ(comparison.families, (std::vector<std::vector<std::uint32_t>>{{0, 1}}));
  ASSERT_EQ(comparison.closest.size(), 3U);
  EXPECT_EQ(comparison.closest[0].first, 0U);
  EXPECT_EQ(comparison.closest[0].second, 1U);
  EXPECT_GT(comparison.closest[0].shared_wording, 700U);
}

TEST(Comparison, QuotesOnlyWhatStandsInNoOtherDocument) {
  std::vector<Study> studies = three();
  for (Study& study : studies) study.summary.sentences.clear();
  const Comparison comparison = compare(studies);
  EXPECT_TRUE(comparison.profiles[0].passages.empty());
  EXPECT_FALSE(comparison.profiles[2].passages.empty());
}

TEST(Comparison, OfOneDocumentAndOfEmptyOnesIsCalm) {
  const Comparison one = compare({study_of("a.txt", bread)});
  EXPECT_EQ(one.similarity, std::vector<std::uint32_t>{1000});
  EXPECT_TRUE(one.closest.empty());
  EXPECT_TRUE(one.families.empty());
  EXPECT_TRUE(one.profiles[0].passages.empty());
  EXPECT_FALSE(one.profiles[0].key_terms.empty());
  const Comparison empty = compare({study_of("a.txt", ""), study_of("b.txt", "")});
  EXPECT_EQ(empty.similarity, (std::vector<std::uint32_t>{1000, 0, 0, 1000}));
  EXPECT_TRUE(compare({}).profiles.empty());
}

TEST(Comparison, OfDuplicatesIsComplete) {
  const Comparison comparison = compare({study_of("a.txt", bread), study_of("b.txt", bread)});
  EXPECT_GE(comparison.similarity[1], 999U);
  EXPECT_EQ(comparison.closest[0].shared_wording, 1000U);
}

TEST(Comparison, SortsTheLicencesIntoTheirFamilies) {
  if (!have_licences()) GTEST_SKIP() << "no licence texts here";
  std::vector<Study> studies;
  for (const char* name : {"Apache-2.0", "GFDL-1.2", "GFDL-1.3", "GPL-1", "GPL-2", "LGPL-2.1"}) {
    studies.push_back(study_of(licence(name)));
  }
  const Comparison comparison = compare(studies);
  EXPECT_EQ(comparison.families, (std::vector<std::vector<std::uint32_t>>{{1, 2}, {3, 4, 5}}));
  EXPECT_EQ(comparison.profiles[1].key_terms[0], "cover texts");
  // Relicensing is what version 1.3 of the GFDL is for.
  ASSERT_FALSE(comparison.profiles[2].passages.empty());
  EXPECT_NE(comparison.profiles[2].passages[0].find("Massive Multiauthor"), std::string::npos);
}

TEST(Terms, TakePairsOfNeighboursAndSpellThemAsTheDocumentDoes) {
  std::string text;
  for (int i = 0; i < 3; ++i) text += "The Cover Text is on it. ";
  const Corpus corpus({study_of("a.txt", text), study_of("b.txt", ships)});
  const std::vector<std::string> terms = key_terms(corpus, 0, 3);
  ASSERT_FALSE(terms.empty());
  EXPECT_EQ(terms[0], "cover text");
  EXPECT_EQ(terms.size(), 1U);  // Both words are told already.
}

TEST(Wording, DoesNotMindCaseAndLineBreaks) {
  const WordRuns a = word_runs("You may copy this text, and give it away.");
  const WordRuns b = word_runs("you may\ncopy THIS text and keep it.");
  EXPECT_EQ(a.size(), 5U);
  EXPECT_EQ(shared_wording(a, a), 1000U);
  EXPECT_EQ(shared_wording(a, b), 500U);
  EXPECT_EQ(shared_wording(a, word_runs("too short")), 0U);
}

}  // namespace
}  // namespace research
