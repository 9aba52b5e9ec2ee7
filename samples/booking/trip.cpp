#include "trip.hpp"

namespace booking {

pd::Task<Itinerary> book_trip(pd::Context& ctx, Trip trip) {
  // What undoes an action is recorded before the action begins. However this ends but by the
  // commit, all that was done is undone: the last first, and what ran side by side, side by side.
  pd::Saga saga{ctx, "trip", {.order = pd::UndoOrder::parallel}};

  const Confirmation flight = co_await saga.step(book_flight, trip, cancel_flight);
  const auto there = co_await ctx.all(saga.step(book_hotel, trip, cancel_hotel),
                                      saga.step(book_car, trip, cancel_car));
  const Confirmation payment = co_await saga.step(charge, trip, refund);
  // Once the traveller has the itinerary there is no way back.
  const Confirmation itinerary = co_await saga.step(issue, trip, pd::pivot);

  co_await saga.commit();
  co_return Itinerary{flight.reference, std::get<0>(there).reference, std::get<1>(there).reference,
                      payment.reference, itinerary.reference};
}

}  // namespace booking
