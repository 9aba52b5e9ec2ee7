// expect: perdure: a task takes its parameters by value, but for Context&
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Task<int> handler(pd::Context&, const std::string& text) {
  co_return static_cast<int>(text.size());
}
