#include "journal/blob_shelves.hpp"

#include "core/crash_point.hpp"
#include "journal/file_system.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace perdure::journal {
namespace {

namespace fs = std::filesystem;

/// Errors: `storage_full` and `storage_failed`.
Result<void> sync_file(const Descriptor& file, const fs::path& path) {
  if (::fdatasync(file.number()) == 0) return success();
  Error error = file_error(path, "synced", errno);
  if (error.code != Code::storage_full) error.code = Code::storage_failed;
  return error;
}

bool is_same_file(const Descriptor& file, const struct stat& other) {
  struct stat status{};
  return ::fstat(file.number(), &status) == 0 && status.st_dev == other.st_dev &&
         status.st_ino == other.st_ino;
}

}  // namespace

/// What stands under a blob's name.
struct BlobShelves::Found {
  enum class State : std::uint8_t { absent, sound, damaged };
  State state = State::absent;
  /// The damaged file, open, so that no other one can be taken for it.
  std::shared_ptr<const Descriptor> damaged = {};
};

Result<std::unique_ptr<BlobShelves>> BlobShelves::open(fs::path journal) {
  auto shelves = std::make_unique<BlobShelves>(BlobDirectory(std::move(journal)));
  const fs::path unfinished = shelves->place().unfinished();
  std::error_code failed;
  fs::remove_all(unfinished, failed);
  if (failed) return file_error(unfinished, "removed", failed.value());
  return shelves;
}

Result<void> BlobShelves::check_working() const {
  if (!failed_) return success();
  return Error{Code::storage_failed, "a sync of '" + place().root().string() +
                                         "' failed, and nobody knows what of it is on the disk. "
                                         "Check the disk, then open the journal again"};
}

Error BlobShelves::ends_writing(Error error) {
  failed_ = true;
  // Whatever the reason: a second sync may succeed with the data lost.
  error.code = Code::storage_failed;
  return error;
}

Result<void> BlobShelves::synced(Result<void> result) {
  if (result) return success();
  return ends_writing(std::move(result).error());
}

/// All shelves at once: to make each when it is needed costs most of the first puts a sync more.
Result<void> BlobShelves::make_root(Durability durability) {
  if (!made_) {
    PERDURE_TRY(make_directory(place().root()));
    PERDURE_TRY(make_directory(place().unfinished()));
    for (std::size_t number = 0; number < BlobPlace::kShelves; ++number)
      PERDURE_TRY(make_directory(place().shelf(number)));
    made_ = true;
  }
  if (durability == Durability::none || durable_) return success();
  PERDURE_TRY(synced(sync_directory(place().root())));
  PERDURE_TRY(synced(sync_directory(place().journal())));
  durable_ = true;
  return success();
}

Result<fs::path> BlobShelves::name_for_unfinished(Durability durability) {
  PERDURE_TRY(check_working());
  PERDURE_TRY(make_root(durability));
  return place().unfinished() / std::to_string(++unfinished_);
}

/// Reads what stands under the name, unless this process knows it.
Result<BlobShelves::Found> BlobShelves::examine(const BlobRef& ref) {
  const fs::path path = place().file(ref.id);
  {
    Shelf& one = shelf(ref.id);
    const std::lock_guard lock(one.mutex);
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
      if (errno != ENOENT && errno != ENOTDIR) return file_error(path, "read", errno);
      // Somebody took it away, whatever was known of it.
      one.known.erase(ref.id);
      return Found{};
    }
    // From here on nobody removes it.
    if (one.known[ref.id].sound) return Found{Found::State::sound};
  }
  // Opened first: if the name still leads to this file at the end, it is the one that was read.
  auto file = std::make_shared<const Descriptor>(path, O_RDONLY | O_NONBLOCK);
  if (file->number() < 0 && file->failure() == ENOENT) return Found{};
  if (file->number() < 0) return file_error(path, "opened", file->failure());
  auto reader = BlobReader::open(path, ref.id);
  Result<void> sound = reader ? reader.value()->check_chunks() : Result<void>(reader.error());
  if (sound && reader.value()->bytes() != ref.bytes)
    sound = reader.value()->damaged(0, "it has another size");
  if (sound) {
    Shelf& one = shelf(ref.id);
    const std::lock_guard lock(one.mutex);
    one.known[ref.id].sound = true;
    return Found{Found::State::sound};
  }
  if (sound.error().code == Code::not_found) return Found{};
  if (sound.error().code != Code::corrupt) return sound.error();
  return Found{Found::State::damaged, std::move(file)};
}

