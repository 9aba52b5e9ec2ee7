/// The page checker: can LMDB read this file without dying or misreading?
///
/// What this is: a walk over the pages of data.mdb by `pread` with bounds checks, before anything
/// maps it. LMDB 0.9 trusts its file: it follows any page number and any offset, so a file that was
/// cut off or changed kills the process or is misread without a word.
/// What it promises: it ends, and takes memory for two bits a page and one page a level of a tree,
/// whatever the bytes are. In a file that it calls sound, every page of every tree is where its
/// parent says, used once and not free, with nodes inside of it and keys in order, and each tree
/// has as many pages and entries as its record counts. LMDB reads such a file to its end; what can
/// still be wrong with a value its own checksum tells.
/// What it does not: repair anything; look into the room that pages don't use; tell a page from an
/// older one of the same number that fits as well (LMDB 0.9's pages carry no transaction).
///
/// docs/journal_format.md, "Pages", has the layout.
#pragma once

#include <perdure/result.hpp>

#include "journal/page_file.hpp"
#include "journal/verify.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace perdure::journal {

struct PageFinding {
  PageNumber page = 0;
  std::uint64_t offset = 0;  ///< In the file.
  std::string tree;          ///< `free list`, `meta` or the name of another table; or `meta page`.
  std::string what;          ///< What is wrong with it: "page 7 ...".
  std::string remedy;
};

/// What was found of a tree.
struct PageTree {
  std::string name;
  TreeRecord counted;
};

struct PageReport {
  std::uint32_t page_bytes = 0;
  std::uint64_t transaction = 0;  ///< Whose pages these are.
  PageNumber last_page = 0;
  std::uint64_t pages_used = 0;  ///< The two meta pages and those of trees.
  std::uint64_t pages_free = 0;
  /// Neither used nor free, and lost to LMDB until the journal is compacted; no damage.
  std::uint64_t pages_lost = 0;
  std::vector<PageTree> trees;
  bool complete = true;  ///< No: `stop` ended the check.
  std::uint64_t findings_count = 0;
  std::vector<PageFinding> findings;
  /// What the values were found to be, where PageCheckOptions::values asks for it. Of a file whose
  /// pages are damaged: what can still be reached.
  VerifyReport values;

  /// Of the pages, as far as they were looked at.
  [[nodiscard]] bool sound() const noexcept { return findings_count == 0; }
};

enum class PageValues : std::uint8_t { skip, check };

struct PageCheckOptions {
  /// Findings kept; more are only counted. Of pages and of values each.
  std::size_t findings_max = 100;
  /// `check`: each value is held against its envelope, each key's length against its table, and a
  /// run's records against each other.
  PageValues values = PageValues::skip;
  /// Asked every few pages; true ends the check, and it is not complete.
  std::function<bool()> stop;
  /// Where a writer may be at work: lets go of the read transaction it holds, begins another, and
  /// says its number; the pages of that one stay as they are until the check has returned. Without
  /// it nobody may write meanwhile.
  std::function<Result<std::uint64_t>()> hold;
};

/// Checks the file. What is wrong with it is in the report. Errors: `not_found`, `misuse` (no
/// permission), `newer_format`, `unsupported` (a big-endian file), `corrupt` (no regular file),
/// `held` (a writer commits so quickly that no transaction could be held); those of `hold`.
/// Thread: any.
[[nodiscard]] Result<PageReport> check_pages(const std::filesystem::path& file,
                                             const PageCheckOptions& options = {});

/// Whether every page that the file has no room for is in its free list. LMDB does not write a page
/// at the end that came and went in one transaction; any other page that is missing was cut off.
/// Reads the free list only. Errors as check_pages. Thread: any.
[[nodiscard]] Result<bool> only_free_pages_are_missing(const std::filesystem::path& file);

/// What a finding is in one line: file, page, offset, what is wrong, and the remedy.
[[nodiscard]] Error page_error(const std::filesystem::path& file, const PageFinding& finding);
/// The same of a meta page; of another version's file or another machine's that it is that.
[[nodiscard]] Error page_error(const std::filesystem::path& file, const PageFault& fault);

}  // namespace perdure::journal
