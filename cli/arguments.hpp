/// The command line.
///
/// What this is: from argv to what is asked for. CLI11 appears in arguments.cpp only.
/// What it promises: a command line that is wrong gets one sentence that says so and how to get
/// help.
/// What it does not: look at the journal.
#pragma once

#include <perdure/cancel.hpp>

#include "cli/exit_code.hpp"
#include "cli/sagas.hpp"
#include "cli/screen.hpp"
#include "cli/user_rows.hpp"
#include "journal/budget_rows.hpp"
#include "journal/record.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace perdure::cli {

enum class Verb : std::uint8_t {
  runs,
  show,
  journal,
  session,
  blob,
  rows,
  sagas,
  saga_show,
  verify,
  retry_now,
  resume,
  cancel,
  kill,
  send,
  raise,
  saga_retry,
  saga_skip,
  saga_mark_done,
  saga_compensate
};

/// Whether a verb gives an order, instead of looking.
[[nodiscard]] constexpr bool gives_an_order(Verb verb) noexcept { return verb >= Verb::retry_now; }

struct RunsRequest {
  std::vector<journal::RunStatus> statuses;  ///< Empty: any.
  std::optional<std::string> agent;
  std::optional<std::size_t> limit = 50;  ///< The newest so many; empty: all.
};

/// Whether what it is about is a saga, and it is an order.
[[nodiscard]] constexpr bool is_saga_order(Verb verb) noexcept { return verb >= Verb::saga_retry; }

enum class Mail : std::uint8_t { signal, message };

struct OrderRequest {
  std::string why;                ///< Of cancel and kill, and of those about a saga.
  std::optional<std::string> by;  ///< Of those and of raise; empty: the user.
  std::chrono::milliseconds grace = std::chrono::seconds(30);   ///< Of cancel.
  std::chrono::milliseconds within = std::chrono::seconds(10);  ///< For an answer.
  Mail mail = Mail::signal;                                     ///< Of send, as what follows.
  std::string name;                                             ///< Of the signal or the handler.
  std::string json = "null";                ///< `-`: it is read from standard input.
  std::string key;                          ///< Of the message.
  journal::Limits limits;                   ///< Of a raise.
  OpenSagas open_sagas = OpenSagas::leave;  ///< Of cancel and kill.
  std::optional<std::uint32_t> action;      ///< Of a saga's retry, skip and mark-done; empty: all.
};

struct Request {
  Verb verb = Verb::runs;
  std::filesystem::path journal;
  Format format = Format::text;
  Zone zone = Zone::local;
  RunsRequest runs;
  std::string run;      ///< As written: an id, a part of one, or `agent/key`; of send, `agent/key`.
  std::string session;  ///< As written: `agent/key`.
  std::string blob;     ///< As written: an id, or the first digits of one.
  RowsRequest rows;
  SagasRequest sagas;
  std::string saga;  ///< As written: RUN.N, or a run of which there is one.
  OrderRequest order;
};

/// Nothing to do but to say something: help, the version, or what is wrong with the command line.
struct Answer {
  ExitCode code = ExitCode::ok;
  std::string
      text;  ///< Ends with a newline. For standard output when `code` is ok, else for errors.
};

/// Reads `arguments`, argv with the program's name.
[[nodiscard]] std::variant<Request, Answer> parse_arguments(std::span<const char* const> arguments);

}  // namespace perdure::cli
