/// research_agent: reads a folder of documents and writes a report about them, durably.
///
/// Kill it at any moment and start it again with the same arguments: it goes on where it was.

#include "agent.hpp"
#include "documents.hpp"
#include "file.hpp"
#include "rehearsal.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <chrono>
#include <exception>
#include <filesystem>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>

namespace {
namespace fs = std::filesystem;
namespace pd = perdure;
using namespace std::chrono_literals;

/// What the process ends with; --help lists them.
enum Exit : int { written = 0, run_failed = 1, bad_usage = 2, bad_files = 3, no_runtime = 4 };

struct Arguments {
  std::string input = "/usr/share/common-licenses";
  std::string journal;
  std::string out;
  unsigned crash_at_step = 0;
  std::string effects;
};

void declare(CLI::App& app, Arguments& arguments) {
  app.description(
      "Reads a folder of documents in many durable steps and writes a Markdown report about them.\n"
      "Kill it and start it again with the same arguments: it goes on where it was.");
  app.add_option("--input", arguments.input, "Folder of .txt, .md or extensionless documents")
      ->capture_default_str();
  app.add_option("--journal", arguments.journal, "Folder of the journal; made when it is not there")
      ->required();
  app.add_option("--out", arguments.out, "File to write the report to")->required();
  app.add_option("--crash-at-step", arguments.crash_at_step,
                 "Kill this process (SIGKILL) in the middle of this step; the first is 1")
      ->check(CLI::PositiveNumber);
  app.add_option("--effects", arguments.effects,
                 "Append a line here whenever a step's body really runs:\n"
                 "run id, step id, attempt, name, parted by tabs");
  app.footer(
      "Exit codes: 0 the report is written; 1 the run failed or waits for a person; 2 the command "
      "line is wrong; 3 the input cannot be read or the report not be written; 4 the journal "
      "cannot "
      "be used.");
}

/// Paths as they are in the request: the same however the arguments were written.
pd::Result<research::ResearchRequest> request_of(const Arguments& arguments) {
  PERDURE_TRY(research::list_documents(arguments.input));
  std::error_code failure;
  const fs::path folder = fs::canonical(arguments.input, failure);
  const fs::path out = fs::weakly_canonical(fs::absolute(arguments.out), failure);
  const fs::path parent = out.parent_path();
  if (failure || fs::is_directory(out) || !fs::is_directory(parent)) {
    return pd::Error{pd::Code::refused, "The report cannot be written to " + arguments.out +
                                            ". Name a file in a folder that exists with --out."};
  }
  if (::access(parent.c_str(), W_OK) != 0) {
    return pd::Error{pd::Code::refused, "This user may not write to " + parent.string() +
                                            ". Name another file with --out."};
  }
  return research::ResearchRequest{folder.string(), out.string()};
}

/// Hears of runs that wait for a person, so that nobody waits for them in vain.
class Listener {
 public:
  void hear(const pd::Event& event) {
    if (event.kind == pd::EventKind::storage_full || event.kind == pd::EventKind::storage_recovered)
      return;
    const std::scoped_lock lock(mutex_);
    if (!trouble_) trouble_ = event;
  }
  /// Why `run` will not end in this process; empty while it may.
  [[nodiscard]] std::optional<pd::Error> trouble(const pd::RunId& run) const {
    const std::scoped_lock lock(mutex_);
    if (!trouble_ || (trouble_->run && *trouble_->run != run)) return {};
    return trouble_->error;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<pd::Event> trouble_;
};

/// Waits for the run's end, or until it is known not to come. The agent's steps have no time limit,
/// so a timeout is always that of the waiting.
pd::Result<research::Report> outcome_of(const pd::Run<research::Report>& run,
                                        const Listener& listener) {
  while (true) {
    pd::Result<research::Report> outcome = run.wait({.within = 100ms});
    if (outcome || outcome.error().code != pd::Code::timeout) return outcome;
    if (std::optional<pd::Error> trouble = listener.trouble(run.id())) return *std::move(trouble);
  }
}

int complain(Exit exit, const pd::Error& error) {
  std::cerr << "research_agent: " << error.message << '\n';
  return exit;
}

/// The report is in the journal as well, so that a lost file is no lost report.
pd::Result<void> restore_if_missing(const std::string& out, const research::Report& report) {
  if (fs::exists(out)) return pd::success();
  return research::write_file(out, report.markdown);
}

int tell(const research::ResearchRequest& request, const pd::Run<research::Report>& run,
         const pd::Result<research::Report>& outcome) {
  if (!outcome) {
    std::cerr << "research_agent: " << outcome.error().message << '\n'
              << "The run " << pd::to_string(run.id())
              << " is in the journal (perdure show). If it has failed it stays so: for a new one, "
                 "mend the cause and give another --journal or --out.\n";
    return run_failed;
  }
  const research::Report& report = outcome.value();
  if (const pd::Result<void> there = restore_if_missing(request.out, report); !there) {
    return complain(bad_files, there.error());
  }
  const std::size_t begun = research::bodies_begun();
  std::cout << request.out << ": " << report.documents << " documents, " << report.words
            << " words. Run " << pd::to_string(run.id()) << ", " << begun
            << " steps done in this process";
  if (begun == 0) std::cout << ": the journal had it all. For a new reading give another --journal";
  std::cout << ".\n";
  return written;
}

int work(const Arguments& arguments) {
  const auto request = request_of(arguments);
  if (!request) return complain(bad_files, request.error());
  const research::Rehearsal rehearsal{
      arguments.effects,
      arguments.crash_at_step == 0 ? "" : std::to_string(arguments.crash_at_step)};
  if (const auto ready = research::rehearse(rehearsal); !ready) {
    return complain(bad_files, ready.error());
  }
  const auto listener = std::make_shared<Listener>();
  auto runtime = pd::Runtime::open({.journal = arguments.journal});
  if (!runtime) return complain(no_runtime, runtime.error());
  runtime.value().on_event([listener](const pd::Event& event) { listener->hear(event); });
  runtime.value().serve(research::research_agent);
  if (const auto started = runtime.value().start(); !started) {
    return complain(no_runtime, started.error());
  }
  const auto session =
      runtime.value().session(research::research_agent, research::session_key(request.value()));
  const auto run = session.start(request.value());
  if (!run) return complain(no_runtime, run.error());
  const int exit = tell(request.value(), run.value(), outcome_of(run.value(), *listener));
  if (const auto closed = runtime.value().shutdown(); !closed) {
    return complain(no_runtime, closed.error());
  }
  return exit;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app;
  Arguments arguments;
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? written : bad_usage;
  }
  return work(arguments);
}