Result<BlobShelves::Found> BlobShelves::find(const BlobRef& ref, Durability durability) {
  PERDURE_TRY(check_working());
  PERDURE_TRY(Found found, examine(ref));
  if (found.state != Found::State::sound || durability == Durability::none) return found;
  {
    Shelf& one = shelf(ref.id);
    const std::lock_guard lock(one.mutex);
    if (one.known[ref.id].durable) return found;
  }
  // It was made by a process that died, by a thread that has not synced it yet, or not to be
  // durable.
  PERDURE_TRY(make_root(durability));
  const Descriptor file(place().file(ref.id), O_RDONLY);
  if (file.number() < 0) return file_error(place().file(ref.id), "opened", file.failure());
  PERDURE_TRY(make_durable(ref.id, &file));
  return found;
}

Result<bool> BlobShelves::has(const BlobRef& ref, Durability durability) {
  PERDURE_TRY(const Found found, find(ref, durability));
  return found.state == Found::State::sound;
}

/// Syncs `file`, if it is given, which has the name, and the name.
Result<void> BlobShelves::make_durable(const BlobId& id, const Descriptor* file) {
  const fs::path path = place().file(id);
  if (file != nullptr) PERDURE_TRY(synced(sync_file(*file, path)));
  PERDURE_TRY(synced(sync_directory(path.parent_path())));
  Shelf& one = shelf(id);
  const std::lock_guard lock(one.mutex);
  one.known[id].durable = true;
  return success();
}

/// False when something else stands under the name than `found`.
Result<bool> BlobShelves::give_name(const fs::path& path, const BlobId& id, const Found& found) {
  const fs::path target = place().file(id);
  Shelf& one = shelf(id);
  const std::lock_guard lock(one.mutex);
  struct stat status{};
  if (::stat(target.c_str(), &status) == 0) {
    // What another thread has put there meanwhile may have been acknowledged; this file is perhaps
    // not even synced.
    if (!found.damaged || !is_same_file(*found.damaged, status)) return false;
  } else if (errno != ENOENT) {
    return file_error(target, "read", errno);
  }
  if (::rename(path.c_str(), target.c_str()) != 0) return file_error(target, "made", errno);
  one.known[id] = {.sound = true, .durable = false};
  return true;
}

Result<void> BlobShelves::publish(const fs::path& path, const Descriptor& file, const BlobRef& ref,
                                  Durability durability) {
  bool is_synced = false;
  core::crash_point(core::CrashPoint::blob_written);
  for (;;) {
    PERDURE_TRY(const Found found, find(ref, durability));
    if (found.state == Found::State::sound) return success();
    PERDURE_TRY(make_root(durability));
    // It has no name yet, so a disk that turns out to be full costs nothing but this file.
    if (durability == Durability::full && !is_synced) {
      Result<void> done = sync_file(file, path);
      if (!done && done.error().code != Code::storage_full) return synced(std::move(done));
      if (!done) return done;
      is_synced = true;
    }
    core::crash_point(core::CrashPoint::blob_synced);
    PERDURE_TRY(const bool is_named, give_name(path, ref.id, found));
    if (is_named) break;
  }
  core::crash_point(core::CrashPoint::blob_renamed);
  return durability == Durability::full ? make_durable(ref.id, nullptr) : success();
}

Result<void> BlobShelves::remove_if_old(const ListedBlob& blob, core::WallTime newest,
                                        BlobRemoval& removal) {
  Shelf& one = shelf(blob.id);
  const std::lock_guard lock(one.mutex);
  if (one.known.contains(blob.id)) {
    ++removal.kept_known;
    return success();
  }
  if (blob.written > newest) {
    ++removal.kept_young;
    return success();
  }
  const fs::path path = place().file(blob.id);
  if (::unlink(path.c_str()) != 0) {
    // Another thread that removes was faster.
    if (errno == ENOENT) return success();
    return file_error(path, "removed", errno);
  }
  ++removal.removed;
  removal.removed_bytes += blob.stored_bytes;
  return success();
}

Result<BlobRemoval> BlobShelves::remove_unreferenced(
    const std::function<bool(const BlobId&)>& is_referenced, std::chrono::microseconds age_min,
    core::Clock& clock) {
  BlobRemoval removal;
  const core::WallTime newest = clock.wall() - age_min;
  PERDURE_TRY(directory_.for_each([&](const ListedBlob& blob) -> Result<void> {
    if (is_referenced(blob.id)) return success();
    return remove_if_old(blob, newest, removal);
  }));
  return removal;
}

}  // namespace perdure::journal
