#include "journal/lmdb_file.hpp"

#include <string>

#include "journal/page_checker.hpp"
#include "journal/page_file.hpp"

namespace perdure::journal {
namespace {

constexpr std::string_view kRemedy =
    ": restore the journal from a backup, or copy it again, whole, while no process writes it";
/// A writer may change the free list while it is read.
constexpr int kTries = 10;

}  // namespace

Result<LmdbFileInfo> inspect_lmdb_file(const std::filesystem::path& file) {
  PERDURE_TRY(PageFile opened, PageFile::open(file));
  LmdbFileInfo info;
  std::uint64_t needed = 0;
  for (int tries = 0; tries < kTries; ++tries) {
    MetaPages metas;
    if (const auto fault = opened.read_metas(metas)) return page_error(file, *fault);
    const MetaPage& newer = metas[newer_of(metas)];
    info = {opened.length(), opened.page_bytes(), newer.last_page, newer.transaction};
    needed = (info.last_page + 1) * info.page_bytes;
    if (info.length >= needed) return info;
    PERDURE_TRY(const bool whole, only_free_pages_are_missing(file));
    if (whole) return info;
  }
  return Error{Code::corrupt, "'" + file.string() + "' was cut off: it has " +
                                  std::to_string(info.length) +
                                  " bytes and its meta page speaks of " + std::to_string(needed) +
                                  std::string(kRemedy)};
}

}  // namespace perdure::journal
