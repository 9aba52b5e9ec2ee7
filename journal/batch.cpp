#include "journal/batch.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace perdure::journal {
namespace {

std::array<std::uint64_t, 3> prefix_of(const Key& key) noexcept {
  const core::ByteView bytes = key.view();
  std::array<std::uint64_t, 3> prefix{};
  std::memcpy(prefix.data(), bytes.data(), std::min(bytes.size(), sizeof prefix));
  static_assert(std::endian::native == std::endian::little, "keys sort as big-endian numbers");
  for (std::uint64_t& word : prefix) word = __builtin_bswap64(word);
  return prefix;
}

}  // namespace

std::span<const Mutation> Batch::build(std::span<NumberedChange> changes) {
  mutations_.clear();
  order_ = 0;
  for (NumberedChange& numbered : changes) enter(numbered);
  for (std::vector<Entry>& entries : by_table_) {
    emit(entries);
    entries.clear();
  }
  return mutations_;
}

void Batch::enter(NumberedChange& numbered) {
  Change& change = numbered.change;
  RecordNumber next = numbered.last - numbers(change) + 1;
  for (Change::Part& part : change.parts_) {
    const bool is_record = part.numbered != Change::Numbered::no;
    if (part.numbered == Change::Numbered::in_key) part.key.set_last_number(next);
    const auto table = static_cast<std::size_t>(part.table) - 1;
    PERDURE_ASSERT(table < kTableCount, "a change names a table");
    by_table_[table].push_back({prefix_of(part.key), &part, change.arena_.data() + part.offset,
                                is_record ? next++ : numbered.last, order_++});
  }
}

void Batch::emit(std::vector<Entry>& entries) {
  // Equal prefixes need the whole key: a shorter one is padded with zeros, a longer one is cut.
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const std::strong_ordering order = a.part->key <=> b.part->key;
    return order != 0 ? order < 0 : a.order < b.order;
  });
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    const Change::Part& part = *entry.part;
    if (i + 1 < entries.size() && entries[i + 1].prefix == entry.prefix &&
        entries[i + 1].part->key == part.key)
      continue;
    Mutation& mutation =
        mutations_.emplace_back(Mutation{part.table, part.what, part.key, core::ByteView{}});
    if (part.what == Mutation::Kind::erase) continue;
    const std::span value(entry.value, part.size);
    seal(part.key.view(), value, part.kind, entry.number);
    mutation.value = value;
  }
}

}  // namespace perdure::journal
