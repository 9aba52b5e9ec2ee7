#include "journal/lmdb_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>

#include "core/bytes.hpp"

namespace perdure::journal {
namespace {

// The layout of LMDB 0.9's meta page on 64-bit machines (docs/journal_format.md).
constexpr std::size_t kMetaPageBytes = 16 + 136;
constexpr std::size_t kFlagsAt = 10;
constexpr std::uint16_t kMetaFlag = 0x08;
constexpr std::size_t kMagicAt = 16;
constexpr std::uint32_t kMagic = 0xBEEFC0DE;
constexpr std::size_t kVersionAt = 20;
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kPageBytesAt = 40;
constexpr std::size_t kLastPageAt = 136;
constexpr std::size_t kTransactionAt = 144;

constexpr std::string_view kRemedy =
    ": restore the journal from a backup, or copy it again, whole, while no process writes it";

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& file)
      : number_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;
};

using MetaPage = std::array<std::byte, kMetaPageBytes>;

template <class T>
T fetch(const MetaPage& page, std::size_t at) noexcept {
  T number;
  std::memcpy(&number, page.data() + at, sizeof number);
  return number;
}

std::optional<MetaPage> read_page(int file, std::uint64_t offset) {
  MetaPage page;
  const ssize_t count = ::pread(file, page.data(), page.size(), static_cast<off_t>(offset));
  if (count != static_cast<ssize_t>(page.size())) return std::nullopt;
  return page;
}

Error corrupt(const std::filesystem::path& file, const std::string& what) {
  return Error{Code::corrupt, "'" + file.string() + "' " + what + std::string(kRemedy)};
}

/// What is wrong with a meta page, or empty.
std::string fault_in(const MetaPage& page) {
  if (fetch<std::uint32_t>(page, kMagicAt) != kMagic) return "does not begin as an LMDB file does";
  if (const auto version = fetch<std::uint32_t>(page, kVersionAt); version != kVersion)
    return "is an LMDB file of version " + std::to_string(version) + ", not of version 1";
  if ((fetch<std::uint16_t>(page, kFlagsAt) & kMetaFlag) == 0) return "has a damaged meta page";
  const auto bytes = fetch<std::uint32_t>(page, kPageBytesAt);
  if (!std::has_single_bit(bytes) || bytes < 256 || bytes > 65536)
    return "names a page size of " + std::to_string(bytes) + " bytes";
  return {};
}

}  // namespace

Result<LmdbFileInfo> inspect_lmdb_file(const std::filesystem::path& file) {
  const Descriptor descriptor(file);
  if (descriptor.number() < 0) {
    const int why = errno;
    if (why == ENOENT) return Error{Code::not_found, "there is no '" + file.string() + "'"};
    return Error{Code::misuse, "'" + file.string() + "' can't be read (" + std::strerror(why) +
                                   "): run as its owner, or give this user the right to read it"};
  }
  struct stat status{};
  if (::fstat(descriptor.number(), &status) != 0 || !S_ISREG(status.st_mode))
    return corrupt(file, "is not a regular file");
  LmdbFileInfo info;
  info.length = static_cast<std::uint64_t>(status.st_size);
  const std::optional<MetaPage> first = read_page(descriptor.number(), 0);
  if (!first)
    return corrupt(file, "has " + std::to_string(info.length) + " bytes, less than one page");
  if (const std::string fault = fault_in(*first); !fault.empty()) return corrupt(file, fault);
  info.page_bytes = fetch<std::uint32_t>(*first, kPageBytesAt);
  const std::optional<MetaPage> second = read_page(descriptor.number(), info.page_bytes);
  if (!second)
    return corrupt(file, "was cut off: it has " + std::to_string(info.length) +
                             " bytes, less than its two meta pages");
  if (const std::string fault = fault_in(*second); !fault.empty()) return corrupt(file, fault);
  if (fetch<std::uint32_t>(*second, kPageBytesAt) != info.page_bytes)
    return corrupt(file, "has two meta pages that differ in the page size");

  const bool second_is_newer =
      fetch<std::uint64_t>(*second, kTransactionAt) > fetch<std::uint64_t>(*first, kTransactionAt);
  const MetaPage& newer = second_is_newer ? *second : *first;
  info.transaction = fetch<std::uint64_t>(newer, kTransactionAt);
  info.last_page = fetch<std::uint64_t>(newer, kLastPageAt);
  if (info.last_page < 1 || info.last_page >= (std::uint64_t{1} << 47U) / info.page_bytes)
    return corrupt(file, "names a last page " + std::to_string(info.last_page));
  const std::uint64_t needed = (info.last_page + 1) * info.page_bytes;
  if (info.length < needed)
    return corrupt(file, "was cut off: it has " + std::to_string(info.length) +
                             " bytes and its meta page speaks of " + std::to_string(needed));
  return info;
}

}  // namespace perdure::journal
