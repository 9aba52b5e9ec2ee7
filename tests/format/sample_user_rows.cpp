#include "tests/format/sample_user_rows.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "journal/change.hpp"
#include "journal/row_key.hpp"
#include "journal/session_rows.hpp"
#include "journal/user_rows.hpp"
#include "tests/format/checked.hpp"
#include "tests/format/payload_samples.hpp"

namespace perdure::format_test {
namespace {

using namespace journal;

class Rows {
 public:
  template <class K>
  void put(std::string_view table, const K& key, const Sample& value) {
    change_.put(Table::rows, user_row(table, detail::encode_key(key)),
                UserRow{value.first, value.second});
  }
  [[nodiscard]] Change take() { return std::move(change_); }

 private:
  /// What is larger becomes a blob.
  Change change_{1U << 20U};
};

}  // namespace

void write_user_rows(journal::Writer& writer) {
  Rows rows;
  for (const std::int64_t number :
       {std::numeric_limits<std::int64_t>::min(), std::int64_t{-65'536}, std::int64_t{-256},
        std::int64_t{-255}, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, std::int64_t{255},
        std::int64_t{256}, std::numeric_limits<std::int64_t>::max()})
    rows.put("numbers", number, text_sample(3));
  rows.put("numbers", std::numeric_limits<std::uint64_t>::max(), {"void", {}});
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("a\0b", 3), std::string("\0\xFF", 2),
        std::string("Größe"), std::string("no \xff utf-8"), std::string(438, 'k')})
    rows.put("texts", text, text_sample(text.size()));
  rows.put("texts of all sorts", std::string("large"), text_sample(2'000'000));
  rows.put("tuples", std::tuple(std::string("x"), -7, true), text_sample(1));
  rows.put("tuples", std::tuple(std::string("x"), -7, false), text_sample(1));
  rows.put(std::string(64, 'n'), RunId{{std::byte{1}, std::byte{0xAB}}}, text_sample(1));
  static_cast<void>(checked(writer.submit(rows.take(), Admission::new_work)));
  writer.commit_here();
  Change erased;
  erased.erase(Table::rows, user_row("numbers", detail::encode_key(0)));
  static_cast<void>(checked(writer.submit(std::move(erased), Admission::new_work)));
  writer.commit_here();
}

}  // namespace perdure::format_test
