#include "samples/research_agent/prose.hpp"

#include "tests/samples/sample_fixture.hpp"

namespace research {
namespace {

using Texts = std::vector<std::string>;

TEST(Sentences, EndWhereEnglishEndsThem) {
  EXPECT_EQ(split_sentences("One. Two! Three? \"Four.\" Five"),
            (Texts{"One.", "Two!", "Three?", "\"Four.\"", "Five"}));
  EXPECT_EQ(split_sentences("He said “Go.” She went."), (Texts{"He said “Go.”", "She went."}));
  EXPECT_EQ(split_sentences("Only one sentence."), Texts{"Only one sentence."});
  EXPECT_EQ(split_sentences(""), Texts{});
  EXPECT_EQ(split_sentences("..."), Texts{"..."});
}

TEST(Sentences, DoNotEndInAbbreviationsAndNumbers) {
  for (const char* whole :
       {"Use a tool, e.g. Make, or i.e. something like it.", "See Mr. Smith and J. Doe of MIT.",
        "Version 2.1 of the U.S. Code, vol. 3, no. 4 applies.", "2. You may copy it.",
        "1.7. \"Work\" means this.", "iv. The fourth.", "Acme Inc. may publish it.",
        "The License, v. 2.0, applies.", "It says 48 C.F.R. 2.101 (Oct. 1995) somewhere.",
        "Wait ... what is this?"}) {
    EXPECT_EQ(split_sentences(whole), Texts{whole});
  }
}

TEST(Sentences, EndAfterAbbreviationsThatMayEndThem) {
  EXPECT_EQ(split_sentences("Made by Acme, Inc. Everyone may copy it."),
            (Texts{"Made by Acme, Inc.", "Everyone may copy it."}));
  EXPECT_EQ(split_sentences("The answer is no. Ask again."),
            (Texts{"The answer is no.", "Ask again."}));
  EXPECT_EQ(split_sentences("It stands in Exhibit A. Read it under section 2. Then go."),
            (Texts{"It stands in Exhibit A.", "Read it under section 2.", "Then go."}));
}

TEST(Sentences, AreWholeAroundBrackets) {
  EXPECT_EQ(split_sentences("Do it (slowly. Very slowly.) now. Then rest."),
            (Texts{"Do it (slowly. Very slowly.) now.", "Then rest."}));
  // A bracket that never closes must not swallow the rest.
  EXPECT_EQ(split_sentences("An open ( bracket. The rest."),
            (Texts{"An open ( bracket.", "The rest."}));
}

TEST(Paragraphs, JoinLinesAndPartListItems) {
  EXPECT_EQ(
      paragraphs_of("One line\n  goes   on.\n\nYou must:\n- a\n  b\n- c;\n(i) d\n", Markup::plain),
      (Texts{"One line goes on.", "You must:", "a b", "c;", "(i) d"}));
  // A number at the start of a full line is no list item.
  EXPECT_EQ(paragraphs_of("the requirement in section\n4. This goes on.\n", Markup::plain),
            Texts{"the requirement in section 4. This goes on."});
}

TEST(Paragraphs, OfMarkdownLoseItsMarks) {
  EXPECT_EQ(
      paragraphs_of("A **bold** _word_, `code_x`, [a link](http://x.y) and 2 * 3.\n\n"
                    "> quoted\n> twice\n\n```\ncode.\n```\n\n| a | b |\n|---|---|\n\n    "
                    "indented code\n\nsnake_case \\* stays\n",
                    Markup::markdown),
      (Texts{"A bold word, code_x, a link and 2 * 3.", "quoted twice", "snake_case * stays"}));
}

TEST(Paragraphs, MendTypewriterQuotes) {
  EXPECT_EQ(paragraphs_of("It is ``AS IS'' here.\n", Markup::plain),
            Texts{"It is \"AS IS\" here."});
}

TEST(Sentences, KnowTheirSectionAndWhetherTheyAreComplete) {
  const DocumentText text = markdown("# A\n\nA whole one. and\n\n# B\n\n(2) not capital.\n");
  const std::vector<Sentence> found = sentences_of(text, find_sections(text));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].text, "A whole one. and");
  EXPECT_FALSE(found[0].complete);
  EXPECT_EQ(found[1].section, 1U);
  EXPECT_FALSE(found[1].complete);
}

TEST(Sentences, OfTheBsdLicenceAreItsEight) {
  if (!have_licences()) GTEST_SKIP() << "no licence texts here";
  const DocumentText text = licence("BSD");
  const std::vector<Sentence> found = sentences_of(text, find_sections(text));
  ASSERT_EQ(found.size(), 8U);
  EXPECT_EQ(found[1].text, "All rights reserved.");
  EXPECT_TRUE(found[3].text.starts_with("1. Redistributions of source code"));
}

}  // namespace
}  // namespace research
