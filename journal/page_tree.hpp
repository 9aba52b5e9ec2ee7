/// A walk over one of LMDB's trees.
///
/// What this is: every page of a tree from its root to its leaves, each read once and held against
/// its header, its parent's separators and the tree's record.
/// What it promises: it ends, at most as deep as LMDB's own cursors; damage in one page does not
/// keep the others from being walked.
/// What it does not: know what keys and values mean.
#pragma once

#include "journal/page_file.hpp"
#include "journal/page_ledger.hpp"
#include "journal/page_view.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace perdure::journal {

struct TreeToWalk {
  enum class Kind : std::uint8_t {
    free_list,  ///< Keys are numbers; a branch page may have one node.
    main,       ///< Some of its values are the records of other trees.
    table,
  };
  std::string name;
  Kind kind = Kind::table;
  TreeRecord record;
  PagePlace home;  ///< Where the record stands.
};

/// An entry of a leaf page; borrowed until the call it was given to returns.
struct TreeEntry {
  PageNode node;
  PagePlace place;
  /// Where the value begins in the file when it stands on pages of its own, else 0.
  std::uint64_t value_at = 0;
};

/// Thread: one at a time.
class PageTreeWalk {
 public:
  using Each = std::function<void(const TreeEntry&)>;

  /// All outlive it.
  PageTreeWalk(const PageFile& file, PageLedger& ledger);
  /// Gives every entry that can be reached to `each`, in order. The counts found; what is wrong
  /// went to the ledger.
  TreeRecord walk(const TreeToWalk& tree, const Each& each);

 private:
  struct Frame {
    explicit Frame(std::size_t page_bytes) : view(page_bytes) {}
    PageView view;
    PageNumber number = 0;
    std::size_t next = 0;
    core::ByteView lower;  ///< Keys are at least this; empty: no bound. In the view of a parent.
    core::ByteView upper;  ///< Keys are below this; empty: no bound.
  };

  void enter(PageNumber number, core::ByteView lower, core::ByteView upper, const PagePlace& from);
  bool check_keys(const Frame& frame, bool is_leaf);
  [[nodiscard]] int compare(core::ByteView a, core::ByteView b) const noexcept;
  void take_leaf(const Frame& frame, const Each& each);
  bool take_overflow(TreeEntry& entry);
  void check_counts();
  void fault(const PagePlace& place, const std::string& what);

  const PageFile& file_;
  PageLedger& ledger_;
  std::vector<std::unique_ptr<Frame>> frames_;  ///< Kept from tree to tree.
  std::size_t level_ = 0;                       ///< Frames in use.
  const TreeToWalk* tree_ = nullptr;
  const Each* each_ = nullptr;
  TreeRecord found_;
  bool sound_ = true;
};

}  // namespace perdure::journal
