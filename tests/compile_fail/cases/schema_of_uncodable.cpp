// expect: perdure: this type cannot be stored; describe it with PERDURE_DESCRIBE or
// expect: specialise perdure::Codec
#include <perdure/json_schema.hpp>

struct Seat {
  int row = 0;
};
struct Booking {
  Seat seat;
};
PERDURE_DESCRIBE(Booking, seat);

auto schema = perdure::json_schema<Booking>();
