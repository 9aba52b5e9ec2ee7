#include "journal/wal_file.hpp"

#include "core/assert.hpp"
#include "core/crash_point.hpp"
#include "journal/file_system.hpp"
#include "journal/key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace perdure::journal {
namespace {

constexpr std::uint32_t kVersion = 1;

/// As it stands at the beginning of the file; zeros follow.
struct RawHeader {
  std::array<char, 12> magic;
  std::uint32_t version;
  std::array<std::byte, 16> journal;
  std::uint64_t checksum;  ///< Of all that is in front of it.
};
static_assert(sizeof(RawHeader) == 40);
constexpr std::array<char, 12> kMagic{'p', 'e', 'r', 'd', 'u', 'r', 'e', '-', 'w', 'a', 'l', '\n'};

std::uint64_t checksum_of(const RawHeader& header) noexcept {
  return core::checksum(std::as_bytes(std::span(&header, 1)).first(offsetof(RawHeader, checksum)));
}

std::array<std::byte, 16> id_bytes(core::Hash128 journal) noexcept {
  std::array<std::byte, 16> bytes{};
  std::ranges::copy(Key{}.add(journal.high).add(journal.low).view(), bytes.begin());
  return bytes;
}

struct Written {
  std::size_t bytes = 0;
  int why = 0;  ///< The errno when that is not all.
};

Written write_all(int file, std::span<const std::byte> bytes, std::uint64_t place) noexcept {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count =
        ::pwrite(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(place + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return {done, errno};
    if (count == 0) return {done, EIO};
    done += static_cast<std::size_t>(count);
  }
  return {done, 0};
}

/// As many of `bytes` as the file has from `place` on, or a negative errno.
ssize_t read_some(int file, std::span<std::byte> bytes, std::uint64_t place) noexcept {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count =
        ::pread(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(place + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -errno;
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return static_cast<ssize_t>(done);
}

std::filesystem::path in(const std::filesystem::path& directory) {
  return directory / WalFile::kName;
}

}  // namespace

WalFile::WalFile(Private, std::filesystem::path path, core::Hash128 journal, int flags)
    : path_(std::move(path)), file_(path_, flags), seed_(wal_seed(journal)) {}

Result<void> WalFile::create(const std::filesystem::path& directory, core::Hash128 journal) {
  const std::filesystem::path path = in(directory);
  const Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (file.number() < 0) return file_error(path, "made", file.failure());
  RawHeader header{
      .magic = kMagic, .version = kVersion, .journal = id_bytes(journal), .checksum = 0};
  header.checksum = checksum_of(header);
  std::array<std::byte, kWalUnit> page{};
  std::memcpy(page.data(), &header, sizeof header);
  if (const int why = write_all(file.number(), page, 0).why; why != 0)
    return file_error(path, "written", why);
  if (::fsync(file.number()) != 0) return file_error(path, "synced", errno);
  return success();
}

Result<std::unique_ptr<WalFile>> WalFile::open(const std::filesystem::path& directory,
                                               core::Hash128 journal, Access access) {
  auto file = std::make_unique<WalFile>(Private{}, in(directory), journal,
                                        access == Access::write ? O_RDWR : O_RDONLY);
  if (file->file_.number() < 0) return file_error(file->path_, "opened", file->file_.failure());
  PERDURE_TRY(file->check_header(journal));
  struct stat status{};
  if (::fstat(file->file_.number(), &status) != 0) return file_error(file->path_, "read", errno);
  file->end_ = std::max(kFirst, static_cast<std::uint64_t>(status.st_size) / kWalUnit * kWalUnit);
  return file;
}

Result<void> WalFile::check_header(core::Hash128 journal) {
  const auto wrong = [&](std::string_view what) {
    return Error{Code::corrupt, "'" + path_.string() + "' " + std::string(what) +
                                    ": restore the journal from a backup, all of it"};
  };
  PERDURE_TRY(const core::Bytes bytes, read(0, sizeof(RawHeader)));
  RawHeader header{};
  if (bytes.size() != sizeof header) return wrong("is cut off");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kMagic) return wrong("is not a journal's log");
  if (header.version > kVersion)
    return Error{Code::newer_format, "'" + path_.string() + "' is a log of version " +
                                         std::to_string(header.version) +
                                         ", this Perdure reads version " +
                                         std::to_string(kVersion) + ": use a newer one"};
  if (header.version != kVersion || header.checksum != checksum_of(header))
    return wrong("is damaged at its beginning");
  if (header.journal != id_bytes(journal)) return wrong("is another journal's log");
  return success();
}

Result<core::Bytes> WalFile::read(std::uint64_t place, std::size_t size) {
  core::Bytes bytes(size);
  const ssize_t count = read_some(file_.number(), bytes, place);
  if (count < 0) return file_error(path_, "read", static_cast<int>(-count));
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

/// The entry at `place`, if it is the one that follows `after`.
Result<std::optional<WalEntry>> WalFile::entry_at(std::uint64_t place, const WalPosition& after) {
  std::array<std::byte, kWalEntryHeader> first{};
  const ssize_t count = read_some(file_.number(), first, place);
  if (count < 0) return file_error(path_, "read", static_cast<int>(-count));
  if (static_cast<std::size_t>(count) < first.size()) return std::nullopt;
  const std::optional<WalEntry::Header> header = WalEntry::header(first);
  if (!header || header->link.batch != after.batch + 1 || header->link.previous != after.checksum)
    return std::nullopt;
  WalEntry entry = WalEntry::with_room_for(header->size);
  const std::span<std::byte> room = entry.padded().first(header->size);
  const ssize_t size = read_some(file_.number(), room, place);
  if (size < 0) return file_error(path_, "read", static_cast<int>(-size));
  if (static_cast<std::size_t>(size) < room.size() || !entry.holds(seed_)) return std::nullopt;
  return entry;
}

Result<WalPosition> WalFile::follow(WalPosition position,
                                    const std::function<Result<void>(WalEntry&&)>& take) {
  for (;;) {
    std::uint64_t place = std::max(position.place, kFirst);
    PERDURE_TRY(auto found, entry_at(place, position));
    if (!found && place != kFirst) {
      place = kFirst;
      PERDURE_TRY(found, entry_at(place, position));
    }
    if (!found) return position;
    position = {found->batch(), found->checksum(), place + found->padded_size()};
    Result<void> taken = take(*std::move(found));
    if (!taken) {
      taken.error().message = "batch " + std::to_string(position.batch) + " in '" + path_.string() +
                              "': " + taken.error().message;
      return taken.error();
    }
  }
}

Result<WalFile::Later> WalFile::find_later(std::uint64_t batch) {
  struct stat status{};
  if (::fstat(file_.number(), &status) != 0) return file_error(path_, "read", errno);
  PERDURE_TRY(const core::Bytes all, read(0, static_cast<std::size_t>(status.st_size)));
  Later later{.highest_batch = batch, .is_first = false, .sure_at = std::nullopt};
  const core::ByteView bytes(all);
  for (std::size_t place = kFirst; place + kWalEntryHeader <= bytes.size(); place += kWalUnit) {
    const auto header = WalEntry::header(bytes.subspan(place));
    if (header && place == kFirst) later.is_first = header->link.batch == batch + 1;
    if (!header || header->link.batch <= batch || header->size > bytes.size() - place) continue;
    constexpr std::size_t kUnchecked = sizeof header->checksum;
    const core::ByteView rest = bytes.subspan(place, header->size).subspan(kUnchecked);
    if (core::checksum(rest, seed_) != header->checksum) continue;
    later.highest_batch = std::max(later.highest_batch, header->link.batch);
    if (header->link.is_sure) later.sure_at = place;
  }
  return later;
}

std::optional<WalFile::Damage> WalFile::damage(const WalPosition& end, const Later& later) const {
  if (!later.sure_at) return std::nullopt;
  return Damage{later.is_first ? kFirst : std::max(end.place, kFirst),
                "batch " + std::to_string(end.batch + 1) +
                    " can't be read, but there are later ones, the one at byte " +
                    std::to_string(*later.sure_at) + " among them",
                "restore the journal from a backup, all of it"};
}

Error WalFile::error(const Damage& damage) const {
  return {Code::corrupt, "'" + path_.string() + "' is damaged at byte " +
                             std::to_string(damage.place) + ": " + damage.what + "; " +
                             damage.remedy};
}

Result<void> WalFile::extend(std::uint64_t end) {
  PERDURE_ASSERT(end > end_ && end % kWalUnit == 0, "the log grows by whole units");
  constexpr std::size_t kAtOnce = std::size_t{64} << 10U;
  static constexpr std::array<std::byte, kAtOnce> kZeros{};
  for (std::uint64_t at = end_; at < end;) {
    const auto part = std::min<std::uint64_t>(kAtOnce, end - at);
    const int why =
        write_all(file_.number(), std::span(kZeros).first(static_cast<std::size_t>(part)), at).why;
    if (why != 0) {
      // Of no use, and of no harm where it stays.
      if (::ftruncate(file_.number(), static_cast<off_t>(end_)) != 0) errno = 0;
      return file_error(path_, "written", why);
    }
    at += part;
  }
  core::crash_point(core::CrashPoint::log_extended);
  end_ = end;
  return success();
}

Result<void> WalFile::write(std::uint64_t place, WalEntry& entry) {
  const std::span<const std::byte> bytes = entry.padded();
  PERDURE_ASSERT(place >= kFirst && place + bytes.size() <= end_, "an entry lies in the log");
  const auto [done, why] = write_all(file_.number(), bytes, place);
  if (why == 0) return success();
  Error error = file_error(path_, "written", why);
  // Where blocks are never written in place, even the zeros below would find no room.
  if (done == 0 && error.code == Code::storage_full) return error;
  // Whatever is tried next may go elsewhere, and this must not be taken for it.
  static constexpr std::array<std::byte, kWalEntryHeader> kNothing{};
  if (write_all(file_.number(), kNothing, place).why != 0) error.code = Code::storage_failed;
  return error;
}

Result<void> WalFile::sync() {
  if (::fdatasync(file_.number()) == 0) return success();
  Error error = file_error(path_, "synced", errno);
  error.code = Code::storage_failed;
  return error;
}

}  // namespace perdure::journal
