#include "tests/crash/session_checker.hpp"

#include "tests/crash/workload_types.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>

namespace perdure::crash {
namespace {

/// Between the wall clock that stamps and the one that measures.
constexpr std::int64_t kClocksDifferUs = 2000;
constexpr std::int64_t kNapUs = std::chrono::microseconds(kNap).count();

/// `perdure::ParentEnds`, as the size of a child's order has it.
enum class Policy : std::uint8_t { wait = 1, cancel = 2, abandon = 3 };

/// An order as `words_of` tells it, taken apart; empty and 0 where nobody knows it.
std::string flavour_of(const RecordedRun& run) {
  return run.order.substr(0, run.order.rfind(" x"));
}
int size_of(const RecordedRun& run) {
  const std::size_t at = run.order.rfind(" x");
  return at == std::string::npos ? 0 : std::stoi(run.order.substr(at + 2));
}
std::string session_of(const RecordedRun& run) { return run.agent + "/" + run.session; }
bool has_failed(const RecordedRun& run) { return run.reply && run.reply->starts_with('!'); }

/// `RUN/STEP`, as a handler names what it sends.
struct Sending {
  std::string run;
  std::string step;
};
std::optional<Sending> sending_of(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  return Sending{text.substr(0, slash), text.substr(slash + 1)};
}

/// What a reply says that its handler saw at `source`; empty when it does not.
std::string seen_in(const std::string& reply, std::string_view source) {
  for (const auto& [from, text] : sources_of(reply))
    if (from == source) return text;
  return {};
}

class SessionJudge {
 public:
  SessionJudge(const History& history, const JournalFacts& journal, Ended ended, Ahead ahead)
      : history_(history), journal_(journal), ended_(ended), ahead_(ahead) {
    for (const auto& [id, run] : journal.runs) by_session_[session_of(run)].emplace_back(&id, &run);
    for (auto& [session, runs] : by_session_)
      std::ranges::sort(runs, {}, [](const auto& each) { return each.second->created; });
  }

  std::vector<std::string> all() {
    for (const auto& [session, runs] : by_session_) judge_turns(session, runs);
    judge_messages();
    judge_signals();
    judge_state();
    for (const auto& [id, run] : journal_.runs) {
      judge_child(id, run);
      judge_times(id, run);
      judge_end(id, run);
      judge_failure(id, run);
    }
    judge_cancels();
    judge_versions();
    return std::move(findings_);
  }

 private:
  using Runs = std::vector<std::pair<const std::string*, const RecordedRun*>>;

  void found(int promise, const std::string& what) {
    findings_.push_back("promise " + std::to_string(promise) + ": " + what);
  }
  [[nodiscard]] const RecordedRun* run_of(const std::string& id) const {
    const auto found = journal_.runs.find(id);
    return found == journal_.runs.end() ? nullptr : &found->second;
  }
  /// Whether all that was acknowledged must have come to its end.
  [[nodiscard]] bool is_over() const { return ended_ == Ended::all_of_it; }

  void judge_turns(const std::string& session, const Runs& runs);
  void judge_messages();
  void judge_sent(const std::string& text, const RecordedRun& sender, const std::string& step);
  void judge_signals();
  void judge_state();
  void judge_child(const std::string& id, const RecordedRun& run);
  void judge_times(const std::string& id, const RecordedRun& run);
  void judge_end(const std::string& id, const RecordedRun& run);
  void judge_failure(const std::string& id, const RecordedRun& run);
  void judge_cancels();
  void judge_versions();

