#include "journal/page_ledger.hpp"

namespace perdure::journal {
namespace {

constexpr PageNumber kFirstTreePage = 2;
/// A clock is cheap beside this many pages.
constexpr std::uint64_t kPagesPerQuestion = 64;

std::string pages_text(PageNumber first, std::uint64_t count) {
  if (count == 1) return "page " + std::to_string(first);
  return std::to_string(count) + " pages from page " + std::to_string(first) + " on";
}

}  // namespace

PageLedger::PageLedger(PageReport& report, const PageCheckOptions& options, std::uint64_t length)
    : report_(report),
      options_(options),
      pages_in_file_(length / report.page_bytes),
      used_(report.last_page / 64 + 1),
      free_(report.last_page / 64 + 1) {
  report_.pages_used = kFirstTreePage;
}

void PageLedger::add(const PagePlace& place, const std::string& what) {
  ++report_.findings_count;
  if (report_.findings.size() >= options_.findings_max) return;
  report_.findings.push_back({place.page, place.page * report_.page_bytes + place.at, tree_,
                              "page " + std::to_string(place.page) + " " + what,
                              "restore the journal from a backup"});
}

bool PageLedger::in_range(PageNumber first, std::uint64_t count) const noexcept {
  return first >= kFirstTreePage && first <= report_.last_page &&
         count <= report_.last_page - first + 1;
}

bool PageLedger::use(PageNumber first, std::uint64_t count, const PagePlace& from) {
  if (!in_range(first, count)) {
    add(from, "leads to " + pages_text(first, count) + ", and there are pages 2 to " +
                  std::to_string(report_.last_page));
    return false;
  }
  if (first + count > pages_in_file_) {
    add({first, 0}, "is not whole: the file was cut off, it has " + std::to_string(pages_in_file_) +
                        " whole pages");
    return false;
  }
  for (PageNumber page = first; page < first + count; ++page) {
    if (has(used_, page) || has(free_, page)) {
      add(from, "leads to page " + std::to_string(page) +
                    (has(free_, page) ? ", which is in the free list too"
                                      : ", which is in use elsewhere too"));
      return false;
    }
    set(used_, page);
    ++report_.pages_used;
  }
  return true;
}

bool PageLedger::release(PageNumber page, const PagePlace& from) {
  const std::string number = std::to_string(page);
  if (!in_range(page, 1))
    add(from, "calls page " + number + " free, and there are pages 2 to " +
                  std::to_string(report_.last_page));
  else if (has(used_, page))
    add(from, "calls page " + number + " free, which is in use");
  else if (has(free_, page))
    add(from, "calls page " + number + " free, which another entry does too");
  else {
    set(free_, page);
    ++report_.pages_free;
    return true;
  }
  return false;
}

bool PageLedger::stopped() {
  if (!report_.complete) return true;
  if (asked_++ % kPagesPerQuestion == 0 && options_.stop && options_.stop())
    report_.complete = false;
  return !report_.complete;
}

void PageLedger::close() {
  for (PageNumber page = kFirstTreePage; page <= report_.last_page; ++page) {
    if (has(used_, page) || has(free_, page)) continue;
    ++report_.pages_lost;
    if (page >= pages_in_file_)
      add({page, 0}, "is not there and not free: the file was cut off, it has " +
                         std::to_string(pages_in_file_) + " whole pages");
  }
}

bool PageLedger::only_free_pages_are_missing() const {
  for (PageNumber page = pages_in_file_; page <= report_.last_page; ++page)
    if (!has(free_, page)) return false;
  return true;
}

}  // namespace perdure::journal
