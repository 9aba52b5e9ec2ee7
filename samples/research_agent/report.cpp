#include "report.hpp"

#include "markdown.hpp"
#include "summarise.hpp"

#include <algorithm>

namespace research {
namespace {

std::string percent(std::uint32_t thousandths) {
  return std::to_string((thousandths + 5) / 10) + " %";
}

std::string reading_time(std::uint64_t words) {
  const std::uint64_t minutes =
      std::max<std::uint64_t>(1, (words + words_a_minute / 2) / words_a_minute);
  if (minutes < 60) return std::to_string(minutes) + " min";
  return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
}

const std::string& name_of(const Findings& findings, std::size_t position) {
  return findings.studies[position].document.name;
}

std::string named(const Findings& findings, std::size_t position) {
  return escaped(name_of(findings, position));
}

/// "A", "A and B", "A, B and C".
std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += i + 1 == items.size() ? " and " : ", ";
    text += items[i];
  }
  return text;
}

std::uint64_t words_of(const Findings& findings) {
  std::uint64_t words = 0;
  for (const Study& study : findings.studies) words += study.outline.words;
  return words;
}

std::string opening(const Findings& findings) {
  const std::size_t n = findings.studies.size();
  std::uint64_t sections = 0;
  std::uint64_t quoted = 0;
  std::uint64_t sentences = 0;
  for (const Study& study : findings.studies) {
    sections += study.outline.sections.size();
    quoted += study.summary.sentences.size();
    sentences += study.summary.sentences_total;
  }
  const std::uint64_t words = words_of(findings);
  std::string text = "# " + counted(n, "document") + " from " + escaped(findings.folder) + "\n\n";
  text += wrapped(counted(n, "document") + " with " + counted(words, "word") + " in " +
                  counted(sections, "section") + " would take about " + reading_time(words) +
                  " to read. Below are the " + counted(quoted, "sentence") + " out of " +
                  grouped(sentences) +
                  " that say most, what sets each document apart, and how the documents relate. "
                  "Every quotation is a sentence of the document itself.");
  return text + "\n";
}

std::string inventory(const Findings& findings) {
  Table table({{"Document"},
               {"Title"},
               {"Words", Align::right},
               {"Sections", Align::right},
               {"Reading time", Align::right}});
  std::uint64_t sections = 0;
  for (const Study& study : findings.studies) {
    const Outline& outline = study.outline;
    sections += outline.sections.size();
    table.add({escaped(study.document.name), escaped(outline.title), grouped(outline.words),
               grouped(outline.sections.size()), reading_time(outline.words)});
  }
  if (findings.studies.size() > 1) {
    table.add({"**Together**", "", grouped(words_of(findings)), grouped(sections),
               reading_time(words_of(findings))});
  }
  std::string text = "## The documents\n\n" + table.markdown() + "\n";
  if (findings.left_out.empty()) return text;
  text += "Left out:\n\n";
  for (const LeftOut& file : findings.left_out) {
    text += wrapped(escaped(file.reason), "- ", "  ");
  }
  return text + "\n";
}

/// The document that is most like the one at `position`.
std::string relative(const Findings& findings, std::size_t position) {
  const std::size_t n = findings.studies.size();
  const auto row =
      findings.comparison.similarity.begin() + static_cast<std::ptrdiff_t>(position * n);
  std::size_t best = position;
  for (std::size_t other = 0; other < n; ++other) {
    const auto similarity = row[static_cast<std::ptrdiff_t>(other)];
    if (other == position || similarity == 0) continue;
    if (best == position || similarity > row[static_cast<std::ptrdiff_t>(best)]) best = other;
  }
  if (best == position) return "";
  return wrapped("**Closest relative:** " + named(findings, best) + ", " +
                 percent(row[static_cast<std::ptrdiff_t>(best)]) + " alike in vocabulary.") +
         "\n";
}

std::string longest_sections(const Outline& outline) {
  std::vector<const Section*> sections;
  for (const Section& section : outline.sections) {
    if (!section.title.empty()) sections.push_back(&section);
  }
  if (sections.size() < 3) return "";
  std::ranges::sort(sections, [](const Section* a, const Section* b) {
    return a->words != b->words ? a->words > b->words : a->begin < b->begin;
  });
  sections.resize(3);
  std::vector<std::string> names;
  names.reserve(sections.size());
  for (const Section* section : sections) {
    names.push_back("“" + escaped(section->title) + "” (" + counted(section->words, "word") + ")");
  }
  return wrapped("**Longest sections:** " + listed(names) + ".") + "\n";
}

std::string quotations(const std::vector<std::string>& sentences, std::string_view first,
                       std::string_view rest, std::string_view between) {
  std::string text;
  for (const std::string& sentence : sentences) {
    if (!text.empty()) text += between;
    text += wrapped(escaped(sentence), first, rest);
  }
  return text + "\n";
}

