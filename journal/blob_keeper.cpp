#include "journal/blob_keeper.hpp"

#include <string>
#include <utility>

namespace perdure::journal {

Result<BlobRef> BlobKeeper::keep(core::ByteView content, Admission admission) {
  if (blobs_ == nullptr)
    return Error{Code::too_large, "a payload of " + std::to_string(content.size()) +
                                      " bytes needs blobs, and the journal's store has none"};
  for (;;) {
    Result<BlobRef> put = blobs_->put(content, options_.durability);
    if (put.has_value()) {
      note_room();
      return put;
    }
    const Error& why = put.assume_error();
    const bool waits = why.code == Code::storage_full && admission == Admission::under_way;
    if (!waits || !wait_for_room(why)) return put;
  }
}

/// False: nobody waits any more. An owner who commits by himself has no thread that could wait.
bool BlobKeeper::wait_for_room(const Error& why) {
  std::unique_lock lock(mutex_);
  if (stopped_ || options_.committer == WriterOptions::Committer::owner) return false;
  if (!std::exchange(full_, why) && options_.on_full) {
    lock.unlock();
    options_.on_full(why);
    lock.lock();
  }
  changed_.wait_for(lock, options_.full_disk_retry, [this] { return stopped_; });
  return !stopped_;
}

void BlobKeeper::note_room() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(full_, std::nullopt)) return;
  }
  if (options_.on_room) options_.on_room();
}

std::optional<Error> BlobKeeper::full() const {
  const std::lock_guard lock(mutex_);
  return full_;
}

void BlobKeeper::stop_waiting() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

}  // namespace perdure::journal
