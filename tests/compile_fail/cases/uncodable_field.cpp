// expect: perdure: this type cannot be stored; describe it with PERDURE_DESCRIBE or
// expect: specialise perdure::Codec
#include <perdure/codec.hpp>

struct Seat {
  int row = 0;
};
struct Booking {
  Seat seat;
};
PERDURE_DESCRIBE(Booking, seat);

auto bytes = perdure::encode(Booking{});
