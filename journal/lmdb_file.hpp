/// What can be said of an LMDB file before it is mapped.
///
/// What this is: a look at the two meta pages by `pread`, with bounds checks.
/// What it promises: a file that passes is one of LMDB 0.9's, of a page size it can have, and as
/// long as the pages it says it uses (but for free ones at its end); reading a shorter one through
/// a map would kill the process (SIGBUS).
/// What it does not: look at any other page (page_checker.hpp).
#pragma once

#include <perdure/result.hpp>

#include <cstdint>
#include <filesystem>

namespace perdure::journal {

struct LmdbFileInfo {
  std::uint64_t length = 0;  ///< Of the file, in bytes.
  std::uint32_t page_bytes = 0;
  std::uint64_t last_page = 0;    ///< The highest page in use, by the newer meta page.
  std::uint64_t transaction = 0;  ///< Of the newer meta page.
};

/// Errors: `not_found`, `misuse` (no permission), `corrupt`, `newer_format` or `unsupported`
/// (another machine's) naming the file, what is wrong and what to do.
[[nodiscard]] Result<LmdbFileInfo> inspect_lmdb_file(const std::filesystem::path& file);

}  // namespace perdure::journal
