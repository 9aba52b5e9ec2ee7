/// Places in a journal, in words.
///
/// What this is: how messages name a row: the run by its id, a record by its index, the rest by
/// key.
#pragma once

#include <perdure/error.hpp>

#include "core/bytes.hpp"
#include "journal/store.hpp"

#include <string>

namespace perdure::journal {

/// E.g. `record 3 of run 01JD…`, or `row 0a1b of table sessions`.
[[nodiscard]] std::string place_of(Table table, core::ByteView key);

/// `error` with its place in front and, where the bytes are damaged, a remedy behind.
[[nodiscard]] Error with_place(Error error, Table table, core::ByteView key);

}  // namespace perdure::journal
