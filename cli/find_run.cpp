#include "cli/find_run.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/text.hpp"

namespace perdure::cli {
namespace {

using journal::RunInfo;

constexpr std::size_t kPartLeast = 4;
constexpr std::size_t kIdCharacters = 26;
constexpr std::size_t kNamed = 5;  ///< Candidates that an error lists.

std::string quoted(std::string_view text) { return "'" + safe_line(text, 80) + "'"; }

Error not_found(std::string message) { return {Code::not_found, std::move(message)}; }

std::string candidate(const RunInfo& run) {
  return "\n  " + to_string(run.id) + "  " + std::string(to_string(run.head.status)) + "  " +
         safe_line(run.agent + "/" + run.session_key, 60);
}

/// The runs that are meant, counted; only as many kept as an error names.
struct Candidates {
  std::vector<RunInfo> kept;
  std::size_t count = 0;

  void add(const RunInfo& run) {
    if (++count <= kNamed) kept.push_back(run);
  }
  [[nodiscard]] Error ambiguous(const std::string& what) const {
    std::string text = what + " " + std::to_string(count) + " runs; give more of the id:";
    for (const RunInfo& run : kept) text += candidate(run);
    if (count > kept.size()) text += "\n  and " + std::to_string(count - kept.size()) + " more";
    return not_found(std::move(text));
  }
};

Result<Candidates> candidates(journal::Reader& reader,
                              const std::function<bool(const RunInfo&)>& meant) {
  Candidates found;
  PERDURE_TRY(reader.each_run([&](const RunInfo& run) {
    if (meant(run)) found.add(run);
    return true;
  }));
  return found;
}

Result<RunInfo> of_session(journal::Reader& reader, std::string_view text, std::size_t slash) {
  const std::string_view agent = text.substr(0, slash);
  const std::string_view key = text.substr(slash + 1);
  PERDURE_TRY(const auto session, reader.find_session(agent, key));
  if (!session)
    return not_found("there is no session " + quoted(text) +
                     " in the journal; `perdure runs` lists what there is");
  PERDURE_TRY(const auto started, reader.find_message(*session, "start"));
  if (started) {
    PERDURE_TRY(const auto run, reader.run(*started));
    if (run) return *run;
  }
  PERDURE_TRY(const Candidates found,
              candidates(reader, [&](const RunInfo& run) { return run.session == *session; }));
  if (found.count == 1) return found.kept.front();
  if (found.count > 1) return found.ambiguous("session " + quoted(text) + " has");
  return not_found("session " + quoted(text) + " has no runs in the journal");
}

/// As ids are printed: upper case, and i, l, o as the digits that they are read as.
std::optional<std::string> normal(std::string_view text) {
  std::string id;
  for (const char typed : text) {
    const char upper = typed >= 'a' && typed <= 'z' ? static_cast<char>(typed - 'a' + 'A') : typed;
    const char meant = upper == 'O' ? '0' : upper == 'I' || upper == 'L' ? '1' : upper;
    if (std::string_view("0123456789ABCDEFGHJKMNPQRSTVWXYZ").find(meant) == std::string_view::npos)
      return std::nullopt;
    id += meant;
  }
  return id;
}

Result<RunInfo> by_part(journal::Reader& reader, const std::string& part) {
  PERDURE_TRY(const Candidates found, candidates(reader, [&](const RunInfo& run) {
                const std::string id = to_string(run.id);
                return id.starts_with(part) || id.ends_with(part);
              }));
  if (found.count == 1) return found.kept.front();
  if (found.count > 1) return found.ambiguous("'" + part + "' begins or ends the ids of");
  return not_found("no run's id begins or ends with '" + part +
                   "'; `perdure runs` lists what there is");
}

}  // namespace

Result<RunInfo> find_run(journal::Reader& reader, std::string_view text) {
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos)
    return of_session(reader, text, slash);
  const std::optional<std::string> part = normal(text);
  if (!part || part->size() > kIdCharacters)
    return Error{Code::misuse,
                 quoted(text) +
                     " is neither a run's id (26 letters and digits) nor the address of a "
                     "session (agent/key)"};
  if (part->size() < kPartLeast)
    return Error{Code::misuse, quoted(text) +
                                   " is too short for a part of a run's id: give at least " +
                                   std::to_string(kPartLeast) + " characters"};
  if (part->size() < kIdCharacters) return by_part(reader, *part);
  const Result<RunId> id = RunId::parse(*part);
  if (id.has_error()) return Error{Code::misuse, id.error().message};
  PERDURE_TRY(auto run, reader.run(id.assume_value()));
  if (!run) return not_found("there is no run " + *part + " in the journal");
  return *std::move(run);
}

Result<RunInfo> find_unfinished_run(journal::Reader& reader, std::string_view text) {
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    PERDURE_TRY(const auto session,
                reader.find_session(text.substr(0, slash), text.substr(slash + 1)));
    if (session) {
      PERDURE_TRY(const std::optional<RunId> open, reader.open_run(*session));
      if (open) {
        PERDURE_TRY(auto run, reader.run(*open));
        if (run) return *std::move(run);
      }
    }
  }
  return find_run(reader, text);
}

}  // namespace perdure::cli
