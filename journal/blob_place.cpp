#include "journal/blob_place.hpp"

#include <array>
#include <utility>

namespace perdure::journal {
namespace {

constexpr std::size_t kShelfDigits = 2;

std::string shelf_name(std::size_t number) {
  const std::array<std::byte, 1> byte{static_cast<std::byte>(number)};
  return core::to_hex(byte);
}

}  // namespace

BlobPlace::BlobPlace(std::filesystem::path journal)
    : journal_(std::move(journal)), root_(journal_ / kName) {}

std::filesystem::path BlobPlace::shelf(std::size_t number) const {
  return root_ / shelf_name(number);
}

std::filesystem::path BlobPlace::file(const BlobId& id) const {
  const std::string name = to_string(id);
  return root_ / name.substr(0, kShelfDigits) / name.substr(kShelfDigits);
}

std::optional<std::size_t> BlobPlace::shelf_named(std::string_view name) {
  for (std::size_t number = 0; number < kShelves; ++number)
    if (shelf_name(number) == name) return number;
  return std::nullopt;
}

std::optional<BlobId> BlobPlace::blob_named(std::size_t number, std::string_view name) {
  return parse_blob_id(shelf_name(number) + std::string(name));
}

}  // namespace perdure::journal
