/// What the journal asks of the file system, beside LMDB.
///
/// What this is: small durable writes (directories included) and the question what kind of file
/// system it is, each with errors that name the path and the remedy.
#pragma once

#include <perdure/result.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace perdure::journal {

/// What an errno means for `path`; `doing` as in "'path' can't be DOING".
[[nodiscard]] Error file_error(const std::filesystem::path& path, std::string_view doing,
                               int number);

/// Makes a directory of its owner's only; one that is there is fine. Errors as file_error.
[[nodiscard]] Result<void> make_directory(const std::filesystem::path& path);
/// Makes the entries of `directory` durable.
[[nodiscard]] Result<void> sync_directory(const std::filesystem::path& directory);
/// Makes `file` hold `text`, durably and at once: whoever opens it sees the old text or the new.
[[nodiscard]] Result<void> replace_file(const std::filesystem::path& file, std::string_view text);
/// Renames durably.
[[nodiscard]] Result<void> rename_durably(const std::filesystem::path& from,
                                          const std::filesystem::path& to);
/// The first `limit` bytes of a file. Errors: `not_found`, `misuse`, `storage_failed`.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& file, std::size_t limit);

/// The name of the network file system that this magic number (statfs) and type (mountinfo) stand
/// for, or empty for a local one.
[[nodiscard]] std::string network_file_system(unsigned long magic, std::string_view type);
/// `unsupported` where locks and shared maps can't be relied upon: on network file systems.
[[nodiscard]] Result<void> check_file_system(const std::filesystem::path& directory);

}  // namespace perdure::journal
