#include "journal/key.hpp"

namespace perdure::journal {

Key& Key::add_long(core::ByteView bytes) {
  // LMDB takes no more, and whoever makes such a key has checked it (user_rows.hpp). One byte is
  // for `add_zero_byte`.
  PERDURE_ASSERT(size_ + bytes.size() <= kLongest + 1, "a key has at most kLongest bytes");
  auto all = std::make_unique_for_overwrite<std::byte[]>(size_ + bytes.size());
  if (size_ != 0) std::memcpy(all.get(), view().data(), size_);
  // No bytes may be nowhere, which memcpy does not take.
  if (!bytes.empty()) std::memcpy(all.get() + size_, bytes.data(), bytes.size());
  size_ = static_cast<std::uint16_t>(size_ + bytes.size());
  long_ = std::move(all);
  return *this;
}

void Key::copy_long(const Key& other) {
  long_ = std::make_unique_for_overwrite<std::byte[]>(size_);
  std::memcpy(long_.get(), other.long_.get(), size_);
}

}  // namespace perdure::journal
