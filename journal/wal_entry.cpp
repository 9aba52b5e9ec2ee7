#include "journal/wal_entry.hpp"

#include "core/assert.hpp"
#include "journal/user_rows.hpp"

#include <bit>
#include <cstring>
#include <string>

namespace perdure::journal {
namespace {

static_assert(std::endian::native == std::endian::little, "the log is written as it is in memory");

/// As it stands in the file.
struct RawHeader {
  std::uint64_t checksum;  ///< Of the journal's seed and everything behind it.
  std::uint64_t batch;
  std::uint64_t previous;
  std::uint32_t size;
  std::uint32_t rows;
  std::uint32_t flags;
  std::uint32_t unused;
};
static_assert(sizeof(RawHeader) == kWalEntryHeader);
constexpr std::uint32_t kSure = 1;

struct RawRow {
  std::uint8_t table;
  std::uint8_t kind;
  std::uint16_t key_bytes;
  std::uint32_t value_bytes;
};
static_assert(sizeof(RawRow) == 8);
constexpr std::uint8_t kPut = 0;
constexpr std::uint8_t kErase = 1;

std::size_t row_size(std::size_t key, std::size_t value) noexcept {
  return (sizeof(RawRow) + key + value + 7) & ~std::size_t{7};
}

std::size_t key_bytes_max(std::uint8_t table) noexcept {
  return table == static_cast<std::uint8_t>(Table::rows) ? kUserRowKeyBytes : Key::kCapacity;
}

template <class Raw>
Raw raw_at(core::ByteView bytes, std::size_t offset) noexcept {
  Raw raw;
  std::memcpy(&raw, bytes.data() + offset, sizeof raw);
  return raw;
}

}  // namespace

WalEntry::WalEntry(std::size_t size)
    : bytes_(std::make_unique_for_overwrite<std::byte[]>(wal_padded(size))), size_(size) {}

std::size_t WalEntry::padded_size() const noexcept { return wal_padded(size_); }

WalEntry WalEntry::with_room_for(std::size_t size) { return WalEntry(size); }

std::size_t WalEntry::size_of(std::span<const Mutation> batch) noexcept {
  std::size_t size = kWalEntryHeader;
  for (const Mutation& mutation : batch)
    size += row_size(mutation.key.view().size(), mutation.value.size());
  return size;
}

WalEntry WalEntry::encode(std::span<const Mutation> batch, const WalLink& link,
                          std::uint64_t seed) {
  const std::size_t size = size_of(batch);
  PERDURE_ASSERT(size <= kWalEntryMax, "a larger batch passes the log by");
  WalEntry entry(size);
  std::byte* to = entry.bytes_.get();
  RawHeader header{.checksum = 0,
                   .batch = link.batch,
                   .previous = link.previous,
                   .size = static_cast<std::uint32_t>(size),
                   .rows = static_cast<std::uint32_t>(batch.size()),
                   .flags = link.is_sure ? kSure : 0,
                   .unused = 0};
  std::memcpy(to, &header, sizeof header);
  to += sizeof header;
  for (const Mutation& mutation : batch) {
    const core::ByteView key = mutation.key.view();
    const RawRow raw{.table = static_cast<std::uint8_t>(mutation.table),
                     .kind = mutation.kind == Mutation::Kind::put ? kPut : kErase,
                     .key_bytes = static_cast<std::uint16_t>(key.size()),
                     .value_bytes = static_cast<std::uint32_t>(mutation.value.size())};
    std::byte* const next = to + row_size(key.size(), mutation.value.size());
    std::memset(next - 8, 0, 8);
    std::memcpy(to, &raw, sizeof raw);
    std::memcpy(to + sizeof raw, key.data(), key.size());
    if (!mutation.value.empty())
      std::memcpy(to + sizeof raw + key.size(), mutation.value.data(), mutation.value.size());
    to = next;
  }
  std::memset(to, 0, entry.padded_size() - size);
  header.checksum = core::checksum(entry.bytes().subspan(sizeof header.checksum), seed);
  std::memcpy(entry.bytes_.get(), &header.checksum, sizeof header.checksum);
  return entry;
}

std::optional<WalEntry::Header> WalEntry::header(core::ByteView bytes) noexcept {
  const auto raw = raw_at<RawHeader>(bytes, 0);
  if (raw.size < kWalEntryHeader || raw.size > kWalEntryMax) return std::nullopt;
  return Header{raw.checksum, {raw.batch, raw.previous, (raw.flags & kSure) != 0}, raw.size};
}

std::uint64_t WalEntry::checksum() const noexcept { return raw_at<RawHeader>(bytes(), 0).checksum; }
std::uint64_t WalEntry::batch() const noexcept { return raw_at<RawHeader>(bytes(), 0).batch; }

bool WalEntry::holds(std::uint64_t seed) const noexcept {
  const auto raw = raw_at<RawHeader>(bytes(), 0);
  return raw.size == size_ &&
         raw.checksum == core::checksum(bytes().subspan(sizeof raw.checksum), seed);
}

Result<void> WalEntry::each_row(const std::function<void(const Row&)>& each) const {
  const Error newer{Code::newer_format, "it was written by a newer Perdure: use that"};
  const core::ByteView all = bytes();
  const std::uint32_t rows = raw_at<RawHeader>(all, 0).rows;
  std::size_t offset = kWalEntryHeader;
  for (std::uint32_t i = 0; i < rows; ++i) {
    if (all.size() - offset < sizeof(RawRow)) return newer;
    const auto raw = raw_at<RawRow>(all, offset);
    const std::size_t size = row_size(raw.key_bytes, raw.value_bytes);
    if (size > all.size() - offset || raw.table == 0 || raw.table > kTableCount ||
        raw.kind > kErase || raw.key_bytes > key_bytes_max(raw.table))
      return newer;
    const core::ByteView key = all.subspan(offset + sizeof raw, raw.key_bytes);
    each({static_cast<Table>(raw.table),
          raw.kind == kPut ? Mutation::Kind::put : Mutation::Kind::erase, key,
          all.subspan(offset + sizeof raw + raw.key_bytes, raw.value_bytes)});
    offset += size;
  }
  return success();
}

std::uint64_t wal_seed(core::Hash128 journal) noexcept {
  return core::checksum(Key{}.add(journal.high).add(journal.low).view());
}

}  // namespace perdure::journal
