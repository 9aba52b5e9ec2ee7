#include "journal/directory.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

#include "core/assert.hpp"
#include "core/limits.hpp"
#include "journal/blob_place.hpp"
#include "journal/blob_store.hpp"
#include "journal/blobs_for_reading.hpp"
#include "journal/control_socket.hpp"
#include "journal/counted_store.hpp"
#include "journal/file_system.hpp"
#include "journal/generation.hpp"
#include "journal/lmdb_store.hpp"
#include "journal/lock_file.hpp"
#include "journal/page_lookup.hpp"
#include "journal/reader.hpp"
#include "journal/store_with_blobs.hpp"

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCurrent = "CURRENT";
constexpr std::string_view kFirstLine = "perdure-journal ";
constexpr unsigned kDirectoryVersion = 1;
constexpr std::string_view kGeneration = "generation-";
constexpr std::size_t kGenerationDigits = 6;
constexpr std::string_view kFirstGeneration = "generation-000001";
constexpr std::string_view kUnfinished = ".new";
constexpr std::string_view kDataFile = "data.mdb";
constexpr std::size_t kCurrentBytes = 4096;

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

bool is_generation(std::string_view name) {
  if (!name.starts_with(kGeneration)) return false;
  name.remove_prefix(kGeneration.size());
  return name.size() >= kGenerationDigits && name.size() < 20 &&
         name.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Whether an entry of the directory can be a part of a journal without CURRENT.
bool is_ours(std::string_view name) {
  if (name.ends_with(kUnfinished)) name.remove_suffix(kUnfinished.size());
  return name == "LOCK" || name == kCurrent || name == kControlName || name == BlobPlace::kName ||
         is_generation(name);
}

/// The generation that the text of CURRENT names.
Result<std::string> generation_of(const fs::path& file, std::string_view text) {
  const std::size_t end = text.find('\n');
  const auto damaged = [&](std::string_view why) {
    return Error{Code::corrupt,
                 quoted(file) + " is damaged (" + std::string(why) +
                     "): it has two lines, 'perdure-journal 1' and the name of the generation "
                     "directory beside it. Restore it from a backup, or write it so"};
  };
  if (end == std::string_view::npos || !text.starts_with(kFirstLine))
    return damaged("its first line is not a journal's");
  unsigned version = 0;
  const char* const last = text.data() + end;
  const auto parsed = std::from_chars(text.data() + kFirstLine.size(), last, version);
  if (parsed.ec != std::errc{} || parsed.ptr != last) return damaged("its version is no number");
  if (version > kDirectoryVersion)
    return Error{Code::newer_format, quoted(file.parent_path()) + " is a journal of version " +
                                         std::to_string(version) + ", this Perdure reads version " +
                                         std::to_string(kDirectoryVersion) + ": use a newer one"};
  std::string_view name = text.substr(end + 1);
  if (!name.ends_with('\n')) return damaged("its second line does not end");
  name.remove_suffix(1);
  if (version != kDirectoryVersion || !is_generation(name))
    return damaged("its second line names no generation");
  return std::string(name);
}

/// The generation that CURRENT names; empty without CURRENT.
Result<std::optional<std::string>> current(const fs::path& directory) {
  const fs::path file = directory / kCurrent;
  Result<std::string> text = read_file(file, kCurrentBytes);
  if (!text && text.error().code == Code::not_found) return std::nullopt;
  if (!text) return text.error();
  PERDURE_TRY(std::string name, generation_of(file, text.value()));
  return std::optional<std::string>(std::move(name));
}

Result<void> name_generation(const fs::path& directory, std::string_view generation) {
  return replace_file(directory / kCurrent, std::string(kFirstLine) +
                                                std::to_string(kDirectoryVersion) + "\n" +
                                                std::string(generation) + "\n");
}

Result<void> remove_leftover(const fs::path& path) {
  std::error_code failed;
  fs::remove_all(path, failed);
  if (failed) return file_error(path, "removed", failed.value());
  return success();
}

/// Refuses a directory that holds something else. Nothing has been written to it yet.
Result<void> check_new(const fs::path& directory) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(directory, failed)) {
    const std::string name = entry.path().filename().string();
    if (!is_ours(name))
      return Error{Code::misuse, quoted(directory) + " is not empty (it has '" + name +
                                     "') and is no journal: give an empty or a new directory"};
  }
  if (failed) return file_error(directory, "listed", failed.value());
  return success();
}

