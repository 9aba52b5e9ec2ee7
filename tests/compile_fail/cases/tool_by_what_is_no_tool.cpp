// expect: perdure: a tool is done by a callable Result<Output>(pd::Step&, const Input&) or
#include <perdure/perdure.hpp>
namespace pd = perdure;

inline constexpr pd::Tool<int, std::string> spell{"spell"};

void serve(pd::Runtime& runtime) {
  runtime.serve(spell.by([](int number) { return std::to_string(number); }));
}
