/// Who uses which page, and what was found.
///
/// What this is: the books of one check: a bit for each page that is in a tree and one for each
/// that is free, and the findings.
/// What it promises: a page that is entered twice, in either way, is found, and so is one that the
/// file does not have.
/// What it does not: read pages.
#pragma once

#include "journal/page_checker.hpp"
#include "journal/page_file.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::journal {

/// A place that speaks of a page, so that a finding can name it.
struct PagePlace {
  PageNumber page = 0;
  std::size_t at = 0;  ///< In the page.
};

/// Thread: one at a time.
class PageLedger {
 public:
  /// A file of `length` bytes whose pages end with `last_page`. All outlive it.
  PageLedger(PageReport& report, const PageCheckOptions& options, std::uint64_t length);

  /// What is being walked, for findings.
  void enter_tree(std::string_view name) { tree_ = name; }
  void add(const PagePlace& place, const std::string& what);
  /// Enters `count` pages from `first` on as used by the tree, on the word of `from`. False after a
  /// finding: they must not be read.
  [[nodiscard]] bool use(PageNumber first, std::uint64_t count, const PagePlace& from);
  /// Enters a page as free, on the word of `from`. False after a finding.
  bool release(PageNumber page, const PagePlace& from);
  /// Whether the check was stopped; asks for that now and then.
  [[nodiscard]] bool stopped();
  /// When all trees were walked: counts pages that nobody has, and finds those among them that the
  /// file does not have.
  void close();
  /// Whether every page that the file has no room for is free.
  [[nodiscard]] bool only_free_pages_are_missing() const;

 private:
  using Bits = std::vector<std::uint64_t>;
  [[nodiscard]] static bool has(const Bits& bits, PageNumber page) noexcept {
    return ((bits[page / 64] >> (page % 64)) & 1U) != 0;
  }
  static void set(Bits& bits, PageNumber page) noexcept {
    bits[page / 64] |= std::uint64_t{1} << (page % 64);
  }
  [[nodiscard]] bool in_range(PageNumber first, std::uint64_t count) const noexcept;

  PageReport& report_;
  const PageCheckOptions& options_;
  const PageNumber pages_in_file_;
  Bits used_;
  Bits free_;
  std::string tree_;
  std::uint64_t asked_ = 0;
};

}  // namespace perdure::journal