/// A generation that CURRENT does not name was finished by a crash just before that, if nobody ever
/// opened it. Anything else is a journal that lost its CURRENT.
Result<void> check_never_opened(const fs::path& generation) {
  PERDURE_TRY(const auto opened, Generation::open_for_reading(generation, LmdbAccess::read));
  PERDURE_TRY(opened->need_sound_log(false));
  PERDURE_TRY(Reader reader, Reader::open(opened->store()));
  PERDURE_TRY(const auto counters, reader.counters());
  if (counters && counters->epoch == 0) return success();
  const fs::path directory = generation.parent_path();
  return Error{Code::corrupt, quoted(directory) +
                                  " has no CURRENT, but a generation that was in "
                                  "use. If it is the journal's only one, write " +
                                  quoted(directory / kCurrent) + " with the two lines '" +
                                  std::string(kFirstLine) + std::to_string(kDirectoryVersion) +
                                  "' and '" + generation.filename().string() +
                                  "'; else restore a backup"};
}

/// Makes the first generation, or finishes what a crash left of one. Each step is durable before
/// the next, and the last one makes it a journal.
Result<void> create(const fs::path& directory, core::Clock& clock, core::Random& random) {
  const fs::path generation = directory / kFirstGeneration;
  fs::path unfinished = generation;
  unfinished += kUnfinished;
  if (fs::exists(generation)) {
    PERDURE_TRY(check_never_opened(generation));
    return name_generation(directory, kFirstGeneration);
  }
  PERDURE_TRY(remove_leftover(unfinished));
  PERDURE_TRY(make_directory(unfinished));
  PERDURE_TRY(Generation::create(unfinished, clock, random));
  PERDURE_TRY(sync_directory(unfinished));
  PERDURE_TRY(rename_durably(unfinished, generation));
  return name_generation(directory, kFirstGeneration);
}

class WritingJournal final : public JournalForWriting {
 public:
  WritingJournal(std::unique_ptr<LockFile> lock, std::unique_ptr<Generation> generation,
                 std::unique_ptr<StoreWithBlobs> whole, std::unique_ptr<CountedStore> counted)
      : lock_(std::move(lock)),
        generation_(std::move(generation)),
        whole_(std::move(whole)),
        counted_(std::move(counted)) {}

  Store& store() override { return *counted_; }
  bool was_clean() const override { return counted_->before().clean != 0; }
  RecordNumber last_number() const override { return counted_->before().last_number; }
  Stamp last_stamp() const override { return counted_->before().last_stamp; }
  core::Hash128 id() const override { return counted_->journal(); }
  Result<void> close_cleanly(RecordNumber last_number, Stamp last_stamp) override {
    PERDURE_TRY(counted_->close_cleanly(last_number, last_stamp));
    if (generation_ == nullptr) return success();
    // The mark is durable in the log, so a disk that has no room for the tables can wait.
    Result<void> settled = generation_->settle();
    if (!settled && settled.error().code == Code::storage_full) return success();
    return settled;
  }

 private:
  // In the order in which they are let go: the lock last.
  std::unique_ptr<LockFile> lock_;
  std::unique_ptr<Generation> generation_;
  std::unique_ptr<StoreWithBlobs> whole_;
  std::unique_ptr<CountedStore> counted_;
};

/// Whether somebody writes it, as far as can be told.
bool is_written(const fs::path& directory) {
  const Result<std::optional<std::string>> holder = LockFile::holder(directory);
  return !holder || holder.assume_value().has_value();
}

