#include "journal/generation.hpp"

#include "journal/counted_store.hpp"
#include "journal/place.hpp"
#include "journal/reader.hpp"

#include <utility>

namespace perdure::journal {
namespace {

Result<core::Hash128> identity_of(Store& store) {
  PERDURE_TRY(Reader reader, Reader::open(store));
  PERDURE_TRY(const auto identity, reader.identity());
  if (identity) return identity->journal;
  return with_place(Error{Code::corrupt, "it is missing"}, Table::meta,
                    Key{}.add(kIdentityRow).view());
}

/// The directory is a journal's, so files that are not there were lost.
template <class T>
Result<T> lost(Result<T>&& opened) {
  if (!opened && opened.error().code == Code::not_found)
    return Error{Code::corrupt,
                 opened.error().message + ". Restore the journal from a backup, all of it"};
  return std::move(opened);
}

}  // namespace

Result<void> Generation::create(const std::filesystem::path& directory, core::Clock& clock,
                                core::Random& random) {
  PERDURE_TRY(LmdbStore::create(directory));
  PERDURE_TRY(const auto tables, LmdbStore::open(directory, LmdbAccess::write));
  PERDURE_TRY(CountedStore::create(*tables, clock, random));
  PERDURE_TRY(const core::Hash128 journal, identity_of(*tables));
  return WalFile::create(directory, journal);
}

Result<std::unique_ptr<Generation>> Generation::open_for_writing(
    const std::filesystem::path& directory) {
  auto generation = std::make_unique<Generation>();
  PERDURE_TRY(generation->tables_, lost(LmdbStore::open(directory, LmdbAccess::write)));
  PERDURE_TRY(const core::Hash128 journal, identity_of(*generation->tables_));
  PERDURE_TRY(generation->log_, lost(WalStore::open(directory, journal, *generation->tables_)));
  return generation;
}

Result<std::unique_ptr<Generation>> Generation::open_for_reading(
    const std::filesystem::path& directory, LmdbAccess access) {
  auto generation = std::make_unique<Generation>();
  PERDURE_TRY(generation->tables_, lost(LmdbStore::open(directory, access)));
  PERDURE_TRY(const core::Hash128 journal, identity_of(*generation->tables_));
  PERDURE_TRY(generation->reader_, lost(WalReader::open(directory, journal, *generation->tables_)));
  return generation;
}

Result<void> Generation::need_sound_log(bool is_written) {
  PERDURE_TRY(const WalReader::Report report, check_log(is_written));
  if (report.damage) return reader_->error(*report.damage);
  return success();
}

}  // namespace perdure::journal
