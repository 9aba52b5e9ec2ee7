#include "cli/command.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "cli/arguments.hpp"
#include "cli/blob.hpp"
#include "cli/find_run.hpp"
#include "cli/find_saga.hpp"
#include "cli/orders.hpp"
#include "cli/records.hpp"
#include "cli/runs.hpp"
#include "cli/saga_show.hpp"
#include "cli/sagas.hpp"
#include "cli/session.hpp"
#include "cli/show.hpp"
#include "cli/text.hpp"
#include "cli/user_rows.hpp"
#include "cli/verify.hpp"
#include "journal/directory.hpp"
#include "journal/reader.hpp"
#include "journal/renewing_store.hpp"

namespace perdure::cli {
namespace {

/// While it lives, `store` lets go of its snapshot ahead of each write of `buffer` (if any).
class Unheld {
 public:
  Unheld(DescriptorBuffer* buffer, journal::RenewingStore& store) : buffer_(buffer) {
    if (buffer_ != nullptr) buffer_->before_writing([&store] { store.release(); });
  }
  ~Unheld() {
    if (buffer_ != nullptr) buffer_->before_writing(nullptr);
  }
  Unheld(const Unheld&) = delete;
  Unheld& operator=(const Unheld&) = delete;

 private:
  DescriptorBuffer* buffer_;
};

ExitCode fail(std::ostream& err, ExitCode code, const Error& error) {
  std::string_view lead = "perdure: ";
  for (const std::string& line : safe_lines(error.message)) {
    err << lead << line << '\n';
    lead = "";
  }
  return code;
}

ExitCode is_not_found(std::ostream& err, const Error& error) {
  const ExitCode code = error.code == Code::not_found ? ExitCode::not_found
                        : error.code == Code::misuse  ? ExitCode::usage
                                                      : ExitCode::unreadable;
  return fail(err, code, error);
}

ExitCode about_a_run(journal::JournalForReading& journal, journal::Reader& reader,
                     const Request& request, const Screen& screen, std::ostream& err) {
  const Result<journal::RunInfo> run = find_run(reader, request.run);
  if (run.has_error()) return is_not_found(err, run.assume_error());
  const Result<void> shown = request.verb == Verb::show
                                 ? show_run(reader, run.assume_value(), journal.holder(), screen)
                                 : show_records(reader, run.assume_value(), screen);
  if (shown.has_error()) return fail(err, ExitCode::unreadable, shown.assume_error());
  return ExitCode::ok;
}

ExitCode about_a_session(journal::JournalForReading& journal, journal::Reader& reader,
                         const Request& request, const Screen& screen, std::ostream& err) {
  const Result<SessionFacts> session = find_session(reader, request.session);
  if (session.has_error()) return is_not_found(err, session.assume_error());
  const Result<void> shown = show_session(reader, session.assume_value(), journal.holder(), screen);
  if (shown.has_error()) return fail(err, ExitCode::unreadable, shown.assume_error());
  return ExitCode::ok;
}

ExitCode about_a_saga(journal::JournalForReading& journal, journal::Reader& reader,
                      const Request& request, const Screen& screen, std::ostream& err) {
  const Result<journal::SagaId> saga = find_saga(reader, request.saga);
  if (saga.has_error()) return is_not_found(err, saga.assume_error());
  const Result<void> shown = show_saga(reader, saga.assume_value(), journal.holder(), screen);
  if (shown.has_error()) return fail(err, ExitCode::unreadable, shown.assume_error());
  return ExitCode::ok;
}

ExitCode verify(const Request& request, const Screen& screen, std::ostream& err) {
  const Result<ExitCode> verified = verify_journal(request.journal, screen);
  if (verified.has_error()) return fail(err, ExitCode::unreadable, verified.assume_error());
  return verified.assume_value();
}

ExitCode read_journal(const Request& request, const Screen& screen,
                      const Surroundings& surroundings) {
  std::ostream& err = surroundings.err;
  if (request.verb == Verb::verify) return verify(request, screen, err);
  auto opened = journal::JournalForReading::open(request.journal);
  if (opened.has_error()) return fail(err, ExitCode::unreadable, opened.assume_error());
  if (request.verb == Verb::blob) {
    const Result<void> shown = show_blob(request.journal, request.blob, screen);
    return shown.has_error() ? is_not_found(err, shown.assume_error()) : ExitCode::ok;
  }
  journal::JournalForReading& journal = *opened.assume_value();
  // Whoever reads the output may take all night (a pager): the journal is not held meanwhile.
  journal::RenewingStore store(journal.store(), surroundings.clock);
  const Unheld unheld(surroundings.buffer, store);
  Result<journal::Reader> reader = journal::Reader::open(store);
  if (reader.has_error()) return fail(err, ExitCode::unreadable, reader.assume_error());
  if (request.verb == Verb::rows) {
    const Result<void> shown = show_rows(reader.assume_value(), request.rows, screen);
    return shown.has_error() ? is_not_found(err, shown.assume_error()) : ExitCode::ok;
  }
  if (request.verb == Verb::session)
    return about_a_session(journal, reader.assume_value(), request, screen, err);
  if (request.verb == Verb::saga_show)
    return about_a_saga(journal, reader.assume_value(), request, screen, err);
  if (request.verb == Verb::show || request.verb == Verb::journal)
    return about_a_run(journal, reader.assume_value(), request, screen, err);
  const Result<void> listed = request.verb == Verb::sagas
                                  ? list_sagas(reader.assume_value(), request.sagas, screen)
                                  : list_runs(reader.assume_value(), request.runs, screen);
  if (listed.has_error()) return fail(err, ExitCode::unreadable, listed.assume_error());
  return ExitCode::ok;
}

}  // namespace

ExitCode run_command(std::span<const char* const> arguments, const Surroundings& surroundings) {
  const std::variant<Request, Answer> parsed = parse_arguments(arguments);
  if (const Answer* const answer = std::get_if<Answer>(&parsed)) {
    (answer->code == ExitCode::ok ? surroundings.out : surroundings.err) << answer->text;
    return answer->code;
  }
  const Request& request = *std::get_if<Request>(&parsed);
  const Screen screen{.out = surroundings.out,
                      .now = surroundings.clock.wall().time_since_epoch().count(),
                      .format = request.format,
                      .zone = request.zone,
                      .colour = surroundings.colour,
                      .columns = surroundings.columns};
  if (gives_an_order(request.verb)) {
    const Result<ExitCode> given = give_order(request, surroundings, screen);
    if (given.has_value()) return given.assume_value();
    const Code code = given.error().code;
    return fail(surroundings.err,
                code == Code::misuse || code == Code::too_large ? ExitCode::usage
                : code == Code::not_found                       ? ExitCode::not_found
                                                                : ExitCode::refused,
                given.assume_error());
  }
  return read_journal(request, screen, surroundings);
}

}  // namespace perdure::cli
