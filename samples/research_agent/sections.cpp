#include "sections.hpp"

#include "headings.hpp"
#include "words.hpp"

#include <algorithm>
#include <utility>

namespace research {
namespace {

/// Numbered paragraphs are sections only if at least so many of them count on from each other.
constexpr std::size_t sequence_min = 3;

/// The headings of a Markdown text; what stands between code fences is none.
std::vector<Heading> markdown_headings(const std::vector<Line>& lines) {
  std::vector<Heading> headings;
  std::string_view fence;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = lines[i].text;
    const bool fenced = line.starts_with("```") || line.starts_with("~~~");
    if (!fence.empty()) {
      if (line.starts_with(fence)) fence = {};
      continue;
    }
    if (fenced)
      fence = line.substr(0, 3);
    else if (auto heading = markdown_heading(lines, i))
      headings.push_back(std::move(*heading));
  }
  return headings;
}

/// Drops numbered headings that do not continue the count, which starts at 0 or 1: they are list
/// items or addresses.
std::vector<Heading> in_sequence(std::vector<Heading> headings) {
  std::size_t counted = 0;
  std::optional<unsigned> last;
  for (Heading& heading : headings) {
    if (!heading.number) continue;
    const bool continues = last ? *heading.number == *last + 1 : *heading.number <= 1;
    if (continues) {
      last = heading.number;
      ++counted;
    } else {
      heading.title.clear();
    }
  }
  std::erase_if(headings, [&](const Heading& heading) {
    return heading.title.empty() || (heading.number && counted < sequence_min);
  });
  return headings;
}

std::vector<Heading> plain_headings(const std::vector<Line>& lines) {
  std::vector<Heading> headings;
  for (const Block block : blocks_of(lines)) {
    if (auto heading = plain_heading(lines, block)) headings.push_back(std::move(*heading));
  }
  return in_sequence(std::move(headings));
}

struct Title {
  std::string text;
  std::size_t end = 0;  ///< Where the document goes on; 0 if the title is not a block of its own.
};

/// What a plain document calls itself: its first lines, if they look like a title.
Title plain_title(const std::vector<Line>& lines) {
  const std::vector<Block> blocks = blocks_of(lines);
  if (blocks.empty()) return {};
  const Block block = blocks.front();
  const std::string_view first = lines[block.first].text;
  if (block.last - block.first > 4 || !looks_like_title(first) || first.ends_with('.')) return {};
  Title title{std::string(first), 0};
  for (std::size_t i = block.first + 1; i < block.last; ++i) {
    const std::string_view line = lines[i].text;
    if (line.starts_with("Version") || line.starts_with("version"))
      title.text += ", ";
    else if (!is_rule(line) && line.find("://") == std::string_view::npos)
      return {};
    else
      continue;
    title.text += line;
  }
  const Line& last = lines[block.last - 1];
  title.end = last.begin + last.text.size();
  return title;
}

/// The one outermost heading with which a Markdown document begins.
Title markdown_title(const std::vector<Heading>& headings) {
  if (headings.empty() || headings.front().level != 1) return {};
  return {headings.front().title, 0};
}

void add_section(Outline& outline, std::string_view text, Section section) {
  section.words = count_words(text.substr(section.begin, section.end - section.begin));
  if (section.words > 0) outline.sections.push_back(std::move(section));
}

}  // namespace

Outline find_sections(const DocumentText& document) {
  const std::string_view text = document.text;
  const std::vector<Line> lines = lines_of(text);
  const bool markdown = document.markup == Markup::markdown;
  std::vector<Heading> headings = markdown ? markdown_headings(lines) : plain_headings(lines);
  const Title title = markdown ? markdown_title(headings) : plain_title(lines);
  std::erase_if(headings, [&](const Heading& heading) { return heading.begin < title.end; });

  Outline outline;
  outline.title = title.text.empty() ? document.name : title.text;
  outline.words = count_words(text);
  Section current{"", 1, title.end, 0, 0};
  for (Heading& heading : headings) {
    current.end = heading.begin;
    add_section(outline, text, std::move(current));
    current = Section{std::move(heading.title), heading.level, heading.body, 0, 0};
  }
  current.end = text.size();
  add_section(outline, text, std::move(current));
  return outline;
}

std::string_view body_of(const DocumentText& document, const Section& section) {
  const std::string_view text = document.text;
  const std::size_t begin = std::min<std::size_t>(section.begin, text.size());
  const std::size_t end = std::clamp<std::size_t>(section.end, begin, text.size());
  return text.substr(begin, end - begin);
}

}  // namespace research
