#include "journal/page_file.hpp"

#include <sys/stat.h>

#include <bit>
#include <cerrno>
#include <utility>

namespace perdure::journal {
namespace {

constexpr std::size_t kMetaBytes = 152;
constexpr std::size_t kMagicAt = 16;
constexpr std::uint32_t kMagic = 0xBEEFC0DE;
constexpr std::uint32_t kMagicSwapped = 0xDEC0EFBE;
constexpr std::size_t kVersionAt = 20;
constexpr std::uint32_t kVersion = 1;
/// Of LMDB 1.0, and of what is built from its branches.
constexpr std::uint32_t kVersionNext = 2;
constexpr std::uint32_t kVersionInDevelopment = 999;
constexpr std::size_t kPageBytesAt = 40;
constexpr std::uint32_t kPageBytesMin = 512;
constexpr std::uint32_t kPageBytesMax = 32768;
/// Of the tree of free pages: its keys are numbers.
constexpr std::uint16_t kIntegerKeys = 0x08;
/// More than this no process can map.
constexpr std::uint64_t kAddressSpace = std::uint64_t{1} << 47U;
/// A writer that replaces a meta page while it is read needs some microseconds for it.
constexpr int kMetaTries = 1000;

using MetaBytes = std::array<std::byte, kMetaBytes>;

/// What is wrong with the parts of a meta page that are never rewritten.
std::optional<PageFault> fixed_fault(const MetaBytes& bytes, PageNumber page,
                                     std::uint64_t offset) {
  const auto magic = number_at<std::uint32_t>(bytes, kMagicAt);
  if (magic == kMagicSwapped)
    return PageFault{page, offset + kMagicAt,
                     "was written on a big-endian machine, whose journals this one can't read",
                     Code::unsupported};
  if (magic != kMagic)
    return PageFault{page, offset + kMagicAt, "does not begin as LMDB's meta pages do"};
  const auto version = number_at<std::uint32_t>(bytes, kVersionAt);
  if (version == kVersionNext || version == kVersionInDevelopment)
    return PageFault{page, offset + kVersionAt,
                     "is of LMDB's file version " + std::to_string(version) +
                         ", and this Perdure reads version " + std::to_string(kVersion),
                     Code::newer_format};
  if (version != kVersion)
    return PageFault{
        page, offset + kVersionAt,
        "names LMDB's file version " + std::to_string(version) + ", which there is not"};
  if (const auto flags = number_at<std::uint16_t>(bytes, kPageFlagsAt); flags != kMetaPage)
    return PageFault{page, offset + kPageFlagsAt,
                     "is no meta page: its flags are " + std::to_string(flags)};
  if (const auto number = number_at<std::uint64_t>(bytes, 0); number != page)
    return PageFault{page, offset, "calls itself page " + std::to_string(number)};
  const auto page_bytes = number_at<std::uint32_t>(bytes, kPageBytesAt);
  if (!std::has_single_bit(page_bytes) || page_bytes < kPageBytesMin || page_bytes > kPageBytesMax)
    return PageFault{page, offset + kPageBytesAt,
                     "names a page size of " + std::to_string(page_bytes) + " bytes"};
  return std::nullopt;
}

MetaPage decode(const MetaBytes& bytes) {
  const core::ByteView all(bytes);
  return {number_at<std::uint64_t>(all, kMapBytesAt),
          tree_record(all.subspan(kFreeListAt, kTreeRecordBytes)),
          tree_record(all.subspan(kMainTreeAt, kTreeRecordBytes)),
          number_at<std::uint64_t>(all, kLastPageAt),
          number_at<std::uint64_t>(all, kTransactionAt)};
}

/// Transaction N writes meta page N mod 2, so the two are always neighbours. Where they are not,
/// one of the numbers is damaged, and LMDB could follow an older state without anybody noticing.
std::optional<PageFault> order_fault(const MetaPages& metas, std::uint32_t page_bytes) {
  const std::uint64_t first = metas[0].transaction;
  const std::uint64_t second = metas[1].transaction;
  const bool is_new = first == 0 && second == 0;
  const bool neighbours = first + 1 == second || second + 1 == first;
  if (is_new || (neighbours && first % 2 == 0)) return std::nullopt;
  return PageFault{1, page_bytes + kTransactionAt,
                   "is of transaction " + std::to_string(second) + " and page 0 of transaction " +
                       std::to_string(first) + ", which can't both be the last ones"};
}

std::optional<PageFault> newest_fault(const MetaPage& meta, PageNumber page,
                                      std::uint32_t page_bytes) {
  const std::uint64_t offset = page * page_bytes;
  if (meta.last_page < 1 || meta.last_page >= kAddressSpace / page_bytes)
    return PageFault{page, offset + kLastPageAt,
                     "names " + std::to_string(meta.last_page) + " as the last page"};
  if (meta.map_bytes < (meta.last_page + 1) * page_bytes || meta.map_bytes > kAddressSpace)
    return PageFault{page, offset + kMapBytesAt,
                     "names a map of " + std::to_string(meta.map_bytes) + " bytes for " +
                         std::to_string(meta.last_page + 1) + " pages"};
  if (meta.free_list.flags != kIntegerKeys)
    return PageFault{
        page, offset + kFreeListAt + 4,
        "says of the free list that its flags are " + std::to_string(meta.free_list.flags)};
  return std::nullopt;
}

Error corrupt(const std::filesystem::path& file, const std::string& what) {
  return Error{Code::corrupt,
               "'" + file.string() + "' " + what + ": restore the journal from a backup"};
}

}  // namespace

TreeRecord tree_record(core::ByteView bytes) noexcept {
  return {number_at<std::uint16_t>(bytes, 4),  number_at<std::uint16_t>(bytes, 6),
          number_at<std::uint64_t>(bytes, 8),  number_at<std::uint64_t>(bytes, 16),
          number_at<std::uint64_t>(bytes, 24), number_at<std::uint64_t>(bytes, 32),
          number_at<std::uint64_t>(bytes, 40)};
}

std::size_t newer_of(const MetaPages& metas) noexcept {
  return metas[1].transaction > metas[0].transaction ? 1 : 0;
}

Result<PageFile> PageFile::open(const std::filesystem::path& file) {
  // Not blocking, since a pipe of that name would wait for its other end.
  auto descriptor = std::make_unique<Descriptor>(file, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (const int why = descriptor->failure(); why == ENOENT || why == ENOTDIR)
    return Error{Code::not_found, "there is no '" + file.string() + "'"};
  else if (why != 0)
    return Error{Code::misuse, "'" + file.string() + "' can't be read (" + std::strerror(why) +
                                   "): run as its owner, or give this user the right to read it"};
  struct stat status{};
  if (::fstat(descriptor->number(), &status) != 0 || !S_ISREG(status.st_mode))
    return corrupt(file, "is not a regular file");
  return PageFile(file, std::move(descriptor));
}

std::uint64_t PageFile::length() const noexcept {
  struct stat status{};
  if (::fstat(file_->number(), &status) != 0) return 0;
  return static_cast<std::uint64_t>(status.st_size);
}

std::string PageFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pread(file_->number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::string("can't be read: ") + std::strerror(errno);
    if (count == 0)
      return "is not whole: the file was cut off, it has " + std::to_string(length()) + " bytes";
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

std::optional<PageFault> PageFile::read_metas(MetaPages& metas) {
  std::array<MetaBytes, 2> bytes{};
  for (int tries = 0; tries < kMetaTries; ++tries) {
    if (std::string failed = read(0, bytes[0]); !failed.empty()) return PageFault{0, 0, failed};
    if (auto fault = fixed_fault(bytes[0], 0, 0)) return fault;
    const auto page_bytes = number_at<std::uint32_t>(bytes[0], kPageBytesAt);
    if (std::string failed = read(page_bytes, bytes[1]); !failed.empty())
      return PageFault{1, page_bytes, failed};
    if (auto fault = fixed_fault(bytes[1], 1, page_bytes)) return fault;
    if (const auto other = number_at<std::uint32_t>(bytes[1], kPageBytesAt); other != page_bytes)
      return PageFault{1, page_bytes + kPageBytesAt,
                       "names a page size of " + std::to_string(other) + " bytes, and page 0 of " +
                           std::to_string(page_bytes)};
    std::array<MetaBytes, 2> again{};
    if (!read(0, again[0]).empty() || !read(page_bytes, again[1]).empty() || again != bytes)
      continue;
    metas = {decode(bytes[0]), decode(bytes[1])};
    page_bytes_ = page_bytes;
    if (auto fault = order_fault(metas, page_bytes)) return fault;
    const std::size_t newer = newer_of(metas);
    return newest_fault(metas[newer], newer, page_bytes);
  }
  return PageFault{0, 0, "changes all the time: a writer is at work, or the disk is failing"};
}

}  // namespace perdure::journal
