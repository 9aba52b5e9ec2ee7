#include "tests/crash/operator.hpp"

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/control_queue.hpp"
#include "journal/directory.hpp"
#include "tests/crash/history.hpp"
#include "tests/crash/workload_types.hpp"

#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>

namespace perdure::crash {
namespace {

using journal::ControlRequest;
using journal::ControlVerb;

ControlRequest order(ControlVerb verb) {
  ControlRequest request;
  request.verb = verb;
  request.what.what = journal::row_of(verb);
  return request;
}

template <class T>
ControlRequest mail(ControlVerb verb, const char* agent, const char* session, const char* name,
                    const T& value) {
  ControlRequest request = order(verb);
  request.what.agent = agent;
  request.what.session_key = session;
  request.what.name = name;
  request.what.payload = encode(value).value();
  return request;
}

/// The first run of the session, if it is there.
std::optional<RunId> run_of(const std::filesystem::path& directory, std::string_view agent,
                            std::string_view session) {
  std::optional<RunId> run;
  const auto journal = journal::JournalForReading::open(directory).value();
  journal::Reader reader = journal::Reader::open(journal->store()).value();
  reader
      .each_run([&](const journal::RunInfo& info) {
        if (info.agent == agent && info.session_key == session) run = info.id;
        return !run;
      })
      .value();
  return run;
}

}  // namespace

void give_orders(const std::filesystem::path& journal, const std::filesystem::path& outside,
                 const std::string& name) {
  // A process that died early has left no journal.
  if (!journal::JournalForReading::open(journal)) return;
  core::SystemClock clock;
  core::SystemRandom random;
  drop_torn_line(outside);
  std::ofstream notes(outside, std::ios::app);
  const auto queue = [&](ControlRequest request) {
    return journal::queue_order(journal, std::move(request), clock, random);
  };
  const Order amount{"by an operator", 5};
  ControlRequest message = mail(ControlVerb::message, "ledger", "bank", "book", amount);
  message.what.message_key = name;
  const auto booked = queue(message);
  if (!booked) throw std::runtime_error(booked.error().to_string());
  notes << to_line(
      {"started", "ledger", "bank", to_string(booked.value().run.value()), words_of(amount), name});
  const std::string text = name + " was given";
  const auto told = queue(mail(ControlVerb::signal, "listener", "l", "outer", text));
  if (!told) throw std::runtime_error(told.error().to_string());
  notes << to_line({"signal", "listener", "l", text});
  const std::optional<RunId> run = run_of(journal, "plain", "c");
  if (!run) return;
  ControlRequest cancel = order(ControlVerb::cancel);
  cancel.what.run = run;
  cancel.what.who = "an operator";
  cancel.what.grace_ms = 600'000;
  static_cast<void>(queue(cancel));
}

}  // namespace perdure::crash
