/// Writing a file so that it is there whole or not at all.
///
/// What this is: the effect of the agent's last step.
/// What it promises: to be idempotent. Done twice, or begun, killed and done again, it leaves the
/// same file, and nobody ever sees half of one.
#pragma once

#include <perdure/result.hpp>

#include <string>
#include <string_view>

namespace research {

/// Writes `contents` to `path`: to `PATH.partial` first, synced, then renamed. Fails with a
/// sentence that names the file and the reason.
[[nodiscard]] perdure::Result<void> write_file(const std::string& path, std::string_view contents);

}  // namespace research
