#include "actors/session_directory.hpp"

namespace perdure::actors {

std::shared_ptr<SessionShell> SessionDirectory::get(const SessionAddress& address) {
  const std::lock_guard lock(mutex_);
  const auto found = shells_.find(address.id);
  if (found != shells_.end()) return found->second;
  if (door_closed_) return nullptr;
  return shells_.emplace(address.id, make_(address)).first->second;
}

void SessionDirectory::post(const SessionAddress& address, SessionInput input, RunOn where) {
  // A shell that retires under our hands has left the directory: the next one is new.
  for (;;) {
    const std::shared_ptr<SessionShell> shell = get(address);
    if (!shell) return refuse(input, closed_error());
    if (shell->post(input, where)) return;
  }
}

Result<SessionAddress> SessionDirectory::resolve(journal::Store& store, std::string agent,
                                                 std::string key) {
  PERDURE_TRY(journal::Reader reader, journal::Reader::open(store));
  SessionAddress address{{}, std::move(agent), std::move(key)};
  journal::SessionId free;
  PERDURE_TRY(const std::optional<journal::SessionId> known,
              reader.find_session(address.agent, address.key, &free));
  address.id = known ? *known : free;
  if (known) return address;
  const std::lock_guard lock(mutex_);
  for (auto at = shells_.find(address.id); at != shells_.end(); at = shells_.find(address.id)) {
    const SessionAddress& there = at->second->address();
    if (there.agent == address.agent && there.key == address.key) break;
    address.id = journal::next_session_id(address.id);
  }
  return address;
}

bool SessionDirectory::retire(SessionShell& shell) {
  std::shared_ptr<SessionShell> gone;
  const std::lock_guard lock(mutex_);
  const auto found = shells_.find(shell.address().id);
  if (found == shells_.end() || found->second.get() != &shell || !shell.try_retire()) return false;
  gone = std::move(found->second);
  shells_.erase(found);
  return true;
}

std::vector<std::shared_ptr<SessionShell>> SessionDirectory::close_door() {
  const std::lock_guard lock(mutex_);
  door_closed_ = true;
  std::vector<std::shared_ptr<SessionShell>> shells;
  shells.reserve(shells_.size());
  for (const auto& [id, shell] : shells_) shells.push_back(shell);
  return shells;
}

std::size_t SessionDirectory::size() const {
  const std::lock_guard lock(mutex_);
  return shells_.size();
}

std::shared_ptr<SessionShell> SessionDirectory::find(const journal::SessionId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = shells_.find(id);
  return found == shells_.end() ? nullptr : found->second;
}

void SessionDirectory::clear() {
  std::map<journal::SessionId, std::shared_ptr<SessionShell>> gone;
  {
    const std::lock_guard lock(mutex_);
    door_closed_ = true;
    gone.swap(shells_);
  }
  for (const auto& [id, shell] : gone) shell->end();
}

}  // namespace perdure::actors
