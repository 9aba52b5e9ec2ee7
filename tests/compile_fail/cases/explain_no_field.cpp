// expect: perdure: PERDURE_EXPLAIN(Search, ...) has words for 'limits', which PERDURE_DESCRIBE does
// expect: not name
#include <perdure/explain.hpp>

#include <string>

struct Search {
  std::string query;
  int limit = 0;
};
PERDURE_DESCRIBE(Search, query, limit);
PERDURE_EXPLAIN(Search, "Searches the catalogue.", (query, "what to look for"),
                (limits, "how many at most"));
