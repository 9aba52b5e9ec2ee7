/// The session directory: which sessions are in memory.
///
/// What this is: session ids to shells, and the address to id rule while a session's row is not yet
/// durable.
/// What it promises: at most one shell takes inputs for a session at a time.
#pragma once

#include "actors/session_shell.hpp"
#include "journal/reader.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace perdure::actors {

/// Thread: any.
class SessionDirectory {
 public:
  using Make = std::function<std::shared_ptr<SessionShell>(SessionAddress)>;
  explicit SessionDirectory(Make make) : make_(std::move(make)) {}

  /// Has the session handle `input`, loading it when it is not in memory. After `clear`, and when
  /// the door is closed for one that would have to be loaded, `input` is refused.
  void post(const SessionAddress& address, SessionInput input, RunOn where);
  /// The address with its id: the journal's, or a free one. Errors: as Reader.
  [[nodiscard]] Result<SessionAddress> resolve(journal::Store& store, std::string agent,
                                               std::string key);
  /// Forgets `shell` when it can retire; whether it did.
  bool retire(SessionShell& shell);
  /// From here on no session comes into memory: what is for one that is not there is refused, and
  /// stays in the journal if it came from there. Those that are there.
  [[nodiscard]] std::vector<std::shared_ptr<SessionShell>> close_door();
  /// How many are in memory.
  [[nodiscard]] std::size_t size() const;
  /// In memory now, or null.
  [[nodiscard]] std::shared_ptr<SessionShell> find(const journal::SessionId& id) const;
  /// Ends and forgets all, for good.
  void clear();

 private:
  /// Null after `clear`, or where the session is not there and the door is closed.
  [[nodiscard]] std::shared_ptr<SessionShell> get(const SessionAddress& address);
  Make make_;
  mutable std::mutex mutex_;
  std::map<journal::SessionId, std::shared_ptr<SessionShell>> shells_;
  bool door_closed_ = false;
};

}  // namespace perdure::actors
