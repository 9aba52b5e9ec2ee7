// expect: perdure: two alternatives of this variant have one name,
// expect: so a stored one could not be told from the other; give one of them another type
#include <perdure/codec.hpp>

#include <variant>

auto bytes = perdure::encode(std::variant<long, long long>{1L});
