/// An LMDB file, read page by page and without a map.
///
/// What this is: the layout of LMDB 0.9's files (64-bit, little-endian) as far as it is read here,
/// and a file of that layout opened for `pread`.
/// What it promises: whatever the bytes are, nothing is read outside of what was asked for; a file
/// that ends early or can't be read is said so, in words.
/// What it does not: judge pages other than the two meta pages (page_view.hpp), or keep a writer
/// from changing pages meanwhile (PageCheckOptions::hold).
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/descriptor.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace perdure::journal {

using PageNumber = std::uint64_t;
/// The root of an empty tree.
inline constexpr PageNumber kNoPage = ~PageNumber{0};
inline constexpr std::size_t kPageHeaderBytes = 16;
inline constexpr std::size_t kTreeRecordBytes = 48;
/// Flags of pages.
inline constexpr std::uint16_t kBranchPage = 0x01;
inline constexpr std::uint16_t kLeafPage = 0x02;
inline constexpr std::uint16_t kOverflowPage = 0x04;
inline constexpr std::uint16_t kMetaPage = 0x08;
/// Where a page's header has its flags; and, of an overflow page, how many pages belong together.
inline constexpr std::size_t kPageFlagsAt = 10;
inline constexpr std::size_t kOverflowPagesAt = 12;
/// Where a meta page has its records of the free list and of the main tree, and other fields.
inline constexpr std::size_t kMapBytesAt = 32;
inline constexpr std::size_t kFreeListAt = 40;
inline constexpr std::size_t kMainTreeAt = 88;
inline constexpr std::size_t kLastPageAt = 136;
inline constexpr std::size_t kTransactionAt = 144;

/// A little-endian number at `at`, which with its width lies in `bytes`.
template <class T>
[[nodiscard]] T number_at(core::ByteView bytes, std::size_t at) noexcept {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

/// What the file says of one of its trees.
struct TreeRecord {
  std::uint16_t flags = 0;
  std::uint16_t depth = 0;
  std::uint64_t branch_pages = 0;
  std::uint64_t leaf_pages = 0;
  std::uint64_t overflow_pages = 0;
  std::uint64_t entries = 0;
  PageNumber root = kNoPage;
};
/// `bytes` has kTreeRecordBytes.
[[nodiscard]] TreeRecord tree_record(core::ByteView bytes) noexcept;

struct MetaPage {
  std::uint64_t map_bytes = 0;
  TreeRecord free_list;
  TreeRecord main;
  PageNumber last_page = 0;
  std::uint64_t transaction = 0;
};
using MetaPages = std::array<MetaPage, 2>;
/// The index of the one that LMDB follows: that of the later transaction.
[[nodiscard]] std::size_t newer_of(const MetaPages& metas) noexcept;

/// What is wrong with a page. `what` follows the page's name: "page 7 WHAT".
struct PageFault {
  PageNumber page = 0;
  std::uint64_t offset = 0;  ///< In the file.
  std::string what;
  Code code = Code::corrupt;
};

/// Thread: one at a time.
class PageFile {
 public:
  /// Errors: `not_found`, `misuse` (no permission), `corrupt` (no regular file); they name the file
  /// and the remedy.
  [[nodiscard]] static Result<PageFile> open(const std::filesystem::path& file);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// In bytes, as it is now; 0 when that can't be told.
  [[nodiscard]] std::uint64_t length() const noexcept;
  /// Of the last good look at the meta pages, in bytes.
  [[nodiscard]] std::uint32_t page_bytes() const noexcept { return page_bytes_; }
  /// Fills `bytes` from `offset` on. Empty, or what is wrong: "ends ...", "can't be read ...".
  [[nodiscard]] std::string read(std::uint64_t offset, std::span<std::byte> bytes) const;
  /// Both meta pages as they stood at one moment, also while a writer replaces them; or what is
  /// wrong with them, with code `newer_format` or `unsupported` for what others wrote.
  [[nodiscard]] std::optional<PageFault> read_metas(MetaPages& metas);

 private:
  PageFile(std::filesystem::path path, std::unique_ptr<Descriptor> file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::filesystem::path path_;
  std::unique_ptr<Descriptor> file_;
  std::uint32_t page_bytes_ = 0;
};

}  // namespace perdure::journal
