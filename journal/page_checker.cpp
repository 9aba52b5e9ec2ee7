#include "journal/page_checker.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <thread>
#include <utility>

#include "journal/page_ledger.hpp"
#include "journal/page_tree.hpp"
#include "journal/page_values.hpp"

namespace perdure::journal {
namespace {

/// Commits take far longer than the moment between a hold and a look at the meta pages.
constexpr int kHoldTries = 10'000;
/// Tries for the newest transaction.
constexpr int kHoldPatience = 100;
constexpr std::size_t kNumberBytes = 8;
/// Of a list of free pages, read at once.
constexpr std::size_t kListBytes = std::size_t{64} << 10U;
/// More tables than any version has; a record of a tree takes room in a page, so there are not
/// many.
constexpr std::size_t kTreesMax = 4096;

constexpr std::string_view kFreeListName = "free list";
constexpr std::string_view kMetaPageName = "meta page";

/// The table of that name, where this version knows it.
std::optional<Table> table_named(core::ByteView name) {
  for (std::size_t i = static_cast<std::size_t>(Table::meta) + 1; i <= kTableCount; ++i) {
    const auto table = static_cast<Table>(i);
    if (core::as_text(name) == to_string(table)) return table;
  }
  return std::nullopt;
}

PageFinding finding_of(const PageFault& fault) {
  return {fault.page, fault.offset, std::string(kMetaPageName),
          "page " + std::to_string(fault.page) + " " + fault.what,
          "restore the journal from a backup"};
}

/// A meta page, and which of the two it is, whose pages nobody changes while they are checked.
struct Settled {
  std::size_t index = 0;
  MetaPage meta;
  std::optional<PageFault> fault;
};

/// LMDB tells readers of a transaction a moment after it has written the meta page, so the held one
/// may be the older. Then that page is the next to be replaced, which could be seen half done; so
/// it is taken only if waiting does not help, when the writer was stopped in that moment.
Result<Settled> settle(PageFile& file, const PageCheckOptions& options) {
  for (int tries = 0; tries < kHoldTries; ++tries) {
    std::optional<std::uint64_t> held;
    if (options.hold) {
      PERDURE_TRY(held, options.hold());
    }
    MetaPages metas;
    auto fault = file.read_metas(metas);
    const std::size_t newer = newer_of(metas);
    if (fault || !held || metas[newer].transaction == *held)
      return Settled{newer, metas[newer], std::move(fault)};
    if (tries >= kHoldPatience && metas[1 - newer].transaction == *held)
      return Settled{1 - newer, metas[1 - newer], std::nullopt};
    std::this_thread::yield();
  }
  return Error{Code::held, "'" + file.path().string() +
                               "' is written so quickly that no state of it could be held for "
                               "the check: try again, or stop the writer"};
}

class Checker {
 public:
  Checker(PageFile& file, const PageCheckOptions& options) : file_(file), options_(options) {}

  Result<PageReport> everything() {
    PERDURE_TRY(const bool ready, begin());
    if (!ready) return std::move(report_);
    PageLedger ledger(report_, options_, file_.length());
    ledger_ = &ledger;
    PageTreeWalk walk(file_, ledger);
    free_list(walk);
    PageValueCheck values(file_, report_.values, options_.findings_max);
    main_tree(walk, values);
    for (const TreeToWalk& tree : tables_) table(walk, tree, values);
    if (report_.complete && report_.sound()) ledger.close();
    return std::move(report_);
  }

  Result<bool> missing_pages_are_free() {
    PERDURE_TRY(const bool ready, begin());
    if (!ready) return false;
    PageLedger ledger(report_, options_, file_.length());
    ledger_ = &ledger;
    PageTreeWalk walk(file_, ledger);
    free_list(walk);
    return report_.sound() && ledger.only_free_pages_are_missing();
  }

