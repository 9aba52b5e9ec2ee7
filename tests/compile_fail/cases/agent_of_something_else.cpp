// expect: perdure: an agent is made of a function Task<Reply>(Context&, Message), or of pd::Handler
// objects
#include <perdure/perdure.hpp>
namespace pd = perdure;

inline constexpr pd::Agent agent{"agent", 1, 2};
