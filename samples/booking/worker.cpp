#include "worker.hpp"

#include "client.hpp"
#include "layout.hpp"
#include "trip.hpp"

#include <csignal>
#include <iostream>
#include <utility>
#include <vector>

namespace booking {
namespace {

/// No answer: the same key may be asked again.
pd::Error nobody_answered(const Answer& answer) {
  pd::Error error{pd::Code::overloaded, answer.reason};
  error.effect =
      answer.kind == Answer::Kind::never_sent ? pd::ErrorEffect::refused : pd::ErrorEffect::unknown;
  return error;
}

/// What does a tool: the service of this kind.
auto asks(std::string directory, std::string_view kind) {
  return [service = Service(std::string(kind), port_file_of(directory, kind)),
          costs = kind == "payment"](pd::Step& step, const Trip& trip) -> pd::Result<Confirmation> {
    const Answer answer = service.act(
        {step.key(), trip.id, trip.traveller, trip.city, costs ? trip.amount_cents : 0});
    switch (answer.kind) {
      case Answer::Kind::ok: return Confirmation{answer.reference};
      case Answer::Kind::refused:
      case Answer::Kind::gone: return pd::Error{pd::Code::refused, answer.reason};
      case Answer::Kind::invalid: return pd::Error{pd::Code::invalid_request, answer.reason};
      case Answer::Kind::unknown:
      case Answer::Kind::never_sent: break;
    }
    return nobody_answered(answer);
  };
}

/// What does a compensation: the same service, told the action's key.
auto undoes(std::string directory, std::string_view kind) {
  return [service = Service(std::string(kind), port_file_of(directory, kind))](
             pd::Step&, const pd::Receipt<Trip, Confirmation>& receipt) -> pd::Result<void> {
    const Answer answer = service.undo(receipt.key, receipt.input.id);
    if (answer.kind == Answer::Kind::ok) return pd::success();
    if (answer.kind == Answer::Kind::invalid)
      return pd::Error{pd::Code::invalid_request, answer.reason};
    return nobody_answered(answer);
  };
}

pd::Result<std::vector<pd::Run<Itinerary>>> start_all(pd::Runtime& runtime,
                                                      const WorkerOptions& options) {
  std::vector<pd::Run<Itinerary>> runs;
  for (std::uint32_t number = 1; number <= options.trips; ++number) {
    const Trip trip = trip_of({options.trips, options.seed}, number);
    // The same trip is the same session: what an earlier process began goes on.
    PERDURE_TRY(auto run, runtime.session(trip_agent, trip.id).start(trip));
    runs.push_back(std::move(run));
  }
  return runs;
}

pd::Result<void> work(const WorkerOptions& options) {
  const std::string& dir = options.directory;
  PERDURE_TRY(auto runtime,
              pd::Runtime::open({.journal = journal_of(dir),
                                 // That it dies again and again is the demo.
                                 .suspected_crashes = pd::SuspectedCrashes::run_again}));
  runtime.serve(trip_agent, book_flight.by(asks(dir, "flight")), book_hotel.by(asks(dir, "hotel")),
                book_car.by(asks(dir, "car")), charge.by(asks(dir, "payment")),
                issue.by(asks(dir, "itinerary")));
  runtime.serve(cancel_flight.by(undoes(dir, "flight")), cancel_hotel.by(undoes(dir, "hotel")),
                cancel_car.by(undoes(dir, "car")), refund.by(undoes(dir, "payment")));
  PERDURE_TRY(runtime.start());
  PERDURE_TRY(const auto runs, start_all(runtime, options));
  for (const pd::Run<Itinerary>& run : runs) {
    const pd::Result<Itinerary> itinerary = run.wait();
    // That it was refused is an end as good as any: all of it is undone.
    if (itinerary.has_error() && itinerary.error().code != pd::Code::refused)
      return itinerary.error();
  }
  return runtime.shutdown();
}

}  // namespace

int run_worker(const WorkerOptions& options) {
  // A service may die while it is written to.
  std::signal(SIGPIPE, SIG_IGN);
  const pd::Result<void> done = work(options);
  if (done.has_value()) return 0;
  std::cerr << "booking: " << done.error().to_string() << '\n';
  return 1;
}

}  // namespace booking