 private:
  /// Finds the state to check. False when there is none; the finding is in the report.
  Result<bool> begin() {
    PERDURE_TRY(Settled settled, settle(file_, options_));
    index_ = settled.index;
    meta_ = settled.meta;
    std::optional<PageFault> fault = std::move(settled.fault);
    if (!fault) fault = missing_tail();
    if (fault && fault->code != Code::corrupt) return page_error(file_.path(), *fault);
    if (fault) {
      ++report_.findings_count;
      report_.findings.push_back(finding_of(*fault));
      return false;
    }
    report_.page_bytes = file_.page_bytes();
    report_.transaction = meta_.transaction;
    report_.last_page = meta_.last_page;
    return true;
  }
  /// More pages than the file has room for must be in its free list, where each takes a number.
  std::optional<PageFault> missing_tail() {
    const std::uint64_t length = file_.length();
    if (meta_.last_page < length / file_.page_bytes() + length / kNumberBytes) return std::nullopt;
    return PageFault{index_, index_ * file_.page_bytes() + kLastPageAt,
                     "names " + std::to_string(meta_.last_page) +
                         " as the last page: the file was cut off, it has " +
                         std::to_string(length) + " bytes"};
  }
  void note(std::string name, const TreeRecord& counted) {
    report_.trees.push_back({std::move(name), counted});
  }

  void free_list(PageTreeWalk& walk) {
    const TreeToWalk tree{std::string(kFreeListName),
                          TreeToWalk::Kind::free_list,
                          meta_.free_list,
                          {index_, kFreeListAt}};
    note(tree.name, walk.walk(tree, [this](const TreeEntry& entry) { freed(entry); }));
  }
  void freed(const TreeEntry& entry);
  bool release(std::span<const std::byte> numbers, PageNumber& above, const PagePlace& place);
  void main_tree(PageTreeWalk& walk, PageValueCheck& values);
  void table(PageTreeWalk& walk, const TreeToWalk& tree, PageValueCheck& values);

