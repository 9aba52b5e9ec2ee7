#include "journal/wal_reader.hpp"

#include "journal/memtable.hpp"
#include "journal/overlay.hpp"
#include "journal/wal_store.hpp"

#include <utility>

namespace perdure::journal {
namespace {

/// A checkpoint has to end while the log is read, so often, before a reader gives up. One is many
/// times longer than reading the log.
constexpr int kAttempts = 100;

}  // namespace

Result<std::unique_ptr<WalReader>> WalReader::open(const std::filesystem::path& directory,
                                                   core::Hash128 journal, Store& below) {
  PERDURE_TRY(auto file, WalFile::open(directory, journal, WalFile::Access::read));
  return std::make_unique<WalReader>(std::move(file), below);
}

Result<void> WalReader::commit(std::span<const Mutation>, Durability) {
  return Error{Code::misuse, "the journal is open for reading only"};
}

/// Whatever the writer moves below meanwhile it may write over in the log. So the tables have to be
/// the same before the log was read and afterwards.
Result<std::unique_ptr<Snapshot>> WalReader::snapshot() {
  PERDURE_TRY(auto below, below_.snapshot());
  PERDURE_TRY(WalPosition applied, applied_position(*below));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto rows = std::make_shared<Memtable>();
    PERDURE_TRY(const WalPosition end, file_->follow(applied, [&](WalEntry&& entry) {
      return rows->add(std::move(entry));
    }));
    PERDURE_TRY(auto again, below_.snapshot());
    PERDURE_TRY(const WalPosition now, applied_position(*again));
    if (now == applied) return make_overlay(std::move(below), {std::move(rows)}, end.batch);
    below = std::move(again);
    applied = now;
  }
  return Error{Code::storage_failed,
               "'" + file_->path().string() + "' changes faster than it can be read: try again"};
}

Result<WalReader::Report> WalReader::check(bool is_written) {
  PERDURE_TRY(const auto below, below_.snapshot());
  PERDURE_TRY(const WalPosition applied, applied_position(*below));
  Report report;
  PERDURE_TRY(const WalPosition end, file_->follow(applied, [&](WalEntry&& entry) -> Result<void> {
    report.batches += 1;
    report.bytes += entry.bytes().size();
    return success();
  }));
  if (is_written) return report;
  PERDURE_TRY(const WalFile::Later later, file_->find_later(end.batch));
  report.damage = file_->damage(end, later);
  if (!report.damage) return report;
  // Who began to write meanwhile has gone on with the chain, and perhaps moved it below since, in
  // this order. Nobody begins with a damaged log.
  PERDURE_TRY(const WalPosition further,
              file_->follow(end, [](WalEntry&&) -> Result<void> { return success(); }));
  PERDURE_TRY(const auto again, below_.snapshot());
  PERDURE_TRY(const WalPosition now, applied_position(*again));
  if (further != end || now != applied) report.damage.reset();
  return report;
}

}  // namespace perdure::journal
