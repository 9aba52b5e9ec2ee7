/// A journal's rows, read from its files by a second way.
///
/// What this is: all rows of a store in one map, and a reading of the write-ahead log that shares
/// no code with the product's: it looks for the next entry in the whole file, by number and
/// checksum, and not at a place.
/// What it promises: where the product finds an entry elsewhere, misses one or takes one that does
/// not follow, the two maps differ.
/// What it does not: read data.mdb without LMDB (tests/format does that).
#pragma once

#include "core/bytes.hpp"
#include "journal/store.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace perdure::crash {

/// By table and key.
using Rows = std::map<std::pair<journal::Table, std::string>, std::string>;

/// All rows of `store`, but that of the checkpoint, which says nothing of the contents. Throws
/// std::runtime_error with what the store says when it can't be read.
[[nodiscard]] Rows all_rows(journal::Store& store);

/// `generation` is a directory with data.mdb and wal, and nobody writes it. What is wrong with the
/// log, and whether `read`, which is what the product gives, has other rows; empty when all is
/// well. Throws as `all_rows`.
[[nodiscard]] std::vector<std::string> differ_by_another_way(
    const std::filesystem::path& generation, core::Hash128 journal, const Rows& read);

}  // namespace perdure::crash
