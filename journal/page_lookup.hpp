/// One row, read without a map.
///
/// What this is: the search for a row of the unnamed table by `pread`, for what must be known of a
/// file before it is trusted.
/// What it promises: the row as LMDB would give it, or nothing; whatever the bytes are, it ends.
/// What it does not: say why there is none. Nobody writes meanwhile.
#pragma once

#include "core/bytes.hpp"

#include <filesystem>
#include <optional>

namespace perdure::journal {

/// The value at `key`, if it is there and stands in its leaf page, and every page on the way to it
/// is sound. Thread: any.
[[nodiscard]] std::optional<core::Bytes> find_unnamed_row(const std::filesystem::path& file,
                                                          core::ByteView key);

}  // namespace perdure::journal
