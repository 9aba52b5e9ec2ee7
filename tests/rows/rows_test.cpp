// Rows as programs and queries read them.
#include "tests/rows/bank.hpp"

namespace perdure::test {
namespace {

constexpr pd::Table<std::pair<std::string, std::int32_t>, std::string> notes{"notes"};
constexpr pd::State<int> written{"written"};

pd::Task<int> write_notes(pd::Context& ctx, int count) {
  co_await ctx.transact("write", [&](pd::Transaction& tx) -> pd::Result<void> {
    for (std::int32_t i = -2; i < count; ++i) {
      PERDURE_TRY(tx.put(notes, {"b", i}, std::to_string(i)));
      PERDURE_TRY(tx.put(notes, {"a", i}, "a"));
    }
    return pd::success();
  });
  ctx.set(written, count);
  co_return count;
}
std::string look(const pd::View& view, int) {
  std::string all = std::to_string(view.get(written)) + ":";
  const auto rows = view.rows(notes).scan({.from = {{"b", -1}}}).value();
  for (const auto& row : rows) all += " " + row.value;
  return all;
}
inline constexpr pd::Handler write_handler{"write", &write_notes};
inline constexpr pd::Query look_query{"look", &look};
inline constexpr pd::Agent notebook{"notebook", write_handler, look_query};

class RowsTest : public KitFixture {
 protected:
  kit::Runtime test_;
};

TEST_F(RowsTest, AQuerySeesRowsAndStateOfOneMoment) {
  auto session = test_.session(notebook, "n");
  session.start(write_handler, 2).value().wait().value();
  EXPECT_EQ(session.query(look_query, 0).value(), "2: -1 0 1");
}

TEST_F(RowsTest, ScansAreBoundedByKeysAndByNumber) {
  test_.session(notebook, "n").start(write_handler, 2).value().wait().value();
  const auto rows = test_.rows(notes);
  EXPECT_EQ(rows.scan().value().size(), 8U);
  EXPECT_EQ(rows.scan({.to = {{"b", -2}}}).value().size(), 4U);
  EXPECT_EQ(rows.scan({.limit = 3}).value().size(), 3U);
  EXPECT_EQ(rows.scan({.limit = 0}).value().size(), 0U);
  EXPECT_EQ(rows.scan({.after = {{"b", 0}}}).value().at(0).key.second, 1);
  std::vector<std::int32_t> seen;
  rows.each([&](const auto& key, const std::string&) {
        seen.push_back(key.second);
        return seen.size() < 2;
      })
      .value();
  EXPECT_EQ(seen, (std::vector<std::int32_t>{-2, -1}));
}

}  // namespace
}  // namespace perdure::test
