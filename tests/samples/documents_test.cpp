#include "samples/research_agent/documents.hpp"

#include "samples/research_agent/decode.hpp"
#include "tests/samples/sample_fixture.hpp"

namespace research {
namespace {

std::vector<std::string> names_of(const DocumentList& list) {
  std::vector<std::string> names;
  for (const DocumentRef& document : list.documents) names.push_back(document.name);
  return names;
}

TEST(Documents, AreListedBytewiseByName) {
  const Folder folder;
  for (const char* name : {"b.txt", "B.md", "a.txt", "GPL-2.1", "README", "z.markdown"}) {
    folder.write(name, "text");
  }
  const DocumentList list = list_documents(folder.path()).value();
  EXPECT_EQ(names_of(list), (std::vector<std::string>{"B.md", "GPL-2.1", "README", "a.txt", "b.txt",
                                                      "z.markdown"}));
  EXPECT_EQ(list.documents.front().bytes, 4U);
  EXPECT_TRUE(list.left_out.empty());
}

TEST(Documents, LeaveOutWhatIsNoDocumentAndSayWhy) {
  const Folder folder;
  folder.write("a.txt", "text");
  folder.write("empty.txt", "");
  folder.write("photo.jpg", "x");
  folder.write(std::string(201, 'n'), "x");
  folder.write(".hidden.txt", "x");
  std::filesystem::create_directory(folder.of("inner.txt"));
  std::filesystem::create_symlink(folder.of("a.txt"), folder.of("link.txt"));
  const DocumentList list = list_documents(folder.path()).value();
  EXPECT_EQ(names_of(list), std::vector<std::string>{"a.txt"});
  ASSERT_EQ(list.left_out.size(), 3U);
  EXPECT_EQ(list.left_out[0].reason, "empty.txt is empty.");
  EXPECT_EQ(list.left_out[1].reason, std::string(201, 'n') + " has a name of more than 200 bytes.");
  EXPECT_EQ(list.left_out[2].reason, "photo.jpg is neither .txt nor .md.");
}

TEST(Documents, OfAMissingFolderAreAnErrorThatNamesIt) {
  const Folder folder;
  const auto error = list_documents(folder.of("nowhere")).error();
  EXPECT_EQ(error.code, perdure::Code::refused);
  EXPECT_NE(error.message.find(folder.of("nowhere") + " does not exist"), std::string::npos);
  EXPECT_NE(error.message.find("--input"), std::string::npos);
}

TEST(Documents, OfAFileOrAnEmptyFolderAreAnError) {
  const Folder folder;
  EXPECT_NE(list_documents(folder.path()).error().message.find("holds no document"),
            std::string::npos);
  folder.write("a.txt", "x");
  EXPECT_NE(list_documents(folder.of("a.txt")).error().message.find("is not a folder"),
            std::string::npos);
}

TEST(Documents, BeyondTheMostAreAnErrorThatSaysHowMany) {
  const Folder folder;
  for (std::size_t i = 0; i <= documents_max; ++i) folder.write(std::to_string(i) + ".txt", "x");
  const std::string message = list_documents(folder.path()).error().message;
  EXPECT_NE(message.find("holds 101 documents"), std::string::npos) << message;
}

TEST(Documents, AreReadAsCleanText) {
  const Folder folder;
  folder.write("a.md", "\xef\xbb\xbf# A\r\n\r\nb\tc  \rd\fe\x01");
  const DocumentText text = read_document(folder.path(), "a.md").value();
  EXPECT_EQ(text.name, "a.md");
  EXPECT_EQ(text.markup, Markup::markdown);
  EXPECT_EQ(text.text, "# A\n\nb    c\nd\ne\n");
}

TEST(Documents, ThatAreTooLargeAreRefusedAndTheLargestIsNot) {
  const Folder folder;
  folder.write("most.txt", std::string(document_bytes_max, 'x'));
  folder.write("more.txt", std::string(document_bytes_max + 1, 'x'));
  EXPECT_TRUE(read_document(folder.path(), "most.txt").has_value());
  const std::string message = read_document(folder.path(), "more.txt").error().message;
  EXPECT_NE(message.find("more.txt is larger than 1024 KiB"), std::string::npos) << message;
}

TEST(Documents, ThatAreNotTextAreRefusedWithTheRemedy) {
  const Folder folder;
  folder.write("program", std::string("\x7f"
                                      "ELF\0\0\0",
                                      7));
  folder.write("wide.txt", std::string("\xff\xfe"
                                       "a\0",
                                       4));
  EXPECT_NE(read_document(folder.path(), "program").error().message.find("program is not text"),
            std::string::npos);
  EXPECT_NE(read_document(folder.path(), "wide.txt").error().message.find("iconv -f UTF-16"),
            std::string::npos);
}

TEST(Documents, ThatVanishedAreAnErrorThatNamesThem) {
  const Folder folder;
  const std::string message = read_document(folder.path(), "gone.txt").error().message;
  EXPECT_NE(message.find("gone.txt cannot be opened (No such file"), std::string::npos) << message;
}

TEST(Documents, OfThisMachineAreTheLicences) {
  if (!have_licences()) GTEST_SKIP() << "no licence texts here";
  const DocumentList list = list_documents(licences).value();
  // Four steps frame three for each document: the demo needs its eighteenth, the issue twenty.
  EXPECT_GE(4 + 3 * list.documents.size(), 20U);
  for (const DocumentRef& document : list.documents) {
    EXPECT_TRUE(read_document(licences, document.name).has_value()) << document.name;
  }
}

TEST(Decoding, TakesWhatIsNotUtf8ForWindows1252) {
  EXPECT_EQ(decode_text("caf\xe9 \x93ok\x94").value(), "café “ok”\n");
  EXPECT_EQ(decode_text("café").value(), "café\n");
}

TEST(Decoding, KnowsMalformedUtf8) {
  EXPECT_TRUE(is_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
  EXPECT_FALSE(is_utf8("\xc0\xaf"));          // Overlong.
  EXPECT_FALSE(is_utf8("\xe0\x80\xaf"));      // Overlong.
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));      // A surrogate.
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));  // Beyond the last character.
  EXPECT_FALSE(is_utf8("\xe2\x82"));          // Cut off.
}

TEST(Decoding, KeepsNothingOfNothing) { EXPECT_EQ(decode_text("").value(), ""); }

}  // namespace
}  // namespace research
