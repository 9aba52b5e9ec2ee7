#include "actors/call_circle.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace perdure::actors {
namespace {

using journal::Arrival;
using journal::SessionId;
using journal::StepKind;
using What = journal::ArrivalRow::What;

/// How many sessions the words of a circle name.
constexpr std::size_t kNamed = 8;

/// What a session that cannot move by itself waits for.
struct Blocked {
  RunId run;
  std::vector<SessionId> on;
};

/// Whether something that has come and was not looked at may move the session's unfinished run.
Result<bool> may_be_moved(journal::Reader& reader, const SessionId& session) {
  PERDURE_TRY(const std::vector<Arrival> unread, reader.arrivals(journal::Table::inbox, session));
  return std::ranges::any_of(unread, [](const Arrival& each) {
    return each.what == What::reply || each.what == What::cancel || each.what == What::kill;
  });
}

/// Empty: the session can move.
Result<std::optional<Blocked>> blocked(journal::Reader& reader, const SessionId& session) {
  const std::optional<Blocked> can_move;
  PERDURE_TRY(const std::optional<RunId> run, reader.open_run(session));
  if (!run) return can_move;
  PERDURE_TRY(const std::optional<journal::Head> head, reader.head(*run));
  if (!head || head->status != journal::RunStatus::waiting) return can_move;
  PERDURE_TRY(const bool moved, may_be_moved(reader, session));
  if (moved) return can_move;
  PERDURE_TRY(const std::vector<journal::Attempts> attempts, reader.attempts(*run));
  if (std::ranges::any_of(attempts, [](const auto& each) { return each.next_due != 0; }))
    return can_move;
  Blocked found{*run, {}};
  PERDURE_TRY(const std::vector<journal::Wait> waits, reader.waits(*run));
  for (const journal::Wait& wait : waits) {
    if ((wait.kind != StepKind::call && wait.kind != StepKind::join) || wait.due != 0 ||
        !wait.session)
      return can_move;
    found.on.push_back(*wait.session);
  }
  if (waits.empty()) {
    PERDURE_TRY(const std::vector<journal::Child> children, reader.children(*run));
    for (const journal::Child& child : children)
      if (!child.ended && child.parent_end == journal::ParentEnd::wait)
        found.on.push_back(child.session);
  }
  PERDURE_TRY(journal::RecordStream records, reader.records(*run));
  PERDURE_TRY(const journal::RecordBuffer* const first, records.next());
  if (first == nullptr) return can_move;
  PERDURE_TRY(const journal::RunCreated created, first->as<journal::RunCreated>());
  if (created.deadline != 0) return can_move;
  return std::optional(std::move(found));
}

/// From `from` by what is blocked to `to`, or empty.
std::vector<SessionId> way(const std::map<SessionId, Blocked>& all, const SessionId& from,
                           const SessionId& to) {
  std::map<SessionId, SessionId> reached_from;
  std::vector<SessionId> queue{from};
  for (std::size_t i = 0; i < queue.size(); ++i)
    for (const SessionId& next : all.find(queue[i])->second.on) {
      if (!reached_from.emplace(next, queue[i]).second) continue;
      if (next != to) {
        queue.push_back(next);
        continue;
      }
      std::vector<SessionId> path{to};
      for (SessionId at = reached_from.find(to)->second; at != from;
           at = reached_from.find(at)->second)
        path.push_back(at);
      path.push_back(from);
      std::ranges::reverse(path);
      return path;
    }
  return {};
}

Result<std::string> words_of(journal::Reader& reader, const std::vector<SessionId>& circle) {
  std::string words;
  for (std::size_t i = 0; i < circle.size(); ++i) {
    if (i == kNamed && circle.size() > kNamed + 1) {
      words += ", which waits for others, and they for ";
      i = circle.size() - 1;
    } else if (i != 0) {
      words += i == 1 ? " waits for " : ", which waits for ";
    }
    PERDURE_TRY(const auto info, reader.session(circle[i]));
    words += info ? info->agent + "/" + info->key : std::string("a session");
  }
  return words;
}

}  // namespace

Result<std::optional<CircleCloser>> find_call_circle(journal::Reader& reader,
                                                     const SessionId& session) {
  const std::optional<CircleCloser> none;
  std::map<SessionId, Blocked> all;
  std::vector<SessionId> queue{session};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    if (all.contains(queue[i])) continue;
    PERDURE_TRY(std::optional<Blocked> here, blocked(reader, queue[i]));
    if (!here) return none;
    queue.insert(queue.end(), here->on.begin(), here->on.end());
    all.emplace(queue[i], *std::move(here));
  }
  const std::vector<SessionId> circle = way(all, session, session);
  if (circle.empty()) return none;
  std::optional<CircleCloser> closer;
  for (std::size_t i = 1; i < circle.size(); ++i) {
    const RunId& caller = all.find(circle[i - 1])->second.run;
    PERDURE_TRY(std::vector<Arrival> kept, reader.arrivals(journal::Table::kept, circle[i]));
    for (Arrival& each : kept)
      if (each.what == What::message && each.caller && each.caller->run == caller &&
          (!closer || each.number > closer->number))
        closer = CircleCloser{
            circle[i], std::move(each.agent), std::move(each.session_key), each.number, {}};
  }
  if (!closer) return none;
  PERDURE_TRY(closer->words, words_of(reader, circle));
  return closer;
}

}  // namespace perdure::actors
