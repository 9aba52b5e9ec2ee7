/// What travels between the steps of the research agent, and so into its journal.
///
/// What this is: plain structs. A step returns one of them, the journal keeps it, and after a crash
/// the next process gets it back from there instead of doing the step again.
/// What it promises: nothing here depends on the machine, the time or the order of a hash table, so
/// that an interrupted run and an undisturbed one produce the same report.
/// What it does not: hold sections as text of their own. A section is a pair of positions in its
/// document, because the text is in the journal once already.
#pragma once

#include <perdure/describe.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace research {

/// What the agent is asked. Equal requests reach the same session, and so the same report.
struct ResearchRequest {
  std::string folder = {};  ///< Absolute path of the folder to read.
  std::string out = {};     ///< Absolute path of the report to write.
};
PERDURE_DESCRIBE(ResearchRequest, folder, out);

/// How a document is marked up, known by its name.
enum class Markup { plain, markdown };
PERDURE_DESCRIBE_ENUM(Markup, plain, markdown);

/// A document that will be read.
struct DocumentRef {
  std::string name = {};  ///< The file's name inside the folder.
  std::uint64_t bytes = 0;
};
PERDURE_DESCRIBE(DocumentRef, name, bytes);

/// A file of the folder that is no part of the report, and why.
struct LeftOut {
  std::string name = {};
  std::string reason = {};  ///< A sentence: "notes.txt is empty."
};
PERDURE_DESCRIBE(LeftOut, name, reason);

/// The folder's contents, bytewise by name.
struct DocumentList {
  std::vector<DocumentRef> documents = {};
  std::vector<LeftOut> left_out = {};
};
PERDURE_DESCRIBE(DocumentList, documents, left_out);

/// A document as text: UTF-8, lines end in one line feed, no byte order mark, tabs or control
/// characters.
struct DocumentText {
  std::string name = {};
  Markup markup = Markup::plain;
  std::string text = {};
};
PERDURE_DESCRIBE(DocumentText, name, markup, text);

/// A part of a document under one heading.
struct Section {
  std::string title = {};   ///< Empty for what stands before the first heading.
  std::uint32_t level = 1;  ///< 1 is the outermost.
  std::uint64_t begin = 0;  ///< The body's first byte in `DocumentText::text`.
  std::uint64_t end = 0;    ///< One past the body's last byte.
  std::uint64_t words = 0;  ///< Words in the body.
};
PERDURE_DESCRIBE(Section, title, level, begin, end, words);

/// How a document is built.
struct Outline {
  std::string title = {};  ///< What the document calls itself, else its file's name.
  std::uint64_t words = 0;
  std::vector<Section> sections = {};  ///< In order; every one has at least one word.
};
PERDURE_DESCRIBE(Outline, title, words, sections);

/// The sentences of a document that say most of it.
struct Summary {
  std::vector<std::string> sentences = {};  ///< In the document's order.
  std::uint64_t sentences_total = 0;        ///< How many the document has.
};
PERDURE_DESCRIBE(Summary, sentences, sentences_total);

/// Everything that is known of one document.
struct Study {
  DocumentText document = {};
  Outline outline = {};
  Summary summary = {};
};

/// What sets one document apart from the others.
struct Profile {
  std::vector<std::string> key_terms = {};  ///< Most telling first.
  std::vector<std::string> passages = {};   ///< Distinctive sentences, in the document's order.
};
PERDURE_DESCRIBE(Profile, key_terms, passages);

/// Two documents held against each other; both are positions in the list of documents.
struct Pair {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  std::uint32_t similarity = 0;      ///< Of vocabulary, in thousandths.
  std::uint32_t shared_wording = 0;  ///< Runs of five words that both contain, in thousandths.
};
PERDURE_DESCRIBE(Pair, first, second, similarity, shared_wording);

/// The documents held against each other.
struct Comparison {
  std::vector<Profile> profiles = {};  ///< One a document.
  /// Vocabulary in common, in thousandths: row after row of a square table.
  std::vector<std::uint32_t> similarity = {};
  std::vector<Pair> closest = {};                         ///< The most similar pairs, best first.
  std::vector<std::vector<std::uint32_t>> families = {};  ///< Near variants, two or more each.
};
PERDURE_DESCRIBE(Comparison, profiles, similarity, closest, families);

/// A finished report.
struct Report {
  std::string markdown = {};
  std::uint64_t documents = 0;
  std::uint64_t words = 0;  ///< Of the documents, not of the report.
};
PERDURE_DESCRIBE(Report, markdown, documents, words);

}  // namespace research
