/// `perdure blob ID`: the content of one blob, as it is.
///
/// What it promises: bounded memory, whatever the blob's size; every byte is held against a
/// checksum before it is written. With --json, a blob that is a payload is shown as JSON.
#pragma once

#include <perdure/result.hpp>

#include <filesystem>
#include <string_view>

#include "cli/screen.hpp"

namespace perdure::cli {

/// `text`: a blob's id, or the first digits of one. Errors: `not_found`, also where it is the
/// beginning of several; `misuse` where it is no id; `corrupt`, `newer_format`, `storage_failed`;
/// with --json `undecodable` and `too_large` of what is no payload. What was written before stands.
[[nodiscard]] Result<void> show_blob(const std::filesystem::path& journal, std::string_view text,
                                     const Screen& screen);

}  // namespace perdure::cli
