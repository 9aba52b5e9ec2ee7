/// `perdure rows [TABLE]`: users' tables, and the rows of one.
///
/// What this is: without a table, the names of all that have rows, and how many; with one, its rows
/// in the order of their keys, as the newest commit left them.
/// What it promises: memory for one row, or a block of lines; keys and values are whole in JSON.
/// What it does not: tell a key of a tuple of one from its element, since the journal does not.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "cli/screen.hpp"
#include "journal/reader.hpp"

namespace perdure::cli {

struct RowsRequest {
  std::string table;                      ///< Empty: what tables there are.
  std::optional<std::size_t> limit = 50;  ///< The first so many rows; empty: all.
};

/// Errors: `not_found` for a table that has no rows; whatever reading gives; what was written
/// before stands.
[[nodiscard]] Result<void> show_rows(journal::Reader& reader, const RowsRequest& request,
                                     const Screen& screen);

}  // namespace perdure::cli
