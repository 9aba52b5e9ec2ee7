// expect: perdure: a compensation is a pd::Undo{"name", &function}, which is found again by its
// name when this process is gone; a lambda or a function can't be
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Result<int> book(pd::Step&, const int& seat) { return seat; }
inline constexpr pd::Tool book_seat{"book-seat", &book};

pd::Task<int> handler(pd::Context& ctx, int seat) {
  pd::Saga trip{ctx, "trip"};
  co_return co_await trip.step(book_seat, seat,
                               [seat](pd::Step&) { return pd::Result<int>(seat); });
}
