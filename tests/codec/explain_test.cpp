// Words about types.
#include <perdure/explain.hpp>

#include <gtest/gtest.h>

#include <string>

namespace perdure::testing_codec {
namespace {

using detail::words_of;

struct Search {
  std::string query;
  int limit = 0;
};
PERDURE_DESCRIBE(Search, query, limit);
PERDURE_EXPLAIN(Search, "Searches, (at once)",
                (limit,
                 "at most"
                 " so many"));
struct Wide : Search {
  int extra = 0;
};
PERDURE_DESCRIBE(Wide, extra);
struct Nameless {
  int a = 0;
};
PERDURE_DESCRIBE(Nameless, a);
PERDURE_EXPLAIN(Nameless, "All of it.");

/// As many names as can be described.
enum class Many {
  v00,
  v01,
  v02,
  v03,
  v04,
  v05,
  v06,
  v07,
  v08,
  v09,
  v10,
  v11,
  v12,
  v13,
  v14,
  v15,
  v16,
  v17,
  v18,
  v19,
  v20,
  v21,
  v22,
  v23,
  v24,
  v25,
  v26,
  v27,
  v28,
  v29,
  v30,
  v31,
  v32,
  v33,
  v34,
  v35,
  v36,
  v37,
  v38,
  v39,
  v40,
  v41,
  v42,
  v43,
  v44,
  v45,
  v46,
  v47,
  v48,
  v49,
  v50,
  v51
};
PERDURE_DESCRIBE_ENUM(Many, v00, v01, v02, v03, v04, v05, v06, v07, v08, v09, v10, v11, v12, v13,
                      v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28,
                      v29, v30, v31, v32, v33, v34, v35, v36, v37, v38, v39, v40, v41, v42, v43,
                      v44, v45, v46, v47, v48, v49, v50, v51);
PERDURE_EXPLAIN(Many, "", (v00, "0"), (v01, "1"), (v02, "2"), (v03, "3"), (v04, "4"), (v05, "5"),
                (v06, "6"), (v07, "7"), (v08, "8"), (v09, "9"), (v10, "10"), (v11, "11"),
                (v12, "12"), (v13, "13"), (v14, "14"), (v15, "15"), (v16, "16"), (v17, "17"),
                (v18, "18"), (v19, "19"), (v20, "20"), (v21, "21"), (v22, "22"), (v23, "23"),
                (v24, "24"), (v25, "25"), (v26, "26"), (v27, "27"), (v28, "28"), (v29, "29"),
                (v30, "30"), (v31, "31"), (v32, "32"), (v33, "33"), (v34, "34"), (v35, "35"),
                (v36, "36"), (v37, "37"), (v38, "38"), (v39, "39"), (v40, "40"), (v41, "41"),
                (v42, "42"), (v43, "43"), (v44, "44"), (v45, "45"), (v46, "46"), (v47, "47"),
                (v48, "48"), (v49, "49"), (v50, "50"), (v51, "51"));

TEST(Explain, GivesWordsToATypeAndItsNames) {
  static_assert(words_of<Search>() == "Searches, (at once)");
  EXPECT_EQ(words_of<Search>("limit"), "at most so many");
  EXPECT_EQ(words_of<Search>("query"), "");
  EXPECT_EQ(words_of<Nameless>(), "All of it.");
}

TEST(Explain, LeavesABasesWordsToTheBase) { EXPECT_EQ(words_of<Wide>(), ""); }

TEST(Explain, IsEmptyForWhatHasNoWords) { EXPECT_EQ(words_of<int>(), ""); }

TEST(Explain, HasRoomForAsManyNamesAsCanBeDescribed) {
  EXPECT_EQ(words_of<Many>("v00"), "0");
  EXPECT_EQ(words_of<Many>("v51"), "51");
}

}  // namespace
}  // namespace perdure::testing_codec
