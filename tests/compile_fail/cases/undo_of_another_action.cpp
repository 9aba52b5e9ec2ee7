// expect: perdure: this compensation takes a Receipt of another action: its Input and Output must
// be those of the tool
#include <perdure/perdure.hpp>
namespace pd = perdure;

pd::Result<int> book(pd::Step&, const int& seat) { return seat; }
inline constexpr pd::Tool book_seat{"book-seat", &book};
pd::Result<void> cancel(pd::Step&, const pd::Receipt<std::string, int>&) { return pd::success(); }
inline constexpr pd::Undo cancel_seat{"cancel-seat", &cancel};

pd::Task<int> handler(pd::Context& ctx, int seat) {
  pd::Saga trip{ctx, "trip"};
  co_return co_await trip.step(book_seat, seat, cancel_seat);
}
