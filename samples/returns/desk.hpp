/// Desks: whoever keeps places, makes labels, sends money and mail.
///
/// What this is: a folder for each desk, with one file for each key that it was asked under. So
/// what happened can be looked at with `ls` and `cat`.
/// What it promises: the same key is done once, and what was undone under a key is not done under
/// it later: the contract of tools with keys, and of compensations.
/// What it does not: survive a power loss.
#pragma once

#include "returns.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace returns {

class Desk {
 public:
  Desk(const std::filesystem::path& folder, std::string name);

  /// Does it, unless it was done under this key; `refused` when it was undone under it.
  [[nodiscard]] pd::Result<Slip> act(const std::string& key, const Return& what) const;
  /// Undoes it, also when it never came.
  [[nodiscard]] pd::Result<void> undo(const std::string& key, const Return& what) const;
  /// What was done under this key.
  [[nodiscard]] std::optional<Slip> find(const std::string& key) const;

 private:
  std::filesystem::path folder_;
  std::string name_;
};

/// The bank, which `find_refund` asks. Set before the runtime starts.
void use_bank(Desk bank);

}  // namespace returns
