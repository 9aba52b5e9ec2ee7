#include "headings.hpp"
#include "prose.hpp"

#include <algorithm>
#include <utility>

namespace research {
namespace {

bool is_alnum(char c) noexcept {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/// Whether a line that begins with an item's mark really begins an item: a number may also have
/// come to the start of a line because the line before was full.
bool may_follow(std::string_view before) noexcept {
  constexpr std::string_view ends = ".:;,";
  return ends.find(before.back()) != std::string_view::npos || before.ends_with(" and") ||
         before.ends_with(" or");
}

bool is_table_row(std::string_view line) noexcept {
  return line.starts_with('|') || line.find(" | ") != std::string_view::npos;
}

/// Appends `line` with runs of blanks made one.
void append_collapsed(std::string& paragraph, std::string_view line) {
  for (const char c : line) {
    if (c != ' ' || (!paragraph.empty() && paragraph.back() != ' ')) paragraph += c;
  }
}

/// `text` with every `from` replaced.
std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (std::size_t at = text.find(from); at != std::string_view::npos; at = text.find(from)) {
    result.append(text.substr(0, at)).append(to);
    text.remove_prefix(at + from.size());
  }
  return result.append(text);
}

/// Makes `[words](address)` and `![words](address)` just `words`.
std::string without_links(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t open = text.find('[');
    const std::size_t middle = text.find("](", open == std::string_view::npos ? 0 : open);
    const std::size_t close = middle == std::string_view::npos ? middle : text.find(')', middle);
    if (open == std::string_view::npos || close == std::string_view::npos) break;
    std::string_view before = text.substr(0, open);
    if (before.ends_with('!')) before.remove_suffix(1);
    result.append(before).append(text.substr(open + 1, middle - open - 1));
    text = text.substr(close + 1);
  }
  return result.append(text);
}

/// Whether an emphasis mark may stand here: at the edge of a word.
bool at_word_edge(std::string_view text, std::size_t begin, std::size_t end) noexcept {
  const bool inside =
      begin > 0 && end < text.size() && is_alnum(text[begin - 1]) && is_alnum(text[end]);
  const bool loose =
      (begin == 0 || text[begin - 1] == ' ') && (end == text.size() || text[end] == ' ');
  return !inside && !loose;
}

/// Takes code and emphasis marks off, and links. Code keeps its characters.
std::string without_marks(std::string_view marked) {
  const std::string text = without_links(marked);
  std::string result;
  bool code = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '`') {
      code = !code;
      continue;
    }
    if (!code && text[i] == '\\' && i + 1 < text.size() && !is_alnum(text[i + 1])) {
      result += text[++i];
      continue;
    }
    if (!code && (text[i] == '*' || text[i] == '_')) {
      const std::size_t end = std::min(text.find_first_not_of(text[i], i), text.size());
      if (at_word_edge(text, i, end)) {
        i = end - 1;
        continue;
      }
    }
    result += text[i];
  }
  return result;
}

/// Gathers lines into paragraphs.
class Gatherer {
 public:
  explicit Gatherer(Markup markup) : markup_(markup) {}

  void add(const Line& line) {
    if (!markdown()) return add_prose(line.text);
    if (line.text.starts_with("```") || line.text.starts_with("~~~")) {
      fenced_ = !fenced_;
      return end_paragraph();
    }
    const bool code = fenced_ || (line.indent >= 4 && open_.empty() && !item_);
    if (code || is_table_row(line.text)) return end_paragraph();
    std::string_view text = line.text;
    while (text.starts_with('>')) text.remove_prefix(text.starts_with("> ") ? 2 : 1);
    add_prose(text);
  }

  void end_paragraph() {
    if (open_.ends_with(' ')) open_.pop_back();
    if (markdown()) open_ = without_marks(open_);
    // Quotation marks as typewriters and TeX have them.
    open_ = replaced(replaced(open_, "``", "\""), "''", "\"");
    if (!open_.empty()) done_.push_back(std::move(open_));
    open_.clear();
  }

  std::vector<std::string> take() {
    end_paragraph();
    return std::move(done_);
  }

 private:
  [[nodiscard]] bool markdown() const noexcept { return markup_ == Markup::markdown; }

  void add_prose(std::string_view line) {
    if (line.empty() || is_rule(line)) {
      if (!line.empty()) item_ = false;
      return end_paragraph();
    }
    std::size_t mark = item_mark(line);
    const bool bullet = mark == 2 && !is_alnum(line.front());
    if (mark > 0 && !open_.empty() && !(item_ && bullet) && !may_follow(open_)) mark = 0;
    if (mark > 0) end_paragraph();
    if (open_.empty()) item_ = mark > 0;
    // A bullet says nothing; a number or letter is kept, for the text may refer to it.
    if (!open_.empty()) open_ += ' ';
    append_collapsed(open_, bullet && mark > 0 ? line.substr(mark) : line);
  }

  Markup markup_;
  bool fenced_ = false;
  bool item_ = false;
  std::string open_;
  std::vector<std::string> done_;
};

}  // namespace

std::size_t item_mark(std::string_view line) noexcept {
  constexpr std::string_view bullets = "-*+";
  if (line.size() >= 2 && bullets.find(line.front()) != std::string_view::npos && line[1] == ' ') {
    return 2;
  }
  const std::size_t open = line.starts_with('(') ? 1 : 0;
  std::size_t end = open;
  const auto inside = [&](char c) { return is_alnum(c) || (open == 0 && c == '.'); };
  while (end < line.size() && end - open < 8 && inside(line[end])) ++end;
  if (end >= line.size()) return 0;
  std::string_view label = line.substr(open, end - open);
  const bool dotted = label.ends_with('.');
  if (dotted) label.remove_suffix(1);
  const std::size_t mark = dotted ? end : end + 1;
  if (label.empty() || (!dotted && line[end] != ')') || mark >= line.size() || line[mark] != ' ') {
    return 0;
  }
  const bool number = label.find_first_not_of("0123456789.") == std::string_view::npos;
  const bool roman = label.find_first_not_of("ivx") == std::string_view::npos;
  return number || roman || label.size() == 1 ? mark + 1 : 0;
}

std::vector<std::string> paragraphs_of(std::string_view text, Markup markup) {
  Gatherer gatherer(markup);
  for (const Line& line : lines_of(text)) gatherer.add(line);
  return gatherer.take();
}

}  // namespace research
