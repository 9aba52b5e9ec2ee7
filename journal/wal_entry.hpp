/// Entries of the write-ahead log: a batch as bytes.
///
/// What this is: how a batch of mutations stands in the log's file, written and read back.
/// What it promises: an entry that parses is whole and undamaged, belongs to this journal, and says
/// which entry it follows; reading never goes past its bytes, whatever they are.
/// What it does not: know where in the file it stands (wal_file.hpp) or what values mean.
///
/// docs/journal_format.md, "The log", has the bytes.
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/store.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace perdure::journal {

/// Entries begin at multiples of this, so that no write touches a block that an earlier entry,
/// which may be acknowledged, has a part of.
inline constexpr std::size_t kWalUnit = 4096;
inline constexpr std::size_t kWalEntryHeader = 40;
/// Larger batches pass the log by.
inline constexpr std::size_t kWalEntryMax = std::size_t{12} << 20U;

/// Where an entry stands in the chain.
struct WalLink {
  std::uint64_t batch = 0;     ///< Its number: one more than that of the entry before.
  std::uint64_t previous = 0;  ///< The checksum of the entry before.
  /// Everything before it was synced when it was written.
  bool is_sure = true;
};

/// The bytes of one entry, zeros behind it up to a multiple of kWalUnit. Move-only.
class WalEntry {
 public:
  WalEntry() = default;
  /// The bytes that `batch` takes as an entry, without the zeros behind it.
  [[nodiscard]] static std::size_t size_of(std::span<const Mutation> batch) noexcept;
  /// `seed` is the journal's (wal_seed). `batch` takes at most kWalEntryMax bytes.
  [[nodiscard]] static WalEntry encode(std::span<const Mutation> batch, const WalLink& link,
                                       std::uint64_t seed);
  /// Room for an entry of `size` bytes, to be read into.
  [[nodiscard]] static WalEntry with_room_for(std::size_t size);

  /// What the first kWalEntryHeader bytes say; nothing of it is checked but that the size can be.
  struct Header {
    std::uint64_t checksum = 0;
    WalLink link;
    std::size_t size = 0;
  };
  [[nodiscard]] static std::optional<Header> header(core::ByteView bytes) noexcept;

  [[nodiscard]] core::ByteView bytes() const noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] std::span<std::byte> padded() noexcept { return {bytes_.get(), padded_size()}; }
  [[nodiscard]] std::size_t padded_size() const noexcept;
  [[nodiscard]] std::uint64_t checksum() const noexcept;
  [[nodiscard]] std::uint64_t batch() const noexcept;
  /// Whether the checksum holds.
  [[nodiscard]] bool holds(std::uint64_t seed) const noexcept;

  struct Row {
    Table table;
    Mutation::Kind kind;
    core::ByteView key;
    core::ByteView value;
  };
  /// Calls `each` for every mutation, in the order of tables and keys; views point into the entry.
  /// Errors, of entries whose checksum holds: `newer_format`.
  [[nodiscard]] Result<void> each_row(const std::function<void(const Row&)>& each) const;

 private:
  explicit WalEntry(std::size_t size);

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_ = 0;
};

/// What the checksums of a journal's entries begin with.
[[nodiscard]] std::uint64_t wal_seed(core::Hash128 journal) noexcept;

/// `size` up to a multiple of kWalUnit.
[[nodiscard]] constexpr std::size_t wal_padded(std::size_t size) noexcept {
  return (size + kWalUnit - 1) / kWalUnit * kWalUnit;
}

}  // namespace perdure::journal
