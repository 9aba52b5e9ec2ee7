/// The outside world's memory: what left the process, line by line.
///
/// What this is: the log that the workload writes as it runs (one write(2) a line), read back. A
/// body notes itself before it does anything; a caller notes what the runtime acknowledged.
/// What it promises: nothing of it comes from the journal.
/// What it does not: judge (checker.hpp).
///
/// A line is fields separated by tabs; tab, newline and backslash in a field are escaped:
///
///     life     LABEL
///     effect   RUN STEP KEY ATTEMPT NAME CLASS WILL NONCE {SOURCE=TEXT}…
///     started  AGENT SESSION RUN ORDER KEY
///     reply    RUN TEXT
///     signal   AGENT SESSION TEXT
///     cancel   RUN HOW
///     state    AGENT SESSION NAME TEXT
///     parked   RUN CODE MESSAGE
///     trouble  TEXT
///     stopped  (the runtime was shut down before all had ended, and said that it was well; or it
///              died behind a clean end that the journal tells of, and the harness says it)
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace perdure::crash {

/// What a body was about to return when it noted itself.
enum class Will : std::uint8_t { succeed, fail, refuse };
[[nodiscard]] std::string_view to_string(Will will) noexcept;

/// Where something that a body or a reply is made of comes from, and what it was: `{"3", NONCE}`
/// the result of step 3, `{"4", "!refused: …"}` its failure. Sources that begin with `~` are no
/// results, but must be the same whenever the handler comes by there (`~random`, `~order`).
using Source = std::pair<std::string, std::string>;
using Sources = std::vector<Source>;
[[nodiscard]] std::string to_text(const Sources& sources);
/// Throws std::invalid_argument when the text was not written by `to_text`.
[[nodiscard]] Sources sources_of(std::string_view text);

struct Effect {
  std::string run;
  std::string step;
  std::string key;
  int attempt = 0;
  std::string name;
  std::string effect_class;
  Will will = Will::succeed;
  std::string nonce;
  Sources inputs;
};
struct Started {
  std::string agent;
  std::string session;
  std::string run;
  std::string order;
  std::string key = "start";  ///< The message's; empty: each makes a run, or joins one.
};
struct Replied {
  std::string run;
  std::string text;  ///< The reply, or the failure as words_of tells it.
};
/// A signal that the session took.
struct Signalled {
  std::string agent;
  std::string session;
  std::string text;
};
/// An order that the run was to end, which was acknowledged: `cancel` or `kill`.
struct Cancelled {
  std::string run;
  std::string how;
};
/// What a query said of a session's state.
struct Asked {
  std::string agent;
  std::string session;
  std::string name;
  std::string text;
};
struct Parked {
  std::string run;
  std::string code;
  std::string message;
};

/// One process's life.
struct Life {
  std::string label;
  std::vector<Effect> effects;
  std::vector<Started> started;
  std::vector<Replied> replies;
  std::vector<Parked> parked;
  std::vector<std::string> troubles;
  bool stopped = false;
  std::vector<Signalled> signals = {};
  std::vector<Cancelled> cancels = {};
  std::vector<Asked> asked = {};
};
using History = std::vector<Life>;

[[nodiscard]] std::string to_line(const std::vector<std::string>& fields);
[[nodiscard]] std::string line_of(const Effect& effect);
/// Lines that end with a newline; what stands behind the last one is a line that was never whole.
/// Throws std::invalid_argument for a line that no workload writes.
[[nodiscard]] History history_of(std::string_view text);
/// Takes away what a dying process left of a line in `file`: SIGKILL may cut a write at a page's
/// end, and the next process's first line would be one with it.
void drop_torn_line(const std::filesystem::path& file);
/// history_of for a file; without the file, empty.
[[nodiscard]] History read_history(const std::filesystem::path& file);

}  // namespace perdure::crash
