/// The registry: what this process serves.
///
/// What this is: agents by name and version, and tools by name, as `Runtime::serve` gave them.
/// What it promises: two of one name (and version), bad names, handlers of one name and tools whose
/// options contradict each other are refused, and all that was refused is told at once by `check`.
#pragma once

#include <perdure/detail/root_task.hpp>
#include <perdure/detail/tool_entry.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace perdure::actors {

/// Thread: filled by one; read by any afterwards.
class Registry {
 public:
  void add(detail::AgentEntry agent);
  /// One of Perdure's own, which `names` does not tell.
  void add_own(detail::AgentEntry agent);
  void add(detail::ToolEntry tool);
  /// What was refused. Errors: `misuse`.
  [[nodiscard]] Result<void> check() const;
  /// Null when that agent, version or handler is not served.
  [[nodiscard]] const detail::HandlerEntry* find(std::string_view agent, int version,
                                                 std::string_view handler) const;
  /// The same; when that version is not served, the newest that has such a handler.
  [[nodiscard]] const detail::HandlerEntry* find_any(std::string_view agent, int version,
                                                     std::string_view handler) const;
  /// Whether any version of this agent is served; and the names of those that are, for a person.
  [[nodiscard]] bool serves(std::string_view agent) const;
  [[nodiscard]] std::string names() const;
  /// The version that `find_any` finds; `version` when there is none, 1 for 0 (the sender knows
  /// none).
  [[nodiscard]] int version_for(std::string_view agent, int version,
                                std::string_view handler) const;
  /// Null when no such tool is served.
  [[nodiscard]] std::shared_ptr<const detail::ToolEntry> find_tool(std::string_view name) const;
  [[nodiscard]] const detail::QueryEntry* find_query(std::string_view agent, int version,
                                                     std::string_view query) const;

 private:
  std::map<std::pair<std::string, int>, detail::AgentEntry, std::less<>> agents_;
  std::map<std::string, std::shared_ptr<const detail::ToolEntry>, std::less<>> tools_;
  std::vector<std::string> refused_;
};

/// Compensations that nobody served, as the handlers that registered them say. Thread: any.
class UndosByUse {
 public:
  void add(detail::ToolEntry undo);
  void forget(std::string_view name);
  /// Null: no handler has registered it.
  [[nodiscard]] std::shared_ptr<const detail::ToolEntry> find(std::string_view name) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const detail::ToolEntry>, std::less<>> undos_;
};

/// Whether a tool can be served. Errors: `misuse`, `too_large`.
[[nodiscard]] Result<void> check_tool(const detail::ToolEntry& tool);

/// Whether `text` may be the name of something. Errors: `misuse`, naming `what` and the limit.
[[nodiscard]] Result<void> check_name(std::string_view what, std::string_view text,
                                      std::size_t limit);

}  // namespace perdure::actors
