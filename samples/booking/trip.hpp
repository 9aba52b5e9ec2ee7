/// A trip as a saga: what is booked, and what undoes it.
///
/// What this is: the agent that books a trip (trip.cpp is the whole of it), its tools and its
/// compensations by name. What does them is given when they are served (worker.cpp).
/// What it promises: a trip ends with all five booked, or with none.
#pragma once

#include <perdure/perdure.hpp>

#include "plan.hpp"

#include <chrono>
#include <string>

namespace booking {

namespace pd = perdure;

PERDURE_DESCRIBE(Trip, id, traveller, city, amount_cents);

/// What a service says when it has done something.
struct Confirmation {
  std::string reference;
};
PERDURE_DESCRIBE(Confirmation, reference);

struct Itinerary {
  std::string flight;
  std::string hotel;
  std::string car;
  std::string payment;
  std::string number;
};
PERDURE_DESCRIBE(Itinerary, flight, hotel, car, payment, number);

/// A service that does not answer is asked again under the same key until it does: so an action
/// ends with a yes or a no.
inline constexpr pd::ToolOptions<Trip, Confirmation> kUntilItAnswers{
    .effect = pd::Effect::keyed,
    .retry = {.attempts_max = 0,
              .delay = std::chrono::milliseconds(20),
              .delay_max = std::chrono::seconds(1)}};
/// So is one that is to undo something.
inline constexpr pd::UndoOptions kUntilItIsUndone{.retry = {.attempts_max = 0,
                                                            .delay = std::chrono::milliseconds(20),
                                                            .delay_max = std::chrono::seconds(1)}};

inline constexpr pd::Tool<Trip, Confirmation> book_flight{"book-flight", kUntilItAnswers};
inline constexpr pd::Tool<Trip, Confirmation> book_hotel{"book-hotel", kUntilItAnswers};
inline constexpr pd::Tool<Trip, Confirmation> book_car{"book-car", kUntilItAnswers};
inline constexpr pd::Tool<Trip, Confirmation> charge{"charge", kUntilItAnswers};
inline constexpr pd::Tool<Trip, Confirmation> issue{"issue-itinerary", kUntilItAnswers};

inline constexpr pd::Undo<Trip, Confirmation> cancel_flight{"cancel-flight", kUntilItIsUndone};
inline constexpr pd::Undo<Trip, Confirmation> cancel_hotel{"cancel-hotel", kUntilItIsUndone};
inline constexpr pd::Undo<Trip, Confirmation> cancel_car{"cancel-car", kUntilItIsUndone};
inline constexpr pd::Undo<Trip, Confirmation> refund{"refund", kUntilItIsUndone};

pd::Task<Itinerary> book_trip(pd::Context& ctx, Trip trip);

inline constexpr pd::Agent trip_agent{"trip", &book_trip};

}  // namespace booking
