#include "journal/counted_store.hpp"

#include "core/assert.hpp"
#include "journal/meta_row.hpp"
#include "journal/place.hpp"
#include "journal/reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace perdure::journal {
namespace {

constexpr std::string_view kCreatedBy = "perdure 0.1.0";

bool is_head(const Mutation& mutation) noexcept {
  constexpr std::size_t kIdBytes = 16;
  const core::ByteView key = mutation.key.view();
  constexpr std::byte kLast{0xFF};
  return mutation.table == Table::records && key.size() == kIdBytes + 4 &&
         std::ranges::all_of(key.subspan(kIdBytes), [&](std::byte byte) { return byte == kLast; });
}

Error missing(std::uint32_t row) {
  return with_place(Error{Code::corrupt, "it is missing"}, Table::meta, meta_key(row).view());
}

}  // namespace

CountedStore::CountedStore(Store& inner, const Counters& before, core::Hash128 journal)
    : inner_(inner), journal_(journal), before_(before), now_(before) {}

Result<void> CountedStore::create(Store& inner, core::Clock& clock, core::Random& random) {
  Identity identity;
  identity.journal = {random.next(), random.next()};
  identity.created = clock.wall().time_since_epoch().count();
  identity.created_by = kCreatedBy;
  Counters counters;
  counters.clean = 1;
  core::Bytes first;
  core::Bytes second;
  encode_row(identity, meta_key(kIdentityRow), 0, first);
  encode_row(counters, meta_key(kCountersRow), 0, second);
  const std::array batch{
      Mutation{Table::meta, Mutation::Kind::put, meta_key(kIdentityRow), first},
      Mutation{Table::meta, Mutation::Kind::put, meta_key(kCountersRow), second}};
  return inner.commit(batch, Durability::full);
}

Result<std::unique_ptr<CountedStore>> CountedStore::open(Store& inner, core::Random& random,
                                                         Opening opening) {
  Counters before;
  core::Hash128 journal;
  {
    PERDURE_TRY(Reader reader, Reader::open(inner));
    PERDURE_TRY(const auto identity, reader.identity());
    if (!identity) return missing(kIdentityRow);
    journal = identity->journal;
    PERDURE_TRY(const auto counters, reader.counters());
    if (!counters) return missing(kCountersRow);
    before = *counters;
  }
  auto store = std::make_unique<CountedStore>(inner, before, journal);
  Counters opened = before;
  opened.epoch += 1;
  opened.incarnation = random.next();
  if (opening == Opening::work) opened.clean = 0;
  PERDURE_TRY(store->commit_with(opened, {}, Durability::full));
  return store;
}

Result<void> CountedStore::commit(std::span<const Mutation> batch, Durability durability) {
  PERDURE_ASSERT(!closed_, "nothing is committed after a clean end");
  Counters counters = now_;
  for (const Mutation& mutation : batch) {
    if (mutation.kind == Mutation::Kind::erase) continue;
    PERDURE_ASSERT(mutation.value.size() >= kEnvelopeBytes, "a journal's values are sealed");
    counters.last_number = std::max(counters.last_number, sealed_number(mutation.value));
    if (is_head(mutation))
      counters.last_stamp = std::max(counters.last_stamp, sealed_head_stamp(mutation.value));
  }
  return commit_with(counters, batch, durability);
}

Result<void> CountedStore::commit_with(const Counters& counters, std::span<const Mutation> batch,
                                       Durability durability) {
  const Key key = meta_key(kCountersRow);
  encode_row(counters, key, counters.last_number, row_);
  add_meta_row(batch, key, row_, batch_);
  PERDURE_TRY(inner_.commit(batch_, durability));
  now_ = counters;
  return success();
}

Result<void> CountedStore::close_cleanly(RecordNumber last_number, Stamp last_stamp) {
  Counters counters = now_;
  counters.last_number = std::max(counters.last_number, last_number);
  counters.last_stamp = std::max(counters.last_stamp, last_stamp);
  counters.clean = 1;
  PERDURE_TRY(commit_with(counters, {}, Durability::full));
  closed_ = true;
  return success();
}

}  // namespace perdure::journal
