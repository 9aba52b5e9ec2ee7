/// Aligned tables.
///
/// What this is: rows under headings, each column as wide as its widest cell, the last one as wide
/// as it likes (or as the terminal has room for).
/// What it promises: memory does not grow with the number of rows: they leave in blocks, and a
/// later block's columns are at least as wide as those before.
/// What it does not: make text safe. Cells are safe lines (text.hpp).
#pragma once

#include "cli/screen.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::cli {

struct Cell {
  std::string text;
  Ink ink = Ink::plain;
};
struct Column {
  enum class Align : std::uint8_t { left, right };
  std::string heading;
  Align align = Align::left;
};

class Table {
 public:
  /// `screen` outlives the table.
  Table(const Screen& screen, std::vector<Column> columns);
  /// One cell for each column.
  void add(std::vector<Cell> row);
  /// Writes what is left. A table without rows writes nothing, not even its headings.
  void finish();

 private:
  void write_block();
  void write_row(const std::vector<Cell>& row) const;

  const Screen& screen_;
  std::vector<Column> columns_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<Cell>> rows_;
  bool headed_ = false;
};

}  // namespace perdure::cli
