/// The journal directory: generations, CURRENT and the writer's lock.
///
/// What this is: opening a journal on disk, for writing (one process) or for reading (any number,
/// also while it is written, also when its writer died).
/// What it promises: a second writer is refused with an error that names the holder; a directory
/// that is no journal, is newer, is on a network file system or cannot be written is refused with
/// what to do.
///
///     trips.journal/
///       CURRENT            "perdure-journal 1\ngeneration-000001\n"
///       LOCK               held (open file description lock) by the writer; says who
///       CONTROL            a socket for operators' orders (control_socket.hpp)
///       generation-000001/ data.mdb, lock.mdb, wal
///       blobs/             large content (blob_store.hpp), not there without any
///
/// A journal that comes into being is complete once CURRENT names its generation. A crash before
/// that leaves parts that the next opening for writing replaces. Directories are made with mode
/// 0700, files with 0600; whoever opens them further (chmod) is not undone.
#pragma once

#include <perdure/result.hpp>

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/opening.hpp"
#include "journal/page_checker.hpp"
#include "journal/record.hpp"
#include "journal/store.hpp"
#include "journal/wal_reader.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace perdure::journal {

/// A journal open for writing. Thread: `store()` as Store says; the rest one at a time.
class JournalForWriting {
 public:
  /// Creates the journal when `directory` does not exist or is empty. Raises the epoch and marks
  /// the journal as open (unless it is a visit). Unless the last writer ended cleanly, the file's
  /// pages are checked before it is mapped, for at most core::limits::kPageCheck of `clock`.
  /// Errors: `held`, `corrupt`, `newer_format`, `storage_full`, `storage_failed`, `unsupported`,
  /// `misuse`; each names the file and the remedy. A visit also: `not_found`.
  [[nodiscard]] static Result<std::unique_ptr<JournalForWriting>> open(
      const std::filesystem::path& directory, core::Clock& clock, core::Random& random,
      Opening opening = Opening::work);
  /// A journal in a store that is not on disk, as tests use one. An empty store becomes a new
  /// journal. `store` outlives it. Errors: as Store::commit, `corrupt`.
  [[nodiscard]] static Result<std::unique_ptr<JournalForWriting>> open_in(Store& store,
                                                                          core::Clock& clock,
                                                                          core::Random& random);
  virtual ~JournalForWriting() = default;

  [[nodiscard]] virtual Store& store() = 0;
  /// Whether the last writer shut down cleanly (also true for a new journal).
  [[nodiscard]] virtual bool was_clean() const = 0;
  /// The highest record number in use when the journal was opened; and the highest stamp of a head
  /// row.
  [[nodiscard]] virtual RecordNumber last_number() const = 0;
  [[nodiscard]] virtual Stamp last_stamp() const = 0;
  [[nodiscard]] virtual core::Hash128 id() const = 0;
  /// Marks a clean end. The writer has stopped. In a visit only if `was_clean`. Errors: as
  /// Store::commit.
  [[nodiscard]] virtual Result<void> close_cleanly(RecordNumber last_number, Stamp last_stamp) = 0;
};

/// What a reader does with a log that is damaged before its end.
enum class DamagedLog : std::uint8_t {
  refused,  ///< `corrupt`.
  read,     ///< The journal is as it was before the damage.
};

/// A journal open for reading. Follows CURRENT at each opening.
class JournalForReading {
 public:
  /// Errors: `not_found` (no journal there), `corrupt`, `newer_format`, `misuse` (no permission;
  /// what to do). Never creates or changes anything but LMDB's reader table. Without the right to
  /// write that table (lock.mdb) a journal that nobody writes is read without it.
  [[nodiscard]] static Result<std::unique_ptr<JournalForReading>> open(
      const std::filesystem::path& directory, DamagedLog damaged = DamagedLog::refused);
  virtual ~JournalForReading() = default;
  [[nodiscard]] virtual Store& store() = 0;
  /// The process that holds the journal for writing now, as LOCK tells it, or empty.
  [[nodiscard]] virtual std::optional<std::string> holder() const = 0;
  /// What is only in the log, and whether it is damaged; see WalReader::check. Errors: as
  /// Store::snapshot.
  [[nodiscard]] virtual Result<WalReader::Report> check_log() = 0;
};

/// Checks the pages of the journal in `directory`, also while it is written; see check_pages, whose
/// `hold` is set here. Errors: those of JournalForReading::open and of check_pages, but that damage
/// in data.mdb is in the report. Thread: any.
[[nodiscard]] Result<PageReport> check_journal_pages(const std::filesystem::path& directory,
                                                     PageCheckOptions options = {});

}  // namespace perdure::journal