class ReadingJournal final : public JournalForReading {
 public:
  ReadingJournal(fs::path directory, std::unique_ptr<Generation> generation)
      : directory_(std::move(directory)),
        generation_(std::move(generation)),
        whole_(generation_->store(), std::make_unique<BlobsForReading>(directory_)) {}
  Store& store() override { return whole_; }
  std::optional<std::string> holder() const override {
    Result<std::optional<std::string>> found = LockFile::holder(directory_);
    return found ? std::move(found).value() : std::nullopt;
  }

  Result<WalReader::Report> check_log() override {
    return generation_->check_log(is_written(directory_));
  }

 private:
  const fs::path directory_;
  std::unique_ptr<Generation> generation_;
  StoreWithBlobs whole_;
};

/// How a reader may open a generation: without LMDB's lock file only while nobody writes.
Result<LmdbAccess> access_for(const fs::path& directory, const fs::path& generation) {
  fs::path lock = generation / "lock.mdb";
  if (!fs::exists(lock)) lock = generation;  // LMDB makes it.
  if (::access(lock.c_str(), W_OK) == 0 || errno != EACCES) return LmdbAccess::read;
  const Result<std::optional<std::string>> holder = LockFile::holder(directory);
  const std::string remedy =
      ". Give this user the right to write " + quoted(lock) + ", or run as the journal's owner";
  if (!holder)
    return Error{Code::misuse, "whether " + quoted(directory) +
                                   " is being written can't be told: " + holder.error().message +
                                   remedy};
  if (holder.value())
    return Error{Code::misuse, quoted(directory) + " is being written by " + *holder.value() +
                                   ", and this user can't enter itself as a reader" + remedy};
  return LmdbAccess::read_without_lock;
}

/// Whether the last writer said that it was done. A file that does not tell is not clean.
bool ended_cleanly(const fs::path& file) {
  const std::optional<core::Bytes> value = find_unnamed_row(file, Key{}.add(kCountersRow).view());
  if (!value) return false;
  RecordBuffer buffer;
  if (!buffer.load(Key{}.add(kCountersRow).view(), *value)) return false;
  const Result<Counters> counters = buffer.as<Counters>();
  return counters && counters.assume_value().clean != 0;
}

/// Damaged pages are met here and not in LMDB, which would die of them or spread them. The caller
/// holds the lock. A file that is not there is left to the opening to report.
Result<void> check_after_unclean_end(const fs::path& directory, const fs::path& generation,
                                     core::Clock& clock) {
  const fs::path file = generation / kDataFile;
  std::error_code ignored;
  if (!fs::exists(file, ignored) || ended_cleanly(file)) return success();
  const core::Elapsed deadline = clock.elapsed() + core::limits::kPageCheck;
  PageCheckOptions options;
  options.findings_max = 1;
  options.stop = [&] { return clock.elapsed() >= deadline; };
  PERDURE_TRY(const PageReport report, check_pages(file, options));
  if (report.sound()) return success();
  Error error = page_error(file, report.findings.front());
  error.message +=
      "; 'perdure verify --journal " + directory.string() + "' lists everything that is wrong";
  return error;
}

/// The names that lead to the journal are durable before anything in it is acknowledged. Whoever
/// gave them may have died before they were: this process sees them all the same.
Result<void> sync_names(const fs::path& directory, Store& store) {
  PERDURE_TRY(sync_directory(directory));
  PERDURE_TRY(Reader reader, Reader::open(store));
  PERDURE_TRY(const auto counters, reader.counters());
  // The directory's own name never changes again, and the one above need not be readable later.
  if (counters && counters->epoch != 0) return success();
  return sync_directory(directory.parent_path());
}

Error no_journal(const fs::path& directory) {
  return Error{Code::not_found, "there is no journal in " + quoted(directory) +
                                    " (no file CURRENT): check the path"};
}

