// expect: and a lambda or a member function cannot be one: write a function
#include <perdure/perdure.hpp>
namespace pd = perdure;

struct Service {
  pd::Task<int> handle(pd::Context&, int) { co_return 1; }
};
