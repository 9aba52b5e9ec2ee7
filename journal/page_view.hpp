/// One page of a tree, copied and held against its own header.
///
/// What this is: a branch or leaf page of LMDB's as its nodes.
/// What it promises: `check` finds a page whose number, flags, bounds or nodes can't be right: a
/// node outside of the page, two nodes in one place, room that no node has. After a good `check`
/// every node lies in the page.
/// What it does not: compare keys, or follow page numbers (page_tree.hpp).
#pragma once

#include "core/bytes.hpp"
#include "journal/page_file.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace perdure::journal {

/// Flags of nodes in leaf pages.
inline constexpr std::uint16_t kOverflowNode = 0x01;  ///< The data is the number of a page.
inline constexpr std::uint16_t kTreeNode = 0x02;      ///< The data is a TreeRecord.
/// LMDB's limit.
inline constexpr std::size_t kNodeKeyBytesMax = 511;

/// Borrowed from the page it is in.
struct PageNode {
  std::size_t at = 0;  ///< In the page.
  std::uint16_t flags = 0;
  core::ByteView key;
  std::uint32_t value_bytes = 0;  ///< Also where the value stands on overflow pages.
  core::ByteView data;            ///< What stands in the page.
  PageNumber child = 0;           ///< In branch pages.
};

/// Thread: one at a time.
class PageView {
 public:
  /// Where in the page something is wrong, and what.
  struct Fault {
    std::size_t at = 0;
    std::string what;
  };

  explicit PageView(std::size_t page_bytes) : bytes_(page_bytes), sizes_(page_bytes / 2) {}
  /// To be filled with the page.
  [[nodiscard]] std::span<std::byte> bytes() noexcept { return bytes_; }
  /// Holds the page against what page `number`, of kind `kind` (kBranchPage or kLeafPage) and with
  /// at least `fewest` nodes, must be.
  [[nodiscard]] std::optional<Fault> check(PageNumber number, std::uint16_t kind,
                                           std::size_t fewest);
  /// How many nodes there are; after a good `check`, like `node`.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// `index` is below `count`.
  [[nodiscard]] PageNode node(std::size_t index) const noexcept;

 private:
  std::optional<Fault> check_header(PageNumber number, std::uint16_t kind, std::size_t fewest);
  std::optional<Fault> check_nodes();
  std::optional<Fault> check_tiling(std::size_t upper);
  [[nodiscard]] std::size_t offset_of(std::size_t index) const noexcept;

  std::vector<std::byte> bytes_;
  /// By a node's offset, in units of two bytes: what room it takes. All zero between checks.
  std::vector<std::uint16_t> sizes_;
  std::size_t count_ = 0;
  bool is_leaf_ = false;
};

}  // namespace perdure::journal