/// A path that still holds when the process changes its directory.
fs::path lasting(const fs::path& directory) {
  fs::path path = fs::absolute(directory).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace

Result<std::unique_ptr<JournalForWriting>> JournalForWriting::open(const fs::path& given,
                                                                   core::Clock& clock,
                                                                   core::Random& random,
                                                                   Opening opening) {
  if (given.empty()) return Error{Code::misuse, "the journal's path is empty: name a directory"};
  const fs::path directory = lasting(given);
  if (opening == Opening::work) PERDURE_TRY(make_directory(directory));
  PERDURE_TRY(check_file_system(directory));
  PERDURE_TRY(auto named, current(directory));
  if (!named && opening == Opening::visit) return no_journal(directory);
  if (!named) PERDURE_TRY(check_new(directory));
  PERDURE_TRY(auto lock, LockFile::acquire(directory, clock));
  // Whoever held the lock a moment ago may have made the journal.
  PERDURE_TRY(named, current(directory));
  if (!named && opening == Opening::visit) return no_journal(directory);
  if (!named) {
    PERDURE_TRY(create(directory, clock, random));
    named = std::string(kFirstGeneration);
  }
  PERDURE_TRY(check_after_unclean_end(directory, directory / *named, clock));
  PERDURE_TRY(auto generation, Generation::open_for_writing(directory / *named));
  PERDURE_TRY(sync_names(directory, generation->store()));
  PERDURE_TRY(auto blobs, BlobStore::open(directory));
  auto whole = std::make_unique<StoreWithBlobs>(generation->store(), std::move(blobs));
  PERDURE_TRY(auto counted, CountedStore::open(*whole, random, opening));
  return std::make_unique<WritingJournal>(std::move(lock), std::move(generation), std::move(whole),
                                          std::move(counted));
}

Result<std::unique_ptr<JournalForWriting>> JournalForWriting::open_in(Store& store,
                                                                      core::Clock& clock,
                                                                      core::Random& random) {
  bool is_new = false;
  {
    PERDURE_TRY(Reader reader, Reader::open(store));
    PERDURE_TRY(const auto identity, reader.identity());
    is_new = !identity;
  }
  if (is_new) PERDURE_TRY(CountedStore::create(store, clock, random));
  PERDURE_TRY(auto counted, CountedStore::open(store, random));
  return std::make_unique<WritingJournal>(nullptr, nullptr, nullptr, std::move(counted));
}

namespace {

struct Named {
  fs::path directory;
  fs::path generation;
  LmdbAccess access;
};

/// What a reader needs to know before it opens the files.
Result<Named> find_for_reading(const fs::path& given) {
  if (given.empty()) return Error{Code::misuse, "the journal's path is empty: name a directory"};
  fs::path directory = lasting(given);
  PERDURE_TRY(const auto named, current(directory));
  if (!named) return no_journal(directory);
  fs::path generation = directory / *named;
  PERDURE_TRY(const LmdbAccess access, access_for(directory, generation));
  return Named{std::move(directory), std::move(generation), access};
}

}  // namespace

Result<std::unique_ptr<JournalForReading>> JournalForReading::open(const fs::path& given,
                                                                   DamagedLog damaged) {
  PERDURE_TRY(const Named named, find_for_reading(given));
  PERDURE_TRY(auto generation, Generation::open_for_reading(named.generation, named.access));
  if (damaged == DamagedLog::refused)
    PERDURE_TRY(generation->need_sound_log(is_written(named.directory)));
  return std::make_unique<ReadingJournal>(named.directory, std::move(generation));
}

Result<PageReport> check_journal_pages(const fs::path& given, PageCheckOptions options) {
  PERDURE_TRY(const Named named, find_for_reading(given));
  const fs::path file = named.generation / kDataFile;
  std::error_code ignored;
  if (!fs::exists(file, ignored))
    return Error{Code::corrupt,
                 "there is no " + quoted(file) + ": restore the journal from a backup"};
  const Result<std::unique_ptr<LmdbHold>> hold = LmdbHold::open(named.generation, named.access);
  if (hold) {
    options.hold = [&] { return hold.assume_value()->renew(); };
    return check_pages(file, options);
  }
  if (hold.error().code != Code::corrupt) return hold.error();
  // LMDB won't have it, so nobody writes it, and the check says where it is damaged.
  options.hold = nullptr;
  PERDURE_TRY(PageReport report, check_pages(file, options));
  if (report.sound()) return hold.error();
  return report;
}

}  // namespace perdure::journal
