/// Rows of `meta` that stores add to batches of their own accord.
///
/// What this is: the counters (counted_store.hpp) and the checkpoint (wal_store.hpp) go into
/// transactions that others have made; here is how one is encoded and where it stands.
/// What it promises: a batch that was sorted stays so.
#pragma once

#include "journal/record.hpp"
#include "journal/store.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace perdure::journal {

[[nodiscard]] inline Key meta_key(std::uint32_t row) { return Key{}.add(row); }

/// `value` as it stands at `key`, in `out`.
template <class T>
void encode_row(const T& value, const Key& key, RecordNumber number, core::Bytes& out) {
  out.assign(kEnvelopeBytes, std::byte{});
  encode_body(value, out);
  seal(key.view(), out, T::kKind, number);
}

/// In `out`, `batch` and the row of `meta` at `key`, which it has not. Both are borrowed.
inline void add_meta_row(std::span<const Mutation> batch, const Key& key, core::ByteView value,
                         std::vector<Mutation>& out) {
  const auto later = std::ranges::find_if(batch, [&](const Mutation& mutation) {
    return mutation.table != Table::meta || mutation.key > key;
  });
  out.clear();
  out.reserve(batch.size() + 1);
  out.insert(out.end(), batch.begin(), later);
  out.push_back({Table::meta, Mutation::Kind::put, key, value});
  out.insert(out.end(), later, batch.end());
}

}  // namespace perdure::journal
