/// An overlay: tables as they stand on disk, with newer batches on top.
///
/// What this is: a snapshot made of another store's snapshot and of memtables whose rows count
/// before its rows.
/// What it promises: what a snapshot of one store with all those batches in it would.
/// What it does not: see to it that its parts fit together (wal_store.hpp and wal_reader.hpp do).
#pragma once

#include "journal/memtable.hpp"
#include "journal/store.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace perdure::journal {

using Memtables = std::vector<std::shared_ptr<const Memtable>>;

/// `newest_first` count in that order, up to and with `batch`; then `below`. Thread: as Snapshot
/// says.
[[nodiscard]] std::unique_ptr<Snapshot> make_overlay(std::unique_ptr<Snapshot> below,
                                                     Memtables newest_first, std::uint64_t batch);

}  // namespace perdure::journal
