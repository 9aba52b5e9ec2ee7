#include "samples/research_agent/sections.hpp"

#include "tests/samples/sample_fixture.hpp"

namespace research {
namespace {

using Titles = std::vector<std::string>;

TEST(Sections, OfMarkdownFollowItsHeadings) {
  const DocumentText text = markdown(
      "# Guide #\n\nOpening words.\n\n## C#\nBody one.\n\n```\n# not a heading\n```\n\n"
      "Underlined\n----------\nBody two.\n\n### Empty\n\n1. Not a section\n");
  const Outline outline = find_sections(text);
  EXPECT_EQ(outline.title, "Guide");
  EXPECT_EQ(titles(outline), (Titles{"Guide", "C#", "Underlined", "Empty"}));
  EXPECT_EQ(outline.sections[1].level, 2U);
  EXPECT_NE(body_of(text, outline.sections[1]).find("# not a heading"), std::string_view::npos);
}

TEST(Sections, OfPlainTextAreNumberedCapitalisedUnderlinedOrAlone) {
  const DocumentText text = plain(
      "A Sample Licence\nVersion 2\n\nPreamble\n\nWhy this was written.\n\n"
      "1. Definitions.\n\nWords mean things.\n\n2. Grant of Rights. You may do much of it.\n\n"
      "3. You may also do the rest, and nobody will mind\nat all.\n\nNO WARRANTY\n\nNone.\n\n"
      "Exhibit\n=======\n\nThe notice.\n");
  const Outline outline = find_sections(text);
  EXPECT_EQ(outline.title, "A Sample Licence, Version 2");
  EXPECT_EQ(titles(outline),
            (Titles{"Preamble", "1. Definitions", "2. Grant of Rights",
                    "3. You may also do the rest, and …", "NO WARRANTY", "Exhibit"}));
  EXPECT_EQ(body_of(text, outline.sections[2]).substr(0, 9), " You may ");
  EXPECT_EQ(body_of(text, outline.sections[3]).substr(0, 12), "You may also");
}

TEST(Sections, DoNotComeFromListsAndAddresses) {
  const Outline outline = find_sections(
      plain("51 Franklin Street, Boston\n\n1. milk\n\n2. eggs\n\n7. Not the next number here.\n"));
  ASSERT_EQ(outline.sections.size(), 1U);
  EXPECT_EQ(outline.sections[0].title, "");
}

TEST(Sections, DoNotOverlapAndHoldEveryWordOutsideHeadings) {
  if (!have_licences()) GTEST_SKIP() << "no licence texts here";
  const DocumentList list = list_documents(licences).value();
  for (const DocumentRef& document : list.documents) {
    const DocumentText text = licence(document.name);
    const Outline outline = find_sections(text);
    std::uint64_t at = 0;
    std::uint64_t words = 0;
    for (const Section& section : outline.sections) {
      EXPECT_LE(at, section.begin) << document.name << ": " << section.title;
      EXPECT_LT(section.begin, section.end);
      EXPECT_GT(section.words, 0U);
      at = section.end;
      words += section.words;
    }
    EXPECT_LE(at, text.text.size());
    EXPECT_LE(words, outline.words);
    // Headings are a small part of a licence.
    EXPECT_GT(words * 100, outline.words * 90) << document.name;
  }
}

TEST(Sections, OfTheGplAreItsOwn) {
  if (!have_licences()) GTEST_SKIP() << "no licence texts here";
  const Outline outline = find_sections(licence("GPL-3"));
  EXPECT_EQ(outline.title, "GNU GENERAL PUBLIC LICENSE, Version 3, 29 June 2007");
  const Titles found = titles(outline);
  ASSERT_EQ(found.size(), 21U);
  EXPECT_EQ(found[1], "Preamble");
  EXPECT_EQ(found[2], "0. Definitions");
  EXPECT_EQ(found[16], "14. Revised Versions of this License");
  EXPECT_EQ(found[20], "How to Apply These Terms to Your New Programs");
}

TEST(Sections, OfOddDocumentsAreFewButThere) {
  EXPECT_TRUE(find_sections(plain("")).sections.empty());
  EXPECT_EQ(find_sections(plain("")).title, "plain.txt");
  EXPECT_TRUE(find_sections(plain("\n\n   \n")).sections.empty());
  EXPECT_EQ(find_sections(plain(std::string(300'000, 'x') + "\n")).sections.size(), 1U);
  EXPECT_EQ(find_sections(markdown("```\n# never closed\n")).sections.size(), 1U);
}

}  // namespace
}  // namespace research
