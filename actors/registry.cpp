#include "actors/registry.hpp"

#include "core/limits.hpp"

#include <algorithm>

namespace perdure::actors {

Result<void> check_name(std::string_view what, std::string_view text, std::size_t limit) {
  const std::string shown =
      "the " + std::string(what) + " '" + std::string(text.substr(0, 64)) + "' ";
  if (text.empty())
    return Error{Code::misuse, "the " + std::string(what) + " is empty: give it a name"};
  if (text.size() > limit)
    return Error{Code::too_large, shown + "has " + std::to_string(text.size()) +
                                      " bytes, more than the limit of " + std::to_string(limit)};
  if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; }))
    return Error{Code::misuse, shown + "has a control character in it"};
  return success();
}

void UndosByUse::add(detail::ToolEntry undo) {
  const std::lock_guard lock(mutex_);
  std::string name = undo.name;
  undos_.try_emplace(std::move(name), std::make_shared<const detail::ToolEntry>(std::move(undo)));
}

void UndosByUse::forget(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = undos_.find(name); found != undos_.end()) undos_.erase(found);
}

std::shared_ptr<const detail::ToolEntry> UndosByUse::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = undos_.find(name);
  return found == undos_.end() ? nullptr : found->second;
}

void Registry::add_own(detail::AgentEntry agent) {
  agents_.insert_or_assign({agent.name, agent.version}, std::move(agent));
}

void Registry::add(detail::AgentEntry agent) {
  const std::string label = "agent '" + agent.name + "' version " + std::to_string(agent.version);
  Result<void> named = check_name("agent's name", agent.name, core::limits::kNameBytes);
  if (named.has_value() && agent.name.find('/') != std::string::npos)
    named = Error{Code::misuse, label + " has a '/' in its name, which separates agent and key"};
  if (named.has_value() && agent.name.starts_with("perdure."))
    named =
        Error{Code::misuse, label + " has a name that begins with 'perdure.', as Perdure's own do"};
  if (named.has_value() && agent.version < 1)
    named = Error{Code::misuse, label + " must have a version of at least 1"};
  for (std::size_t i = 0; named.has_value() && i < agent.handlers.size(); ++i) {
    const std::string& name = agent.handlers[i].name;
    named = check_name("handler's name", name, core::limits::kNameBytes);
    for (std::size_t k = 0; named.has_value() && k < i; ++k)
      if (agent.handlers[k].name == name)
        named = Error{Code::misuse,
                      std::string(label).append(" has two handlers called '" + name + "'")};
  }
  for (std::size_t i = 0; named.has_value() && i < agent.queries.size(); ++i) {
    const std::string& name = agent.queries[i].name;
    named = check_name("query's name", name, core::limits::kNameBytes);
    const auto same = std::ranges::count(agent.queries, name, &detail::QueryEntry::name);
    if (named.has_value() && same > 1)
      named =
          Error{Code::misuse, std::string(label).append(" has two queries called '" + name + "'")};
  }
  if (named.has_error()) {
    refused_.push_back(named.error().message);
    return;
  }
  const auto [at, added] = agents_.try_emplace({agent.name, agent.version});
  if (!added) {
    refused_.push_back(label + " is served twice: give one of them another name or version");
    return;
  }
  at->second = std::move(agent);
}

Result<void> check_tool(const detail::ToolEntry& tool) {
  PERDURE_TRY(check_name("tool's name", tool.name, core::limits::kNameBytes));
  const auto wrong = [&](const std::string& why) {
    return Error{Code::misuse, "tool '" + tool.name + "' " + why};
  };
  const bool queryable = tool.policy.effect == Effect::queryable;
  if (!tool.run)
    return wrong("has no function: serve it by(...) one, or give its definition a function");
  if (queryable && !tool.find)
    return wrong("is queryable and has nothing to ask: give it ToolOptions::find");
  if (!queryable && tool.find)
    return wrong(
        "has a find, which is asked of queryable tools only: say .effect = "
        "pd::Effect::queryable");
  if (tool.policy.effect == Effect::transactional)
    return wrong("can't be transactional: what changes rows of the journal's is ctx.transact");
  return success();
}

void Registry::add(detail::ToolEntry tool) {
  Result<void> checked = check_tool(tool);
  if (checked.has_value() && tools_.contains(tool.name))
    checked = Error{Code::misuse,
                    "tool '" + tool.name + "' is served twice: give one of them another name"};
  if (checked.has_error()) {
    refused_.push_back(checked.error().message);
    return;
  }
  std::string name = tool.name;
  tools_.emplace(std::move(name), std::make_shared<const detail::ToolEntry>(std::move(tool)));
}

std::shared_ptr<const detail::ToolEntry> Registry::find_tool(std::string_view name) const {
  const auto found = tools_.find(name);
  return found == tools_.end() ? nullptr : found->second;
}

Result<void> Registry::check() const {
  if (refused_.empty()) return success();
  std::string text = "serve() refused: ";
  for (std::size_t i = 0; i < refused_.size(); ++i) text += (i == 0 ? "" : "; ") + refused_[i];
  return Error{Code::misuse, std::move(text)};
}

const detail::HandlerEntry* Registry::find(std::string_view agent, int version,
                                           std::string_view handler) const {
  const auto found = agents_.find(std::pair<std::string, int>(agent, version));
  if (found == agents_.end()) return nullptr;
  for (const detail::HandlerEntry& each : found->second.handlers)
    if (each.name == handler) return &each;
  return nullptr;
}

int Registry::version_for(std::string_view agent, int version, std::string_view handler) const {
  if (find(agent, version, handler) != nullptr) return version;
  // By name, then version: the last of the name is the newest.
  for (auto at = agents_.rbegin(); at != agents_.rend(); ++at)
    if (at->first.first == agent && find(agent, at->first.second, handler) != nullptr)
      return at->first.second;
  return std::max(version, 1);
}

bool Registry::serves(std::string_view agent) const {
  return std::ranges::any_of(agents_, [&](const auto& each) { return each.first.first == agent; });
}

std::string Registry::names() const {
  std::string text;
  const std::string* last = nullptr;
  for (const auto& [name, entry] : agents_) {
    if (name.first.starts_with("perdure.")) continue;
    if (last == nullptr || *last != name.first) text += (text.empty() ? "" : ", ") + name.first;
    last = &name.first;
  }
  return text.empty() ? "none" : text;
}

const detail::HandlerEntry* Registry::find_any(std::string_view agent, int version,
                                               std::string_view handler) const {
  return find(agent, version_for(agent, version, handler), handler);
}

const detail::QueryEntry* Registry::find_query(std::string_view agent, int version,
                                               std::string_view query) const {
  const auto found = agents_.find(std::pair<std::string, int>(agent, version));
  if (found == agents_.end()) return nullptr;
  const auto at = std::ranges::find(found->second.queries, query, &detail::QueryEntry::name);
  return at == found->second.queries.end() ? nullptr : &*at;
}

}  // namespace perdure::actors
