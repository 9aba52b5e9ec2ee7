/// Putting blobs for the writer.
///
/// What this is: what becomes of content that work under way has to keep, whatever the disk says.
/// What it promises: it is stored, or there is an error. With a full disk, work that is under way
/// waits and tries again, because its effect has happened; new work is turned away.
/// What it does not: know what refers to the content.
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/blobs.hpp"
#include "journal/writer.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>

namespace perdure::journal {

/// Thread: any.
class BlobKeeper {
 public:
  /// `blobs` (null: there are none) and `options` outlive it.
  BlobKeeper(Blobs* blobs, const WriterOptions& options) : blobs_(blobs), options_(options) {}

  /// See Writer::keep. Errors: as Blobs::put; `too_large` where there are no blobs.
  [[nodiscard]] Result<BlobRef> keep(core::ByteView content, Admission admission);
  /// Why somebody waits for room.
  [[nodiscard]] std::optional<Error> full() const;
  /// Whoever waits gets the error of the full disk, and so does who comes later.
  void stop_waiting() noexcept;

 private:
  bool wait_for_room(const Error& why);
  void note_room();

  Blobs* const blobs_;
  const WriterOptions& options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Error> full_;
  bool stopped_ = false;
};

}  // namespace perdure::journal
