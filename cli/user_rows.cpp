#include "cli/user_rows.hpp"

#include <cstdint>
#include <utility>

#include "cli/format.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "cli/values.hpp"
#include "journal/row_key.hpp"
#include "journal/user_rows.hpp"

namespace perdure::cli {
namespace {

using journal::UserRows;
using Align = Column::Align;

constexpr std::size_t kKeyColumns = 60;
constexpr std::size_t kTypeColumns = 40;
constexpr std::size_t kRowColumns = 100;

std::string key_of(const UserRows::Row& row) { return safe_json(journal::row_key_json(row.key)); }

Result<std::uint64_t> count_rows(UserRows& rows, const std::string& table) {
  std::uint64_t count = 0;
  PERDURE_TRY(rows.scan(table, {}, [&](const UserRows::Row&) -> Result<bool> {
    ++count;
    return true;
  }));
  return count;
}

Result<void> list_tables(UserRows& rows, const Screen& screen) {
  std::vector<std::string> names;
  PERDURE_TRY(rows.each_table([&](std::string_view name) {
    names.emplace_back(name);
    return true;
  }));
  Table lines(screen, {{"TABLE", Align::left}, {"ROWS", Align::right}});
  if (screen.format == Format::json) screen.out << "{\"tables\":[";
  const char* between = "\n";
  for (const std::string& name : names) {
    PERDURE_TRY(const std::uint64_t count, count_rows(rows, name));
    if (screen.format == Format::json)
      screen.out << std::exchange(between, ",\n")
                 << JsonObject().text("name", name).number("rows", count).line();
    else
      lines.add({{safe_line(name)}, {std::to_string(count)}});
    if (!screen.open()) return success();
  }
  if (screen.format == Format::json) screen.out << "\n]}\n";
  lines.finish();
  return success();
}

/// Calls `show` for the first rows. Whether there are more.
template <class Show>
Result<bool> each_of(UserRows& rows, const RowsRequest& request, const Screen& screen,
                     Show&& show) {
  std::size_t shown = 0;
  bool more = false;
  PERDURE_TRY(rows.scan(request.table, {}, [&](const UserRows::Row& row) -> Result<bool> {
    more = request.limit && shown == *request.limit;
    if (more) return false;
    ++shown;
    show(row);
    return screen.open();
  }));
  if (shown == 0 && !more)
    return Error{Code::not_found, "the journal has no rows of a table '" +
                                      safe_line(request.table, 80) +
                                      "'; `perdure rows` lists the tables that have some"};
  return more;
}

Result<void> show_as_json(journal::Reader& reader, UserRows& rows, const RowsRequest& request,
                          const Screen& screen) {
  std::string between = JsonObject().text("table", request.table).line();
  between.back() = ',';
  between += "\"rows\":[\n";
  PERDURE_TRY(const bool more, each_of(rows, request, screen, [&](const UserRows::Row& row) {
                JsonObject line;
                line.raw("key", key_of(row)).number("number", row.number);
                set_payload(line, "value", row.type, row.payload, reader);
                screen.out << std::exchange(between, ",\n") << line.line();
              }));
  screen.out << "\n],\"more\":" << (more ? "true" : "false") << "}\n";
  return success();
}

Result<void> show_as_text(journal::Reader& reader, UserRows& rows, const RowsRequest& request,
                          const Screen& screen) {
  Table lines(screen, {{"KEY", Align::left},
                       {"NUMBER", Align::right},
                       {"TYPE", Align::left},
                       {"SIZE", Align::right},
                       {"VALUE", Align::left}});
  PERDURE_TRY(const bool more, each_of(rows, request, screen, [&](const UserRows::Row& row) {
                lines.add({{safe_line(key_of(row), kKeyColumns)},
                           {"#" + std::to_string(row.number)},
                           {safe_line(row.type, kTypeColumns)},
                           {size_text(row.payload.size())},
                           {payload_line(row.payload, reader, kRowColumns)}});
              }));
  lines.finish();
  if (more) screen.out << "There are more rows: --limit N or --all shows them.\n";
  return success();
}

}  // namespace

Result<void> show_rows(journal::Reader& reader, const RowsRequest& request, const Screen& screen) {
  UserRows rows = UserRows::of(reader);
  if (request.table.empty()) return list_tables(rows, screen);
  return screen.format == Format::json ? show_as_json(reader, rows, request, screen)
                                       : show_as_text(reader, rows, request, screen);
}

}  // namespace perdure::cli
