/// The registry: what this process serves.
///
/// What this is: agents by name and version, as `Runtime::serve` gave them.
/// What it promises: two of one name and version, bad names and handlers of one name are refused,
/// and all that was refused is told at once by `check`.
#pragma once

#include <perdure/detail/root_task.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace perdure::actors {

/// Thread: filled by one; read by any afterwards.
class Registry {
 public:
  void add(detail::AgentEntry agent);
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
  [[nodiscard]] const detail::QueryEntry* find_query(std::string_view agent, int version,
                                                     std::string_view query) const;

 private:
  std::map<std::pair<std::string, int>, detail::AgentEntry, std::less<>> agents_;
  std::vector<std::string> refused_;
};

/// Whether `text` may be the name of something. Errors: `misuse`, naming `what` and the limit.
[[nodiscard]] Result<void> check_name(std::string_view what, std::string_view text,
                                      std::size_t limit);

}  // namespace perdure::actors
