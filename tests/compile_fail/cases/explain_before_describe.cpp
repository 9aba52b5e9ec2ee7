// expect: perdure: PERDURE_EXPLAIN(Search, ...) stands where Search is not described; put it after
// expect: PERDURE_DESCRIBE
#include <perdure/explain.hpp>

#include <string>

struct Search {
  std::string query;
};
PERDURE_EXPLAIN(Search, "Searches the catalogue.", (query, "what to look for"));
