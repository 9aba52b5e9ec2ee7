// expect: perdure: PERDURE_EXPLAIN(Colour, ...) has words for 'blue', which PERDURE_DESCRIBE does
// expect: not name
#include <perdure/explain.hpp>

enum class Colour { red, green };
PERDURE_DESCRIBE_ENUM(Colour, red, green);
PERDURE_EXPLAIN(Colour, "", (red, "as blood"), (blue, "as the sky"));
