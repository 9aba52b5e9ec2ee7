#include "journal/page_tree.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace perdure::journal {
namespace {

/// LMDB's cursors go no deeper.
constexpr std::size_t kDepthMax = 32;
constexpr std::size_t kNumberKeyBytes = 8;

std::string counted(std::uint64_t number, std::string_view what) {
  return std::to_string(number) + " " + std::string(what);
}

}  // namespace

PageTreeWalk::PageTreeWalk(const PageFile& file, PageLedger& ledger)
    : file_(file), ledger_(ledger) {}

TreeRecord PageTreeWalk::walk(const TreeToWalk& tree, const Each& each) {
  tree_ = &tree;
  each_ = &each;
  found_ = {};
  found_.flags = tree.record.flags;
  sound_ = true;
  level_ = 0;
  ledger_.enter_tree(tree.name);
  if (ledger_.stopped()) return found_;
  if (tree.record.root != kNoPage) {
    if (tree.record.depth == 0 || tree.record.depth > kDepthMax) {
      fault(tree.home, "gives the tree a depth of " + std::to_string(tree.record.depth));
      return found_;
    }
    found_.depth = tree.record.depth;
    found_.root = tree.record.root;
    enter(tree.record.root, {}, {}, tree.home);
  }
  while (level_ > 0 && !ledger_.stopped()) {
    Frame& frame = *frames_[level_ - 1];
    if (frame.next == frame.view.count()) {
      --level_;
      continue;
    }
    const std::size_t i = frame.next++;
    const PageNode node = frame.view.node(i);
    const core::ByteView upper =
        i + 1 < frame.view.count() ? frame.view.node(i + 1).key : frame.upper;
    enter(node.child, i == 0 ? frame.lower : node.key, upper, {frame.number, node.at});
  }
  if (sound_ && !ledger_.stopped()) check_counts();
  return found_;
}

/// Reads a page and holds it against everything known of it. A branch page then waits for the walk
/// to go on in it; a leaf page is done with at once.
void PageTreeWalk::enter(PageNumber number, core::ByteView lower, core::ByteView upper,
                         const PagePlace& from) {
  if (!ledger_.use(number, 1, from)) {
    sound_ = false;
    return;
  }
  if (frames_.size() == level_) frames_.push_back(std::make_unique<Frame>(file_.page_bytes()));
  Frame& frame = *frames_[level_];
  frame.number = number;
  frame.next = 0;
  frame.lower = lower;
  frame.upper = upper;
  const std::string failed = file_.read(number * file_.page_bytes(), frame.view.bytes());
  if (!failed.empty()) return fault({number, 0}, failed);
  const bool is_leaf = level_ + 1 == tree_->record.depth;
  const std::size_t fewest = is_leaf || tree_->kind == TreeToWalk::Kind::free_list ? 1 : 2;
  if (const auto wrong = frame.view.check(number, is_leaf ? kLeafPage : kBranchPage, fewest))
    return fault({number, wrong->at}, wrong->what);
  if (!check_keys(frame, is_leaf)) return;
  if (is_leaf) {
    ++found_.leaf_pages;
    found_.entries += frame.view.count();
    take_leaf(frame, *each_);
  } else {
    ++found_.branch_pages;
    ++level_;
  }
}

/// A leaf's first key may be its separator in the parent; a branch page's, whose first child has
/// keys below its first separator, stands above it.
bool PageTreeWalk::check_keys(const Frame& frame, bool is_leaf) {
  core::ByteView before = frame.lower;
  for (std::size_t i = is_leaf ? 0 : 1; i < frame.view.count(); ++i) {
    const PageNode node = frame.view.node(i);
    const PagePlace place{frame.number, node.at};
    if (tree_->kind == TreeToWalk::Kind::free_list && node.key.size() != kNumberKeyBytes) {
      fault(place, "has a key of " + counted(node.key.size(), "bytes where a number should be"));
      return false;
    }
    const bool may_equal = is_leaf && i == 0;
    const int order = before.empty() ? -1 : compare(before, node.key);
    if (order > 0 || (order == 0 && !may_equal)) {
      fault(place, "has key " + std::to_string(i) + " out of order");
      return false;
    }
    before = node.key;
  }
  if (frame.upper.empty() || before.empty() || compare(before, frame.upper) < 0) return true;
  fault({frame.number, 0}, "has keys that belong to the page behind it");
  return false;
}