std::string chapter(const Findings& findings, std::size_t position) {
  const Study& study = findings.studies[position];
  const Profile& profile = findings.comparison.profiles[position];
  std::string text = "### " + escaped(study.document.name) + "\n\n";
  text +=
      wrapped("*" + escaped(study.outline.title) + "* has " + counted(study.outline.words, "word") +
              " in " + counted(study.outline.sections.size(), "section") + ".") +
      "\n";
  if (study.summary.sentences.empty()) return text + "It has no sentence to quote.\n\n";
  text += quotations(study.summary.sentences, "- ", "  ", "");
  std::vector<std::string> terms;
  terms.reserve(profile.key_terms.size());
  for (const std::string& term : profile.key_terms) terms.push_back(escaped(term));
  if (!terms.empty()) text += wrapped("**Key terms:** " + listed(terms) + ".") + "\n";
  text += longest_sections(study.outline);
  if (findings.studies.size() == 1) return text;
  text += relative(findings, position);
  if (profile.passages.empty()) {
    return text +
           wrapped(
               "**What sets it apart:** nothing that could be quoted; its sentences "
               "stand in other documents too, or are about what they are about.") +
           "\n";
  }
  return text + "**What sets it apart:**\n\n" + quotations(profile.passages, "> ", "> ", ">\n");
}

std::string similarity_table(const Findings& findings) {
  const std::size_t n = findings.studies.size();
  if (n > similarity_table_max) return "";
  std::vector<Table::Column> columns{{"Similarity in %"}};
  for (std::size_t i = 0; i < n; ++i) columns.push_back({std::to_string(i + 1), Align::right});
  Table table(columns);
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<std::string> row{std::to_string(i + 1) + " " + named(findings, i)};
    for (std::size_t j = 0; j < n; ++j) {
      const std::uint32_t similarity = findings.comparison.similarity[i * n + j];
      row.push_back(i == j ? "–" : std::to_string((similarity + 5) / 10));
    }
    table.add(std::move(row));
  }
  return table.markdown() + "\n";
}

std::string closest_pairs(const Findings& findings) {
  Table table(
      {{"Closest pairs"}, {""}, {"Similarity", Align::right}, {"Shared wording", Align::right}});
  for (const Pair& pair : findings.comparison.closest) {
    table.add({named(findings, pair.first), named(findings, pair.second), percent(pair.similarity),
               percent(pair.shared_wording)});
  }
  return table.markdown() + "\n";
}

std::string relations(const Findings& findings) {
  if (findings.studies.size() < 2) return "";
  std::string text = "## How they relate\n\n";
  text += wrapped(
      "Similarity is that of vocabulary: 100 % means the same words as often, rare words counting "
      "more. Shared wording is the part of the shorter document's runs of five words that the "
      "longer one has, too.");
  text += "\n";
  for (const std::vector<std::uint32_t>& family : findings.comparison.families) {
    std::vector<std::string> names;
    names.reserve(family.size());
    for (const std::uint32_t position : family) names.push_back(named(findings, position));
    text += wrapped("**" + listed(names) + "** are near variants of each other.", "- ", "  ");
  }
  if (!findings.comparison.families.empty()) text += "\n";
  return text + similarity_table(findings) + closest_pairs(findings);
}

/// The sentences that say most among those that the summaries picked, each with its source.
std::string closing(const Findings& findings) {
  std::vector<Sentence> sentences;
  for (std::size_t i = 0; i < findings.studies.size(); ++i) {
    for (const std::string& sentence : findings.studies[i].summary.sentences) {
      sentences.push_back({sentence, i, true});
    }
  }
  const std::size_t count = std::clamp<std::size_t>(findings.studies.size(), 1, 5);
  std::string text;
  for (const std::size_t i : pick_sentences(sentences, count)) {
    text +=
        wrapped(escaped(sentences[i].text) + " *(" + named(findings, sentences[i].section) + ")*",
                "> ", "> ") +
        ">\n";
  }
  if (text.empty()) return text;
  text.resize(text.size() - 2);
  return "## In closing\n\n" +
         wrapped(findings.studies.size() == 1
                     ? "If you read one sentence only:"
                     : "Of all that was quoted, these sentences speak for the most others:") +
         "\n" + text;
}

}  // namespace

Report write_report(const Findings& findings) {
  Report report;
  report.documents = findings.studies.size();
  report.words = words_of(findings);
  report.markdown = opening(findings) + inventory(findings) + "## Document by document\n\n";
  for (std::size_t i = 0; i < findings.studies.size(); ++i) {
    report.markdown += chapter(findings, i);
  }
  report.markdown += relations(findings) + closing(findings);
  while (report.markdown.ends_with("\n\n")) report.markdown.pop_back();
  return report;
}

}  // namespace research