  const History& history_;
  const JournalFacts& journal_;
  const Ended ended_;
  const Ahead ahead_;
  std::map<std::string, Runs> by_session_;
  std::vector<std::string> findings_;
};

/// 15. The next run's creation may be part of the change with the last one's end, so no further
///     away.
void SessionJudge::judge_turns(const std::string& session, const Runs& runs) {
  const RecordedRun* before = nullptr;
  for (const auto& [id, run] : runs) {
    if (run->created == 0) continue;
    // One that was ended in the queue has no turn.
    if (run->cancelled != 0 && run->results.empty() && run->ended == run->cancelled + 1) continue;
    if (before != nullptr && (before->ended == 0 || before->ended > run->created))
      found(15, "session " + session + " began run " + *id + " before the one before it had ended");
    before = run;
  }
}

/// 16. Each of them names the step that sent it.
void SessionJudge::judge_messages() {
  std::map<std::string, int> handled;
  for (const auto& [id, run] : journal_.runs) {
    const std::string text = flavour_of(run);
    const std::optional<Sending> sending = sending_of(text);
    if (!sending) continue;
    if (++handled[text] == 2) found(16, "the message " + text + " made a second run, " + id);
    const RecordedRun* const sender = run_of(sending->run);
    if (sender == nullptr) found(16, "run " + id + " is of a message of a run that is not there");
  }
  for (const auto& [id, run] : journal_.runs)
    for (const auto& [step, result] : run.results)
      if (!result.failed && (result.kind == "call" || result.kind == "spawn" ||
                             (result.kind == "send" && result.name == "book")))
        judge_sent(id + "/" + step, run, step);
}

void SessionJudge::judge_sent(const std::string& text, const RecordedRun& sender,
                              const std::string& step) {
  const auto is_it = [&](const auto& each) { return flavour_of(each.second) == text; };
  const auto unread = [&](const Waiting& each) {
    return each.what == "message" && each.text == text;
  };
  const auto run = std::ranges::find_if(journal_.runs, is_it);
  const bool waits = std::ranges::any_of(journal_.waiting, unread);
  if (run == journal_.runs.end() && !waits)
    found(16, "the message " + text + " was sent, and is nowhere");
  if (run != journal_.runs.end() && run->second.created != 0 && waits)
    found(16, "the message " + text + " is handled by run " + run->first + ", and waits as well");
  if (is_over() && waits) found(16, "the message " + text + " still waits");
  const RecordedResult& result = sender.results.at(step);
  if (result.kind == "call" && (run == journal_.runs.end() || run->second.reply != result.text))
    found(16, "the call " + text + " was answered with something else than its run's reply");
}

/// 17.
void SessionJudge::judge_signals() {
  std::map<std::string, std::string> received;
  // By sender: the number of the step whose signal came last, and where that was.
  std::map<std::string, std::pair<int, std::string>> last;
  for (const auto& [id, run] : journal_.runs) {
    std::vector<std::pair<int, const RecordedResult*>> in_order;
    for (const auto& [step, result] : run.results)
      if (result.kind == "receive" && !result.failed)
        in_order.emplace_back(std::stoi(step), &result);
    std::ranges::sort(in_order, {}, [](const auto& each) { return each.first; });
    for (const auto& [step, result] : in_order) {
      const std::string where = id + "/" + std::to_string(step);
      const auto [first, is_new] = received.emplace(result->text, where);
      if (!is_new)
        found(17, "the signal '" + result->text + "' was received at " + first->second +
                      " and at " + where);
      const std::optional<Sending> sending = sending_of(result->text);
      if (!sending) continue;
      auto& [before, at] = last[sending->run + " to " + id];
      if (std::stoi(sending->step) < before)
        found(17, "the signal '" + result->text + "' was received behind a later one, at " + where);
      before = std::stoi(sending->step);
    }
  }
  std::map<std::string, int> kept;
  for (const Waiting& waiting : journal_.waiting)
    if (waiting.what == "signal") ++kept[waiting.text];
  for (const auto& [text, count] : kept)
    if (count > 1 || received.contains(text))
      found(17, "the signal '" + text + "' is kept " + std::to_string(count) +
                    " times, and was received at " +
                    (received.contains(text) ? received.at(text) : "no place"));
  const auto must_be_there = [&](const std::string& text) {
    if (!received.contains(text) && !kept.contains(text))
      found(17, "the signal '" + text + "' was taken, and is nowhere");
  };
  for (const Life& life : history_)
    for (const Signalled& signal : life.signals) must_be_there(signal.text);
  for (const auto& [id, run] : journal_.runs)
    for (const auto& [step, result] : run.results)
      if (result.kind == "send" && !result.failed && result.name == "word")
        must_be_there(id + "/" + step);
}

/// 18.
void SessionJudge::judge_state() {
  std::map<std::string, int> sums;
  for (const auto& [session, runs] : by_session_) {
    if (!session.starts_with("ledger/")) continue;
    int sum = 0;
    bool is_under_way = false;
    for (const auto& [id, run] : runs) {
      if (run->created == 0 || !run->reply) {
        is_under_way = is_under_way || run->created != 0;
        continue;
      }
      if (has_failed(*run)) {
        found(18, "run " + *id + " of " + session + " failed: " + *run->reply);
        continue;
      }
      if (seen_in(*run->reply, "~before") != std::to_string(sum))
        found(18, "run " + *id + " of " + session + " found " + seen_in(*run->reply, "~before") +
                      ", and the runs before it had made " + std::to_string(sum));
      sum += size_of(*run);
      if (seen_in(*run->reply, "~sum") != std::to_string(sum) ||
          seen_in(*run->reply, "~mark") != "absent" || seen_in(*run->reply, "~marked") != "there")
        found(18, "run " + *id + " of " + session + " did not see what it wrote: " + *run->reply);
    }
    sums[session] = sum;
    const auto state = journal_.states.find(session);
    const bool has_sum = state != journal_.states.end() && state->second.contains("sum");
    if (is_under_way) continue;
    if ((has_sum ? state->second.at("sum") : 0) != sum)
      found(18, session + " has another sum than " + std::to_string(sum));
    if (state != journal_.states.end() && state->second.contains("mark"))
      found(18, session + " has the mark, which each run erases");
  }
  for (const Life& life : history_)
    for (const Asked& asked : life.asked) {
      // What was asked is durable, so it stays, and grows.
      const auto state = journal_.states.find(asked.agent + "/" + asked.session);
      if (state == journal_.states.end() || !state->second.contains(asked.name) ||
          state->second.at(asked.name) < std::stoi(asked.text))
        found(18, "a query saw " + asked.text + " in " + asked.agent + "/" + asked.session +
                      ", which is not there");
    }
  for (const auto& [id, run] : journal_.runs) {
    if (run.agent != "listener") continue;
    const auto state = journal_.states.find(session_of(run));
    const bool known = state != journal_.states.end() && state->second.contains("heard");
    if (run.reply && !has_failed(run) && (!known || state->second.at("heard") != size_of(run)))
      found(18, session_of(run) + " does not know what it heard");
  }
}

/// 19. An order for a child says by its size what was to happen at its parent's end.
void SessionJudge::judge_child(const std::string& id, const RecordedRun& run) {
  if (run.agent != "helper") return;
  const std::optional<Sending> sending = sending_of(flavour_of(run));
  const RecordedRun* const parent = sending ? run_of(sending->run) : nullptr;
  if (parent == nullptr) return;  // 16 looks at it.
  const auto policy = static_cast<Policy>(size_of(run));
  if (policy == Policy::wait && parent->ended != 0 && (run.ended == 0 || run.ended > parent->ended))
    found(19, "run " + sending->run + " ended before its child " + id);
  if (policy == Policy::cancel && is_over() && run.cancelled == 0)
    found(19, "the child " + id + " was not cancelled with its parent");
  if (policy == Policy::abandon && run.cancelled != 0)
    found(19, "the child " + id + " was cancelled, and was to be left alone");
  if (run.cancelled != 0 && run.cancelled < parent->created)
    found(19, "the child " + id + " was cancelled before its parent began");
  if (run.handler == "idle" && run.reply && run.cancelled == 0)
    found(19, "the child " + id + " ended, and nobody had told it to");
}

/// 20. A handler's own waits, one after the other; and messages that were to wait.
void SessionJudge::judge_times(const std::string& id, const RecordedRun& run) {
  for (const auto& [step, result] : run.results)
    if (result.kind == "sleep" && !result.failed && step.find('.') == std::string::npos &&
        run.agent != "shifty" && result.stamp - result.after < kNapUs - kClocksDifferUs)
      found(20, "step " + step + " of run " + id + " slept " +
                    std::to_string(result.stamp - result.after) + " us");
  const std::optional<Sending> sending = sending_of(flavour_of(run));
  if (run.created == 0 || !sending || size_of(run) != kDelayed) return;
  const RecordedRun* const sender = run_of(sending->run);
  if (sender == nullptr || !sender->results.contains(sending->step)) return;
  const std::int64_t waited = run.created_at - sender->results.at(sending->step).after;
  if (waited < kNapUs - kClocksDifferUs)
    found(20, "the message of run " + id + " waited " + std::to_string(waited) + " us");
}

/// 21. Those that can end in no other way.
void SessionJudge::judge_end(const std::string& id, const RecordedRun& run) {
  const bool ends_by_cancel = run.agent == "tidy" || run.agent == "plain" ||
                              run.agent == "heedless" || run.agent == "mortal";
  const bool may_be_cancelled = ends_by_cancel || run.agent == "helper" || run.handler == "revise";
  if (run.cancelled != 0 && !may_be_cancelled)
    found(21, "run " + id + " of " + session_of(run) + " was cancelled, and nobody wanted that");
  if (run.status == "cancelled" && !may_be_cancelled)
    found(21, "run " + id + " of " + session_of(run) + " ended as cancelled");
  const bool was_killed = run.agent == "plain" && run.session == "k";
  if (ends_by_cancel && run.reply && run.cancelled == 0 && !was_killed)
    found(21, "run " + id + " of " + session_of(run) + " ended, and nobody had told it to");
  if (was_killed && run.cancelled != 0)
    found(21, "run " + id + " was killed, and its handler was asked to end");
  if (run.cancelled != 0 && run.ended != 0 && run.ended < run.cancelled)
    found(21, "run " + id + " was cancelled behind its end");
  // Only what comes later replaces a revision.
  if (run.handler == "revise" && run.status == "cancelled" && flavour_of(run) == "revision" &&
      size_of(run) == 3)
    found(21, "run " + id + " was replaced, and nothing came behind it");
}

void SessionJudge::judge_cancels() {
  for (const Life& life : history_)
    for (const Cancelled& cancelled : life.cancels) {
      const RecordedRun* const run = run_of(cancelled.run);
      const bool is_told = run != nullptr && (cancelled.how == "kill" ? run->status == "cancelled"
                                                                      : run->cancelled != 0);
      if (!is_told)
        found(21, "the " + cancelled.how + " of run " + cancelled.run +
                      " was acknowledged, and is not recorded");
    }
}

/// 22. What bodies saw, and the mark.
void SessionJudge::judge_versions() {
  std::map<std::string, std::string> ways;
  for (const Life& life : history_)
    for (const Effect& effect : life.effects)
      for (const auto& [source, text] : effect.inputs) {
        if (source != "~version") continue;
        if (ahead_ == Ahead::an_interval) {
          ways.insert_or_assign(effect.run, text);
        } else if (const auto [known, is_new] = ways.emplace(effect.run, text);
                   !is_new && known->second != text) {
          found(22, "run " + effect.run + " went the way of version " + known->second +
                        " and that of " + text);
        }
      }
  for (const auto& [id, way] : ways) {
    const RecordedRun* const run = run_of(id);
    if (run == nullptr || (ahead_ == Ahead::an_interval && !run->reply)) continue;
    const auto mark = run->marks.find("a change");
    if ((mark == run->marks.end() ? 1 : mark->second) != std::stoi(way))
      found(22, "run " + id + " went the way of version " + way + ", which is not marked");
  }
}

/// 23.
void SessionJudge::judge_failure(const std::string& id, const RecordedRun& run) {
  if (!run.reply) return;
  const bool diverged = run.reply->starts_with("!diverged");
  const bool threw = run.reply->starts_with("!handler_threw");
  const auto nap = run.results.find("2");
  const bool napped = nap == run.results.end() || nap->second.kind == "sleep";
  if (diverged && (run.agent != "shifty" || !napped || history_.size() < 2))
    found(23, "run " + id + " of " + session_of(run) + " diverged: " + *run.reply);
  if (threw != (run.agent == "failing"))
    found(23, "run " + id + " of " + session_of(run) + " ended with " + *run.reply);
}

}  // namespace

std::vector<std::string> judge_sessions(const History& history, const JournalFacts& journal,
                                        Ended ended, Ahead ahead) {
  return SessionJudge(history, journal, ended, ahead).all();
}

}  // namespace perdure::crash
