/// The blobs of a journal that another process may be writing.
///
/// What this is: Blobs in front of a journal's directory, for whoever reads.
/// What it promises: nothing is changed, and no right to write is needed.
/// What it does not: put anything.
#pragma once

#include "journal/blob_directory.hpp"
#include "journal/blobs.hpp"

#include <filesystem>
#include <memory>
#include <utility>

namespace perdure::journal {

/// Thread: any.
class BlobsForReading final : public Blobs {
 public:
  /// Of the journal in that directory.
  explicit BlobsForReading(std::filesystem::path journal) : directory_(std::move(journal)) {}
  [[nodiscard]] Result<BlobRef> put(core::ByteView content, Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<BlobSink>> begin(Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<BlobSource>> open(const BlobRef& ref) const override;
  [[nodiscard]] Result<core::Bytes> get(const BlobRef& ref, std::uint64_t limit) const override {
    return directory_.get(ref, limit);
  }

 private:
  const BlobDirectory directory_;
};

}  // namespace perdure::journal
