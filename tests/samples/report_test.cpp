#include "samples/research_agent/report.hpp"

#include "samples/research_agent/compare.hpp"
#include "samples/research_agent/file.hpp"
#include "samples/research_agent/markdown.hpp"
#include "tests/samples/sample_fixture.hpp"

namespace research {
namespace {

Findings findings_of(std::vector<Study> studies) {
  Findings findings{"folder", std::move(studies), {}, {}};
  findings.comparison = compare(findings.studies);
  return findings;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Markdown, ShowsTextAsItIsWritten) {
  EXPECT_EQ(escaped("a*b [c](d) <e> `f` g|h snake_case _i_ \\"),
            "a\\*b \\[c\\](d) \\<e\\> \\`f\\` g\\|h snake_case \\_i\\_ \\\\");
  EXPECT_EQ(escaped("a\nb"), "a b");
}

TEST(Markdown, WrapsAndGuardsTheStartsOfLines) {
  EXPECT_EQ(wrapped("one two", "- ", "  "), "- one two\n");
  EXPECT_EQ(wrapped("1. not a list", "> ", "> "), "> 1\\. not a list\n");
  EXPECT_EQ(wrapped("# - + x"), "\\# - + x\n");
  const std::string filler(97, 'x');
  EXPECT_EQ(wrapped(filler + " 12. y"), filler + "\n12\\. y\n");
  EXPECT_EQ(wrapped(filler + " - y"), filler + " -\ny\n");
  EXPECT_EQ(wrapped(std::string(300, 'x') + " y"), std::string(300, 'x') + "\ny\n");
  // Columns are characters, not bytes.
  std::string umlauts;
  for (int i = 0; i < 98; ++i) umlauts += "ä";
  EXPECT_EQ(wrapped(umlauts + " y"), umlauts + " y\n");
}

TEST(Markdown, SetsTables) {
  Table table({{"Name"}, {"n", Align::right}});
  table.add({"ä|", "1"});
  EXPECT_EQ(table.markdown(), "| Name |   n |\n| ---- | --: |\n| ä|   |   1 |\n");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(counted(1, "word"), "1 word");
}

TEST(Report, OfOneDocumentLeavesTheComparisonOut) {
  const Report report =
      write_report(findings_of({study_of("a.txt", "The moon circles the earth once a month.\n")}));
  EXPECT_EQ(report.documents, 1U);
  EXPECT_EQ(report.words, 8U);
  EXPECT_TRUE(has(report.markdown, "# 1 document from folder\n"));
  EXPECT_TRUE(has(report.markdown, "- The moon circles the earth once a month.\n"));
  EXPECT_FALSE(has(report.markdown, "How they relate"));
  EXPECT_FALSE(has(report.markdown, "Together"));
  EXPECT_TRUE(report.markdown.ends_with("\n"));
  EXPECT_FALSE(report.markdown.ends_with("\n\n"));
}

TEST(Report, SaysWhatWasLeftOutAndWhatHasNoSentence) {
  Findings findings = findings_of({study_of("a.txt", "\n"), study_of("b_*.txt", "\n")});
  findings.left_out.push_back({"x.jpg", "x.jpg is neither .txt nor .md."});
  const std::string text = write_report(findings).markdown;
  EXPECT_TRUE(has(text, "Left out:\n\n- x.jpg is neither .txt nor .md.\n"));
  EXPECT_TRUE(has(text, "### b\\_\\*.txt\n"));
  EXPECT_TRUE(has(text, "It has no sentence to quote.\n"));
  EXPECT_FALSE(has(text, "In closing"));
}

TEST(Report, OnTheLicencesIsReproducibleAndTidy) {
  if (!have_licences()) GTEST_SKIP() << "no licence texts here";
  const auto report = [] {
    std::vector<Study> studies;
    const DocumentList list = list_documents(licences).value();
    for (const DocumentRef& document : list.documents) {
      studies.push_back(study_of(licence(document.name)));
    }
    return write_report(findings_of(std::move(studies))).markdown;
  };
  const std::string text = report();
  EXPECT_EQ(text, report());
  for (const char* heading :
       {"## The documents", "### GPL-3", "## How they relate", "## In closing"}) {
    EXPECT_TRUE(has(text, std::string(heading) + "\n")) << heading;
  }
  EXPECT_TRUE(has(text, "near variants of each other"));
  EXPECT_FALSE(has(text, "\n\n\n"));
  EXPECT_FALSE(has(text, licences));
}

TEST(File, IsWrittenWholeAndOverWhatACrashLeft) {
  const Folder folder;
  folder.write("out.md", "old");
  folder.write("out.md.partial", "half of a much longer text that a killed process left");
  ASSERT_TRUE(write_file(folder.of("out.md"), "new").has_value());
  EXPECT_EQ(contents_of(folder.of("out.md")), "new");
  EXPECT_FALSE(std::filesystem::exists(folder.of("out.md.partial")));
  ASSERT_TRUE(write_file(folder.of("out.md"), "").has_value());
  EXPECT_EQ(contents_of(folder.of("out.md")), "");
}

TEST(File, ThatCannotBeWrittenIsAnErrorThatNamesIt) {
  const Folder folder;
  const std::string message = write_file(folder.of("no/out.md"), "x").error().message;
  EXPECT_NE(message.find("no/out.md.partial cannot be opened (No such file"), std::string::npos);
  std::filesystem::create_directory(folder.of("taken"));
  EXPECT_NE(write_file(folder.of("taken"), "x").error().message.find("cannot be put in place"),
            std::string::npos);
}

}  // namespace
}  // namespace research
