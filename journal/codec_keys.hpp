/// The keys that a payload being written has already.
///
/// What this is: a hash table from a key's text to its place in the writer's buffer.
/// What it promises: `clear` costs nothing, however large the table once was; no allocation for a
/// payload of up to 32 different keys once the first was written.
/// What it does not: own text. The buffer given to `place_of` holds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace perdure::journal {

class KeyPool {
 public:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  /// Where `name` stands in `buffer` (with a NUL after it), or `kNone`, which the caller replaces
  /// by the place where it writes it. The reference is valid until the next call.
  [[nodiscard]] std::size_t& place_of(std::string_view name, const std::vector<std::byte>& buffer) {
    if (2 * (count_ + 1) > slots_.size()) enlarge();
    const std::uint32_t hash = hash_of(name);
    for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      Slot& slot = slots_[i];
      if (slot.round != round_) {
        slot = {hash, round_, kNone};
        ++count_;
        return slot.place;
      }
      if (slot.hash == hash && same(name, buffer, slot.place)) return slot.place;
    }
  }

  void clear() noexcept {
    count_ = 0;
    // When the rounds are used up, no slot may look like one of this round.
    if (++round_ == 0) {
      slots_.clear();
      round_ = 1;
    }
  }

  /// Keys that the table has room for.
  [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t round = 0;  ///< Of the pool when the slot was filled; another one means free.
    std::size_t place = kNone;
  };

  /// FNV-1a.
  [[nodiscard]] static std::uint32_t hash_of(std::string_view name) noexcept {
    std::uint32_t hash = 2166136261U;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return hash;
  }
  [[nodiscard]] static bool same(std::string_view name, const std::vector<std::byte>& buffer,
                                 std::size_t place) noexcept {
    // The buffer ends with a NUL at the latest, and a name has none.
    return name.size() < buffer.size() - place &&
           std::memcmp(buffer.data() + place, name.data(), name.size()) == 0 &&
           buffer[place + name.size()] == std::byte{0};
  }
  void enlarge() {
    std::vector<Slot> old = std::exchange(slots_, {});
    slots_.resize(old.empty() ? 64 : 2 * old.size());
    for (const Slot& slot : old) {
      if (slot.round != round_) continue;
      std::size_t i = slot.hash & (slots_.size() - 1);
      while (slots_[i].round == round_) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
  std::uint32_t round_ = 1;
};

}  // namespace perdure::journal
