/// Writing Markdown (CommonMark with GitHub's tables).
///
/// What this is: escaping, wrapping and tables for report.cpp.
/// What it promises: text from a document shows as it is written there, wherever it stands and
/// wherever a line is broken; it can start no list, heading, link or tag.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace research {

/// Columns to which prose is wrapped. A longer word stays whole.
inline constexpr std::size_t wrap_columns = 100;

/// `text` with the characters escaped that mean something inside a line.
[[nodiscard]] std::string escaped(std::string_view text);

/// `markdown` in lines of at most `wrap_columns` characters, each ended: `first` stands before the
/// first line, `rest` before the others. What would begin a list or heading at a line's start is
/// escaped there.
[[nodiscard]] std::string wrapped(std::string_view markdown, std::string_view first = "",
                                  std::string_view rest = "");

/// `n` with commas: "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t n);

/// "1 word", "2 words".
[[nodiscard]] std::string counted(std::uint64_t n, std::string_view noun);

/// How a column is set.
enum class Align { left, right };

/// A table; cells are Markdown already, and padded so that the source is a table too.
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Adds a row. It has a cell for each column.
  void add(std::vector<std::string> cells);
  [[nodiscard]] std::string markdown() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace research
