/// Blobs in memory.
///
/// What this is: the blobs that belong to a MemoryStore.
/// What it promises: what Blobs does, for as long as it lives: it is the disk.
/// What it does not: share anything with the files of blob_store.hpp but the ids.
#pragma once

#include "journal/blobs.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace perdure::journal {

/// Thread: any.
class MemoryBlobs final : public Blobs {
 public:
  [[nodiscard]] Result<BlobRef> put(core::ByteView content, Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<BlobSink>> begin(Durability durability) override;
  [[nodiscard]] Result<std::unique_ptr<BlobSource>> open(const BlobRef& ref) const override;
  [[nodiscard]] Result<core::Bytes> get(const BlobRef& ref, std::uint64_t limit) const override;

  /// Asked before content is stored: what it returns is the outcome. Null: nobody is asked. Thread:
  /// before others use this.
  void when_put(std::function<std::optional<Error>(const BlobRef&)> asked) {
    asked_ = std::move(asked);
  }
  [[nodiscard]] std::size_t count() const;

 private:
  class Sink;
  class Source;
  using Content = std::shared_ptr<const core::Bytes>;
  [[nodiscard]] Result<BlobRef> keep(core::Bytes content);
  [[nodiscard]] Result<Content> find(const BlobRef& ref) const;

  std::function<std::optional<Error>(const BlobRef&)> asked_;
  mutable std::mutex mutex_;
  std::unordered_map<BlobId, Content, BlobIdHash> all_;
};

}  // namespace perdure::journal
