/// ledger: a small bank whose tellers transfer money at the same time, durably.
///
/// Kill it at any moment and start it again with the same arguments: no cent is lost or made, and
/// each transfer is in the book once.

#include "ledger.hpp"

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace {

namespace pd = perdure;

/// What the process ends with; --help lists them.
enum Exit : int { sound = 0, unsound = 1, bad_usage = 2, failed = 3 };

struct Arguments {
  std::string journal;
  int accounts = 20;
  int tellers = 4;
  int transfers = 50;
};

constexpr std::int64_t kCentsEach = 10'000;

void declare(CLI::App& app, Arguments& arguments) {
  app.description(
      "A small bank: tellers transfer money at the same time, and an audit counts it.\n"
      "Kill it and start it again with the same arguments: it goes on where it was.");
  app.add_option("--journal", arguments.journal, "Folder of the journal; made when it is not there")
      ->required();
  app.add_option("--accounts", arguments.accounts, "How many accounts; each opens with 100.00")
      ->capture_default_str()
      ->check(CLI::Range(2, 9'999));
  app.add_option("--tellers", arguments.tellers, "How many tellers work at the same time")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000));
  app.add_option("--transfers", arguments.transfers, "How many transfers each of them tries")
      ->capture_default_str()
      ->check(CLI::Range(0, 100'000));
  app.footer(
      "Exit codes: 0 the money is all there; 1 it is not; 2 the command line is wrong; 3 a run "
      "failed, or the journal cannot be used.");
}

/// Everybody works, and what they and the audit say is held against each other.
pd::Result<Exit> run_bank(pd::Runtime& runtime, const Arguments& arguments) {
  // The keys are the same each time, so a second process attaches to the runs of the first.
  PERDURE_TRY(auto opened,
              runtime.session(ledger::bank, "main").start({arguments.accounts, kCentsEach}));
  PERDURE_TRY(opened.wait());
  std::vector<pd::Run<ledger::Outcome>> shifts;
  for (int i = 0; i < arguments.tellers; ++i) {
    PERDURE_TRY(auto shift, runtime.session(ledger::teller, "teller-" + std::to_string(i))
                                .start({arguments.transfers, arguments.accounts}));
    shifts.push_back(shift);
  }
  // While they work: the sum is right at every moment.
  PERDURE_TRY(auto looked, runtime.session(ledger::auditor, "meanwhile").start(0));
  PERDURE_TRY(const ledger::Audit meanwhile, looked.wait());
  ledger::Outcome all;
  for (const auto& shift : shifts) {
    PERDURE_TRY(const ledger::Outcome outcome, shift.wait());
    all.made += outcome.made;
    all.refused += outcome.refused;
  }
  PERDURE_TRY(auto last, runtime.session(ledger::auditor, "afterwards").start(0));
  PERDURE_TRY(const ledger::Audit audit, last.wait());
  std::cout << "accounts " << audit.accounts << "\ncents " << audit.cents << "\nmade " << all.made
            << "\nrefused " << all.refused << "\nbook " << audit.transfers << '\n';
  const std::int64_t money = arguments.accounts * kCentsEach;
  const bool is_sound =
      meanwhile.cents == money && audit.cents == money && audit.transfers == all.made;
  if (!is_sound) std::cerr << "ledger: the sums do not agree\n";
  return is_sound ? sound : unsound;
}

pd::Result<Exit> run(const Arguments& arguments) {
  // Whoever tries this kills the process on purpose: no step is to blame.
  PERDURE_TRY(auto runtime,
              pd::Runtime::open({.journal = arguments.journal,
                                 .suspected_crashes = pd::SuspectedCrashes::run_again}));
  runtime.serve(ledger::bank, ledger::teller, ledger::auditor);
  PERDURE_TRY(runtime.start());
  PERDURE_TRY(const Exit exit, run_bank(runtime, arguments));
  PERDURE_TRY(runtime.shutdown());
  return exit;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Arguments arguments;
    CLI::App app("", "ledger");
    declare(app, arguments);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& thrown) {
      return app.exit(thrown) == 0 ? sound : bad_usage;
    }
    const pd::Result<Exit> exit = run(arguments);
    if (exit.has_value()) return exit.value();
    std::cerr << "ledger: " << exit.error().to_string() << '\n';
  } catch (const std::exception& thrown) {
    std::cerr << "ledger: " << thrown.what() << '\n';
  }
  return failed;
}