  PageFile& file_;
  const PageCheckOptions& options_;
  PageReport report_;
  std::size_t index_ = 0;  ///< Of the meta page.
  MetaPage meta_;
  PageLedger* ledger_ = nullptr;
  std::vector<TreeToWalk> tables_;
};

/// The pages that one transaction freed: how many, then their numbers, falling. Room behind them
/// means nothing.
void Checker::freed(const TreeEntry& entry) {
  const std::uint64_t bytes = entry.node.value_bytes;
  const auto transaction = number_at<std::uint64_t>(entry.node.key, 0);
  if (transaction == 0 || transaction > meta_.transaction)
    ledger_->add(entry.place, "lists pages that transaction " + std::to_string(transaction) +
                                  " freed, and the last one is " +
                                  std::to_string(meta_.transaction));
  if (bytes < kNumberBytes || bytes % kNumberBytes != 0)
    return ledger_->add(entry.place, "has a list of free pages of " + std::to_string(bytes) +
                                         " bytes, which is none");
  core::Bytes part(std::min<std::uint64_t>(bytes, kListBytes));
  std::uint64_t left = 1;
  PageNumber above = kNoPage;
  for (std::uint64_t done = 0; done < bytes && left > 0;) {
    const std::uint64_t size = std::min<std::uint64_t>(bytes - done, part.size());
    core::ByteView numbers = entry.node.data;
    if (entry.value_at != 0) {
      const std::span<std::byte> room = std::span(part).first(size);
      if (const std::string failed = file_.read(entry.value_at + done, room); !failed.empty())
        return ledger_->add(entry.place, "has a list of free pages that " + failed);
      numbers = room;
    } else {
      numbers = numbers.subspan(done, size);
    }
    if (done == 0) {
      left = number_at<std::uint64_t>(numbers, 0);
      if (left > bytes / kNumberBytes - 1)
        return ledger_->add(entry.place, "has a list of " + std::to_string(left) +
                                             " free pages in " + std::to_string(bytes) + " bytes");
      numbers = numbers.subspan(kNumberBytes);
    }
    numbers = numbers.first(std::min<std::uint64_t>(left * kNumberBytes, numbers.size()));
    if (!release(numbers, above, entry.place)) return;
    left -= numbers.size() / kNumberBytes;
    done += size;
  }
}

/// False after numbers that don't fall: what follows means nothing.
bool Checker::release(core::ByteView numbers, PageNumber& above, const PagePlace& place) {
  for (std::size_t at = 0; at < numbers.size(); at += kNumberBytes) {
    const auto page = number_at<std::uint64_t>(numbers, at);
    if (page >= above) {
      ledger_->add(place, "has a list of free pages that is out of order");
      return false;
    }
    above = page;
    ledger_->release(page, place);
  }
  return true;
}

/// Its entries are the rows of `meta`, whose keys begin with a zero, and the records of the tables.
void Checker::main_tree(PageTreeWalk& walk, PageValueCheck& values) {
  const TreeToWalk tree{std::string(to_string(Table::meta)),
                        TreeToWalk::Kind::main,
                        meta_.main,
                        {index_, kMainTreeAt}};
  const std::uint64_t before = report_.findings_count;
  if (meta_.main.flags != 0) {
    ledger_->enter_tree(tree.name);
    ledger_->add(tree.home, "says that the main tree has flags " +
                                std::to_string(meta_.main.flags) + ", which journals don't use");
  }
  std::uint64_t known = 0;
  note(tree.name, walk.walk(tree, [&](const TreeEntry& entry) {
    const core::ByteView key = entry.node.key;
    const bool is_row = key.front() == std::byte{0};
    if (is_row == (entry.node.flags == kTreeNode))
      return ledger_->add(entry.place, is_row ? "has the record of a tree where a row of meta "
                                                "should be"
                                              : "has a value where the record of a table "
                                                "should be");
    if (is_row) {
      if (options_.values == PageValues::check) values.take(Table::meta, entry);
      return;
    }
    if (table_named(key)) ++known;
    const PagePlace home{entry.place.page, entry.node.at + 8 + key.size()};
    if (tables_.size() == kTreesMax)
      return ledger_->add(home, "has more tables than journals have");
    tables_.push_back({std::string(core::as_text(key)), TreeToWalk::Kind::table,
                       tree_record(entry.node.data), home});
  }));
  values.end_table();
  if (report_.complete && report_.findings_count == before && known != kTableCount - 1)
    ledger_->add(tree.home, "leads to " + std::to_string(known) + " of the journal's tables, not " +
                                std::to_string(kTableCount - 1) + ": it is not a journal's file");
}

void Checker::table(PageTreeWalk& walk, const TreeToWalk& tree, PageValueCheck& values) {
  if (tree.record.flags != 0) {
    ledger_->enter_tree(tree.name);
    return ledger_->add(tree.home, "says that the table '" + tree.name + "' has flags " +
                                       std::to_string(tree.record.flags) +
                                       ", which journals don't use");
  }
  const auto known = table_named(core::as_bytes(tree.name));
  const bool wanted = known && options_.values == PageValues::check;
  note(tree.name, walk.walk(tree, [&](const TreeEntry& entry) {
    if (wanted) values.take(*known, entry);
  }));
  values.end_table();
}

}  // namespace

Result<PageReport> check_pages(const std::filesystem::path& file, const PageCheckOptions& options) {
  PERDURE_TRY(PageFile opened, PageFile::open(file));
  return Checker(opened, options).everything();
}

Result<bool> only_free_pages_are_missing(const std::filesystem::path& file) {
  PERDURE_TRY(PageFile opened, PageFile::open(file));
  const PageCheckOptions options;
  return Checker(opened, options).missing_pages_are_free();
}

Error page_error(const std::filesystem::path& file, const PageFinding& finding) {
  return Error{Code::corrupt, "'" + file.string() + "' is damaged: " + finding.what + " (" +
                                  finding.tree + ", at byte " + std::to_string(finding.offset) +
                                  "): " + finding.remedy};
}

Error page_error(const std::filesystem::path& file, const PageFault& fault) {
  if (fault.code == Code::corrupt) return page_error(file, finding_of(fault));
  const std::string remedy = fault.code == Code::newer_format
                                 ? ": use a newer Perdure, or, if none wrote it, restore a backup"
                                 : ": use it there";
  return Error{fault.code, "'" + file.string() + "' can't be used: page " +
                               std::to_string(fault.page) + " " + fault.what + " (at byte " +
                               std::to_string(fault.offset) + ")" + remedy};
}

}  // namespace perdure::journal
