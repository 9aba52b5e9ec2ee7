/// Blobs as programs and step bodies see them.
///
/// What this is: detail::BlobAccess in front of the journal's blobs.
/// What it promises: content is as durable as the journal's records are. A disk that fails is the
/// runtime's end, as everywhere.
#pragma once

#include <perdure/blob.hpp>

#include "journal/blobs.hpp"
#include "journal/writer.hpp"

#include <memory>

namespace perdure::actors {

/// Thread: any.
class StoredBlobs final : public detail::BlobAccess {
 public:
  /// `blobs` (null: the journal has none) outlives it and all that came from it.
  StoredBlobs(journal::Blobs* blobs, journal::Durability durability)
      : blobs_(blobs), durability_(durability) {}
  [[nodiscard]] Result<std::unique_ptr<detail::BlobSink>> create_blob() override;
  [[nodiscard]] Result<std::unique_ptr<detail::BlobSource>> open_blob(const Blob& blob) override;

 private:
  journal::Blobs* const blobs_;
  const journal::Durability durability_;
};

}  // namespace perdure::actors
