/// Reading and writing at places of a blob's file.
///
/// What this is: pread and pwrite that go on after a part, with errors that name the file.
/// What it promises: all or an error; a file that ends too early is `false`.
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/descriptor.hpp"

#include <cstdint>
#include <filesystem>
#include <span>

namespace perdure::journal {

/// Fills `out` from `place` on; false when the file ends before. Errors: as file_error.
[[nodiscard]] Result<bool> read_file_at(const Descriptor& file, const std::filesystem::path& path,
                                        std::uint64_t place, std::span<std::byte> out);
/// Errors: as file_error; then any part of it may be written.
[[nodiscard]] Result<void> write_file_at(const Descriptor& file, const std::filesystem::path& path,
                                         std::uint64_t place, core::ByteView bytes);

}  // namespace perdure::journal
