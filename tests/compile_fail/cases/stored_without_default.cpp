// expect: perdure: a stored type needs a default constructor, because reading starts from T{}
#include <perdure/codec.hpp>

struct Seat {
  explicit Seat(int number) : row(number) {}
  int row;
};
PERDURE_DESCRIBE(Seat, row);

auto seat = perdure::decode<Seat>({});
