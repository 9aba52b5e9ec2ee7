#include "journal/blob_directory.hpp"

#include "journal/blob_hash.hpp"
#include "journal/file_system.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <span>
#include <string>
#include <system_error>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;

/// What is in `directory`; nothing where it is not there.
Result<void> each_entry(const fs::path& directory,
                        const std::function<Result<void>(const fs::path&)>& take) {
  std::error_code failed;
  fs::directory_iterator entry(directory, failed);
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed))
    PERDURE_TRY(take(entry->path()));
  if (!failed || failed == std::errc::no_such_file_or_directory) return success();
  return file_error(directory, "listed", failed.value());
}

/// Calls `blob` for each file that is a blob by its name, and `stray` for what is not.
Result<void> each_file(const BlobPlace& place,
                       const std::function<Result<void>(const BlobId&, const fs::path&)>& blob,
                       const std::function<Result<void>(const fs::path&)>& stray) {
  return each_entry(place.root(), [&](const fs::path& shelf) -> Result<void> {
    const std::string name = shelf.filename().string();
    if (name == BlobPlace::kUnfinished) return success();
    const auto number = BlobPlace::shelf_named(name);
    if (!number) return stray(shelf);
    return each_entry(shelf, [&](const fs::path& file) -> Result<void> {
      const auto id = BlobPlace::blob_named(*number, file.filename().string());
      return id ? blob(*id, file) : stray(file);
    });
  });
}

core::WallTime time_of(const struct stat& status) {
  return core::WallTime(std::chrono::seconds(status.st_mtim.tv_sec) +
                        std::chrono::microseconds(status.st_mtim.tv_nsec / 1000));
}

/// Reads the file and says what is wrong; false when it has gone meanwhile.
bool look_at(CheckedBlob& checked) {
  const auto opened = BlobReader::open(checked.file, *checked.id);
  if (!opened && opened.error().code == Code::not_found) return false;
  struct stat status{};
  if (::stat(checked.file.c_str(), &status) == 0)
    checked.stored_bytes = static_cast<std::uint64_t>(status.st_size);
  if (!opened) {
    checked.damage = opened.error();
    return true;
  }
  checked.bytes = opened.value()->bytes();
  if (const auto sound = opened.value()->check(); !sound) checked.damage = sound.error();
  return true;
}

}  // namespace

Result<std::unique_ptr<BlobReader>> BlobDirectory::open(const BlobRef& ref) const {
  PERDURE_TRY(auto reader, BlobReader::open(place_.file(ref.id), ref.id));
  if (reader->bytes() == ref.bytes) return reader;
  return reader->damaged(48, "it has " + std::to_string(reader->bytes()) +
                                 " bytes of content, and the record that refers to it says " +
                                 std::to_string(ref.bytes));
}

Result<core::Bytes> BlobDirectory::get(const BlobRef& ref, std::uint64_t limit) const {
  if (ref.bytes > limit) return too_large_to_get(ref, limit);
  PERDURE_TRY(const auto reader, open(ref));
  core::Bytes content;
  // Room for all of it at once only if the file has a fair part of that: the size is just a number.
  constexpr std::uint64_t kPlausible = 16;
  if (ref.bytes / kPlausible <= reader->stored_bytes())
    content.reserve(static_cast<std::size_t>(ref.bytes));
  ContentHash hash;
  while (content.size() < ref.bytes) {
    const std::size_t done = content.size();
    content.resize(done + static_cast<std::size_t>(
                              std::min<std::uint64_t>(kBlobChunkBytes, ref.bytes - done)));
    const std::span<std::byte> next = std::span(content).subspan(done);
    PERDURE_TRY(reader->read(next));
    hash.add(next);
  }
  PERDURE_TRY(const BlobId id, hash.finish());
  if (id == ref.id) return content;
  return reader->damaged(kBlobHeaderBytes,
                         "it holds other content than its id says, that of " + to_string(id));
}

Result<void> BlobDirectory::for_each(
    const std::function<Result<void>(const ListedBlob&)>& take) const {
  const auto list = [&](const BlobId& id, const fs::path& file) -> Result<void> {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) {
      if (errno == ENOENT) return success();
      return file_error(file, "read", errno);
    }
    return take({id, static_cast<std::uint64_t>(status.st_size), time_of(status)});
  };
  return each_file(place_, list, [](const fs::path&) { return Result<void>(success()); });
}

Result<void> BlobDirectory::check(const BlobRef& ref) const {
  PERDURE_TRY(const auto reader, open(ref));
  return reader->check();
}

Result<void> BlobDirectory::check_all(
    const std::function<Result<void>(const CheckedBlob&)>& take) const {
  const auto check_one = [&](const BlobId& id, const fs::path& file) -> Result<void> {
    CheckedBlob checked{.file = file, .id = id, .damage = std::nullopt};
    return look_at(checked) ? take(checked) : Result<void>(success());
  };
  return each_file(place_, check_one, [&](const fs::path& file) {
    return take({.file = file,
                 .id = std::nullopt,
                 .damage = Error{Code::corrupt, "'" + file.string() +
                                                    "' is no blob's name: nothing refers to it. "
                                                    "Move it away"}});
  });
}

}  // namespace perdure::journal
