#include "journal/blob_id.hpp"

#include <cstring>

namespace perdure::journal {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

std::string to_string(const BlobId& id) { return core::to_hex(id.bytes); }

std::optional<BlobId> parse_blob_id(std::string_view text) {
  if (text.size() != 2 * BlobId::kBytes) return std::nullopt;
  BlobId id;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t digit = kDigits.find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    std::byte& byte = id.bytes[i / 2];
    byte = static_cast<std::byte>((std::to_integer<unsigned>(byte) << 4U) | digit);
  }
  return id;
}

std::size_t BlobIdHash::operator()(const BlobId& id) const noexcept {
  // Not the first bytes: who hashes the ids of one shelf has the first one equal in all.
  std::size_t hash = 0;
  std::memcpy(&hash, id.bytes.data() + BlobId::kBytes - sizeof hash, sizeof hash);
  return hash;
}

}  // namespace perdure::journal
