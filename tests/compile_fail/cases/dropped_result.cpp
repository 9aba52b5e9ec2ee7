// expect: ignoring return
// A Result that nobody looks at is a failure that nobody sees.
#include <perdure/result.hpp>

perdure::Result<int> book();

void trip() { book(); }
