// expect: perdure: the key of an unordered container needs operator<,
// expect: so that its bytes do not depend on hashing
#include <perdure/codec.hpp>

#include <unordered_set>

struct Seat {
  int row = 0;
  bool operator==(const Seat&) const = default;
};
PERDURE_DESCRIBE(Seat, row);
template <>
struct std::hash<Seat> {
  std::size_t operator()(const Seat& seat) const noexcept {
    return static_cast<std::size_t>(seat.row);
  }
};

auto bytes = perdure::encode(std::unordered_set<Seat>{});
