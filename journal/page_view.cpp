#include "journal/page_view.hpp"

#include <algorithm>

namespace perdure::journal {
namespace {

constexpr std::size_t kLowerAt = 12;
constexpr std::size_t kUpperAt = 14;
constexpr std::size_t kNodeHeaderBytes = 8;
constexpr std::size_t kPageNumberBytes = 8;

std::string name_of(std::uint16_t kind) {
  switch (kind) {
    case kBranchPage: return "a branch page";
    case kLeafPage: return "a leaf page";
    case kOverflowPage: return "an overflow page";
    case kMetaPage: return "a meta page";
    default: return "a page of flags " + std::to_string(kind);
  }
}

/// Nodes begin at even places.
constexpr std::size_t even(std::size_t size) noexcept { return (size + 1) & ~std::size_t{1}; }

}  // namespace

std::optional<PageView::Fault> PageView::check(PageNumber number, std::uint16_t kind,
                                               std::size_t fewest) {
  count_ = 0;
  is_leaf_ = kind == kLeafPage;
  if (auto fault = check_header(number, kind, fewest)) return fault;
  auto fault = check_nodes();
  if (fault) {
    std::ranges::fill(sizes_, std::uint16_t{0});
    count_ = 0;
  }
  return fault;
}

std::optional<PageView::Fault> PageView::check_header(PageNumber number, std::uint16_t kind,
                                                      std::size_t fewest) {
  const core::ByteView page(bytes_);
  if (const auto own = number_at<std::uint64_t>(page, 0); own != number)
    return Fault{0, "calls itself page " + std::to_string(own)};
  if (const auto flags = number_at<std::uint16_t>(page, kPageFlagsAt); flags != kind)
    return Fault{kPageFlagsAt, "is " + name_of(flags) + ", and should be " + name_of(kind)};
  const std::size_t lower = number_at<std::uint16_t>(page, kLowerAt);
  const std::size_t upper = number_at<std::uint16_t>(page, kUpperAt);
  if (lower < kPageHeaderBytes || lower % 2 != 0 || lower > upper || upper > page.size())
    return Fault{kLowerAt, "has its free room from " + std::to_string(lower) + " to " +
                               std::to_string(upper) + ", which can't be"};
  count_ = (lower - kPageHeaderBytes) / 2;
  if (count_ < fewest)
    return Fault{kLowerAt,
                 "has " + std::to_string(count_) + " nodes, and needs " + std::to_string(fewest)};
  return std::nullopt;
}

std::optional<PageView::Fault> PageView::check_nodes() {
  const core::ByteView page(bytes_);
  const std::size_t upper = number_at<std::uint16_t>(page, kUpperAt);
  for (std::size_t i = 0; i < count_; ++i) {
    const std::size_t at = offset_of(i);
    const auto fault = [i](std::size_t place, const std::string& what) {
      return Fault{place, "has a node " + std::to_string(i) + " " + what};
    };
    if (at < upper || at % 2 != 0 || at + kNodeHeaderBytes > page.size())
      return fault(kPageHeaderBytes + i * 2, "at " + std::to_string(at) + ", where none can be");
    const std::size_t key = number_at<std::uint16_t>(page, at + 6);
    // The first key of a branch page is never looked at, and mostly left out.
    if (key > kNodeKeyBytesMax || (key == 0 && (is_leaf_ || i != 0)))
      return fault(at + 6, "with a key of " + std::to_string(key) + " bytes");
    std::size_t size = kNodeHeaderBytes + key;
    if (is_leaf_) {
      const bool outside = (number_at<std::uint16_t>(page, at + 4) & kOverflowNode) != 0;
      size += outside ? kPageNumberBytes : number_at<std::uint32_t>(page, at);
    }
    if (size > page.size() - at)
      return fault(at, "of " + std::to_string(size) + " bytes, which ends outside");
    std::uint16_t& taken = sizes_[at / 2];
    if (taken != 0) return fault(kPageHeaderBytes + i * 2, "where another node is");
    taken = static_cast<std::uint16_t>(even(size));
  }
  return check_tiling(upper);
}

/// LMDB moves nodes together whenever one goes, so between the free room and the page's end each
/// node begins where another ends.
std::optional<PageView::Fault> PageView::check_tiling(std::size_t upper) {
  std::size_t met = 0;
  for (std::size_t at = upper; at < bytes_.size(); ++met) {
    std::uint16_t& size = sizes_[at / 2];
    if (at % 2 != 0 || size == 0)
      return Fault{at, "has something at " + std::to_string(at) + " that belongs to no node"};
    at += size;
    size = 0;
  }
  if (met == count_) return std::nullopt;
  return Fault{kLowerAt, "has nodes that overlap"};
}

std::size_t PageView::offset_of(std::size_t index) const noexcept {
  return number_at<std::uint16_t>(bytes_, kPageHeaderBytes + index * 2);
}

PageNode PageView::node(std::size_t index) const noexcept {
  const core::ByteView page(bytes_);
  PageNode node;
  node.at = offset_of(index);
  const std::size_t key = number_at<std::uint16_t>(page, node.at + 6);
  node.key = page.subspan(node.at + kNodeHeaderBytes, key);
  const auto low = number_at<std::uint32_t>(page, node.at);
  const auto high = number_at<std::uint16_t>(page, node.at + 4);
  if (!is_leaf_) {
    node.child = low | (std::uint64_t{high} << 32U);
    return node;
  }
  node.flags = high;
  node.value_bytes = low;
  const std::size_t inside = (high & kOverflowNode) != 0 ? kPageNumberBytes : low;
  node.data = page.subspan(node.at + kNodeHeaderBytes + key, inside);
  return node;
}

}  // namespace perdure::journal
