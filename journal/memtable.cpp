#include "journal/memtable.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace perdure::journal {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{64} << 10U;

/// The first eight bytes of a key as a number that compares as they do.
std::uint64_t prefix_of(core::ByteView key) noexcept {
  std::uint64_t prefix = 0;
  if (!key.empty()) std::memcpy(&prefix, key.data(), std::min(key.size(), sizeof prefix));
  static_assert(std::endian::native == std::endian::little, "keys sort as big-endian numbers");
  return __builtin_bswap64(prefix);
}

}  // namespace

/// Behind it stand its links, one for each of its levels.
struct Memtable::Node {
  std::uint64_t prefix = 0;
  std::uint64_t batch = 0;
  const std::byte* key = nullptr;
  const std::byte* value = nullptr;
  std::uint32_t value_bytes = 0;
  std::uint16_t key_bytes = 0;
  Table table{};
  Mutation::Kind kind{};

  using Link = std::atomic<Node*>;
  [[nodiscard]] Link& link(unsigned level) noexcept {
    return *std::launder(reinterpret_cast<Link*>(this + 1) + level);
  }
  [[nodiscard]] Node* next(unsigned level) const noexcept {
    return std::launder(reinterpret_cast<const Link*>(this + 1) + level)
        ->load(std::memory_order_acquire);
  }
  [[nodiscard]] core::ByteView key_view() const noexcept { return {key, key_bytes}; }
  [[nodiscard]] Row row() const noexcept { return {table, kind, key_view(), {value, value_bytes}}; }
  [[nodiscard]] bool is_row(Table other, core::ByteView other_key) const noexcept {
    return table == other && std::ranges::equal(key_view(), other_key);
  }
  /// By table and key.
  [[nodiscard]] bool is_before(Table other, std::uint64_t other_prefix,
                               core::ByteView other_key) const noexcept {
    if (table != other) return table < other;
    if (prefix != other_prefix) return prefix < other_prefix;
    return compare_keys(key_view(), other_key) < 0;
  }
};

Memtable::Memtable() { head_ = make_node({}, 0, kLevels); }

// Nodes have nothing to destroy.
Memtable::~Memtable() = default;

std::byte* Memtable::allocate(std::size_t bytes) {
  if (free_bytes_ < bytes) {
    free_bytes_ = std::max(bytes, kBlockBytes);
    blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(free_bytes_));
    free_ = blocks_.back().get();
  }
  free_bytes_ -= bytes;
  return std::exchange(free_, free_ + bytes);
}

/// A node is on one more level with a chance of one in four.
unsigned Memtable::draw_levels() noexcept {
  // xorshift64 (G. Marsaglia, "Xorshift RNGs", 2003): any sequence does.
  dice_ ^= dice_ << 13U;
  dice_ ^= dice_ >> 7U;
  dice_ ^= dice_ << 17U;
  const unsigned pairs = static_cast<unsigned>(std::countr_zero(dice_ | 1ULL << 63U)) / 2;
  return std::min(kLevels, 1 + pairs);
}

Memtable::Node* Memtable::make_node(const WalEntry::Row& row, std::uint64_t batch,
                                    unsigned levels) {
  std::byte* const memory = allocate(sizeof(Node) + levels * sizeof(Node::Link));
  Node* const node =
      std::construct_at(reinterpret_cast<Node*>(memory),
                        Node{.prefix = prefix_of(row.key),
                             .batch = batch,
                             .key = row.key.data(),
                             .value = row.value.data(),
                             .value_bytes = static_cast<std::uint32_t>(row.value.size()),
                             .key_bytes = static_cast<std::uint16_t>(row.key.size()),
                             .table = row.table,
                             .kind = row.kind});
  for (unsigned level = 0; level < levels; ++level)
    std::construct_at(reinterpret_cast<Node::Link*>(memory + sizeof(Node)) + level, nullptr);
  return node;
}

Result<void> Memtable::add(WalEntry&& entry) {
  entries_.push_back(std::move(entry));
  const WalEntry& kept = entries_.back();
  Place place;
  place.fill(head_);
  return kept.each_row([&](const WalEntry::Row& row) { insert(row, kept.batch(), place); });
}

bool Memtable::empty() const noexcept { return head_->next(0) == nullptr; }

/// `place` has, on each level, the last node before the row inserted before this one, or that row.
/// Rows come sorted, so the search begins there: it goes up until a level leads past the new row,
/// and from there down. The newest version of a row stands in front of the older ones.
void Memtable::insert(const WalEntry::Row& row, std::uint64_t batch, Place& place) {
  const std::uint64_t prefix = prefix_of(row.key);
  const auto is_before = [&](const Node* node) {
    return node != nullptr && node->is_before(row.table, prefix, row.key);
  };
  unsigned level = 0;
  while (level + 1 < kLevels && is_before(place[level]->next(level))) ++level;
  Node* at = place[level];
  for (unsigned i = level + 1; i-- > 0;) {
    while (is_before(at->next(i))) at = at->next(i);
    place[i] = at;
  }
  const unsigned levels = draw_levels();
  Node* const node = make_node(row, batch, levels);
  for (unsigned i = 0; i < levels; ++i) {
    node->link(i).store(place[i]->next(i), std::memory_order_relaxed);
    place[i]->link(i).store(node, std::memory_order_release);
    place[i] = node;
  }
}

const Memtable::Node* Memtable::first_at(Table table, core::ByteView key) const noexcept {
  const std::uint64_t prefix = prefix_of(key);
  const Node* at = head_;
  for (unsigned level = kLevels; level-- > 0;)
    for (const Node* next = at->next(level); next != nullptr && next->is_before(table, prefix, key);
         next = at->next(level))
      at = next;
  return at->next(0);
}

void Memtable::Cursor::seek(Table table, core::ByteView key) {
  skip_unseen(memtable_.first_at(table, key));
}

void Memtable::Cursor::next() {
  PERDURE_ASSERT(at_ != nullptr, "there is a row to go on from");
  const Node* node = at_->next(0);
  while (node != nullptr && node->is_row(at_->table, at_->key_view())) node = node->next(0);
  skip_unseen(node);
}

void Memtable::Cursor::skip_unseen(const Node* from) {
  while (from != nullptr && from->batch > batch_ && belongs(*from)) from = from->next(0);
  at_ = from != nullptr && belongs(*from) ? from : nullptr;
}

bool Memtable::Cursor::belongs(const Node& node) const noexcept {
  if (!table_) return true;
  const core::ByteView prefix = prefix_.view();
  return node.table == *table_ && node.key_bytes >= prefix.size() &&
         std::ranges::equal(node.key_view().first(prefix.size()), prefix);
}

Memtable::Row Memtable::Cursor::row() const noexcept { return at_->row(); }

std::optional<Memtable::Row> Memtable::find(Table table, core::ByteView key,
                                            std::uint64_t batch) const {
  const Node* node = first_at(table, key);
  while (node != nullptr && node->batch > batch && node->is_row(table, key)) node = node->next(0);
  if (node == nullptr || !node->is_row(table, key)) return std::nullopt;
  return node->row();
}

}  // namespace perdure::journal