int PageTreeWalk::compare(core::ByteView a, core::ByteView b) const noexcept {
  if (tree_->kind == TreeToWalk::Kind::free_list) {
    const auto first = number_at<std::uint64_t>(a, 0);
    const auto second = number_at<std::uint64_t>(b, 0);
    return first < second ? -1 : first > second ? 1 : 0;
  }
  const int order = std::memcmp(a.data(), b.data(), std::min(a.size(), b.size()));
  if (order != 0) return order;
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

void PageTreeWalk::take_leaf(const Frame& frame, const Each& each) {
  for (std::size_t i = 0; i < frame.view.count(); ++i) {
    TreeEntry entry{frame.view.node(i), {}, 0};
    entry.place = {frame.number, entry.node.at};
    const bool is_tree = entry.node.flags == kTreeNode;
    if (is_tree &&
        (tree_->kind != TreeToWalk::Kind::main || entry.node.value_bytes != kTreeRecordBytes)) {
      fault(entry.place, "has the record of a tree where none should be");
      continue;
    }
    if (entry.node.flags == kOverflowNode) {
      if (!take_overflow(entry)) continue;
    } else if (!is_tree && entry.node.flags != 0) {
      fault(entry.place, "has an entry of flags " + std::to_string(entry.node.flags) +
                             ", which journals don't have");
      continue;
    }
    each(entry);
  }
}

/// A value on pages of its own: the first has a header that counts them, the rest are all value.
bool PageTreeWalk::take_overflow(TreeEntry& entry) {
  const auto first = number_at<std::uint64_t>(entry.node.data, 0);
  if (!ledger_.use(first, 1, entry.place)) {
    sound_ = false;
    return false;
  }
  const std::uint64_t page_bytes = file_.page_bytes();
  std::array<std::byte, kPageHeaderBytes> header{};
  const PagePlace place{first, 0};
  if (const std::string failed = file_.read(first * page_bytes, header); !failed.empty()) {
    fault(place, failed);
    return false;
  }
  const auto own = number_at<std::uint64_t>(header, 0);
  const auto flags = number_at<std::uint16_t>(header, kPageFlagsAt);
  const std::uint64_t pages = number_at<std::uint32_t>(header, kOverflowPagesAt);
  const std::uint64_t needed =
      (kPageHeaderBytes + entry.node.value_bytes + page_bytes - 1) / page_bytes;
  if (own != first) {
    fault(place, "calls itself page " + std::to_string(own));
  } else if (flags != kOverflowPage) {
    fault({first, kPageFlagsAt},
          "should be an overflow page, and its flags are " + std::to_string(flags));
  } else if (pages < needed) {
    fault({first, kOverflowPagesAt},
          "counts " + counted(pages, "pages for a value that takes ") + std::to_string(needed));
  } else if (pages > 1 && !ledger_.use(first + 1, pages - 1, place)) {
    sound_ = false;
  } else {
    found_.overflow_pages += pages;
    entry.value_at = first * page_bytes + kPageHeaderBytes;
    return true;
  }
  return false;
}

void PageTreeWalk::check_counts() {
  const TreeRecord& said = tree_->record;
  const auto hold = [&](std::uint64_t counts, std::uint64_t met, std::string_view what) {
    if (counts == met) return;
    fault(tree_->home,
          "counts " + counted(counts, what) + " in the tree, and there are " + std::to_string(met));
  };
  hold(said.branch_pages, found_.branch_pages, "branch pages");
  hold(said.leaf_pages, found_.leaf_pages, "leaf pages");
  hold(said.overflow_pages, found_.overflow_pages, "overflow pages");
  hold(said.entries, found_.entries, "entries");
  hold(said.depth, found_.depth, "levels");
}

void PageTreeWalk::fault(const PagePlace& place, const std::string& what) {
  sound_ = false;
  ledger_.add(place, what);
}

}  // namespace perdure::journal
