#include "cli/table.hpp"

#include "cli/text.hpp"
#include "core/assert.hpp"

#include <algorithm>
#include <utility>

namespace perdure::cli {
namespace {

constexpr std::size_t kBlockRows = 500;
constexpr std::size_t kGap = 2;
/// However narrow the terminal is, so much of the last column is shown.
constexpr std::size_t kLastColumnLeast = 20;

const char* sequence(Ink ink) {
  switch (ink) {
    case Ink::plain: return "";
    case Ink::bold: return "\x1b[1m";
    case Ink::red: return "\x1b[31m";
    case Ink::yellow: return "\x1b[33m";
    case Ink::green: return "\x1b[32m";
  }
  return "";
}

}  // namespace

std::string inked(std::string_view text, Ink ink, Colour colour) {
  if (colour == Colour::off || ink == Ink::plain || text.empty()) return std::string(text);
  return sequence(ink) + std::string(text) + "\x1b[0m";
}

Table::Table(const Screen& screen, std::vector<Column> columns)
    : screen_(screen), columns_(std::move(columns)) {
  for (const Column& column : columns_) widths_.push_back(columns_of(column.heading));
}

void Table::add(std::vector<Cell> row) {
  PERDURE_ASSERT(row.size() == columns_.size(), "a row has one cell for each column");
  for (std::size_t i = 0; i < row.size(); ++i)
    widths_[i] = std::max(widths_[i], columns_of(row[i].text));
  rows_.push_back(std::move(row));
  if (rows_.size() == kBlockRows) write_block();
}

void Table::finish() {
  if (!rows_.empty()) write_block();
}

void Table::write_block() {
  if (!std::exchange(headed_, true)) {
    std::vector<Cell> headings;
    headings.reserve(columns_.size());
    for (const Column& column : columns_) headings.push_back({column.heading, Ink::bold});
    write_row(headings);
  }
  for (const std::vector<Cell>& row : rows_) write_row(row);
  rows_.clear();
}

void Table::write_row(const std::vector<Cell>& row) const {
  std::string line;
  std::size_t used = 0;
  std::size_t last = row.size();
  while (last > 0 && row[last - 1].text.empty()) --last;
  for (std::size_t i = 0; i < last; ++i) {
    std::string text = row[i].text;
    if (i + 1 == row.size() && screen_.columns != 0) {
      const std::size_t room = screen_.columns > used ? screen_.columns - used : 0;
      text = safe_line(text, std::max(room, kLastColumnLeast));
    }
    const std::size_t width = columns_of(text);
    const std::size_t fill = widths_[i] > width ? widths_[i] - width : 0;
    const bool to_the_right = columns_[i].align == Column::Align::right;
    if (to_the_right) line.append(fill, ' ');
    line += inked(text, row[i].ink, screen_.colour);
    if (i + 1 == last) break;
    line.append((to_the_right ? 0 : fill) + kGap, ' ');
    used += widths_[i] + kGap;
  }
  screen_.out << line << '\n';
}

}  // namespace perdure::cli
