#include "journal/memory_blobs.hpp"

#include "journal/blob_hash.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace perdure::journal {

class MemoryBlobs::Sink final : public BlobSink {
 public:
  explicit Sink(MemoryBlobs& blobs) : blobs_(blobs) {}
  Result<void> append(core::ByteView piece) override {
    if (finished_) return finished_before();
    content_.insert(content_.end(), piece.begin(), piece.end());
    return success();
  }
  Result<BlobRef> finish() override {
    if (std::exchange(finished_, true)) return finished_before();
    return blobs_.keep(std::move(content_));
  }

 private:
  static Error finished_before() {
    return Error{Code::misuse, "the blob was finished before: begin another one"};
  }
  MemoryBlobs& blobs_;
  core::Bytes content_;
  bool finished_ = false;
};

class MemoryBlobs::Source final : public BlobSource {
 public:
  Source(Content content, const BlobId& id) : content_(std::move(content)), id_(id) {}
  std::uint64_t bytes() const noexcept override { return content_->size(); }
  Result<std::size_t> read(std::span<std::byte> out) override {
    PERDURE_TRY(const std::size_t count, read_at(at_, out));
    at_ += count;
    return count;
  }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= content_->size()) return 0;
    const core::ByteView left = core::ByteView(*content_).subspan(static_cast<std::size_t>(offset));
    const std::size_t count = std::min(left.size(), out.size());
    std::ranges::copy(left.first(count), out.begin());
    return count;
  }
  Result<void> check() override {
    PERDURE_TRY(const BlobId id, ContentHash::of(*content_));
    if (id == id_) return success();
    return Error{Code::corrupt,
                 "the blob " + to_string(id_) + " holds the content of " + to_string(id)};
  }

 private:
  const Content content_;
  const BlobId id_;
  std::uint64_t at_ = 0;
};

Result<BlobRef> MemoryBlobs::keep(core::Bytes content) {
  PERDURE_TRY(const BlobId id, ContentHash::of(content));
  const BlobRef ref{id, content.size()};
  if (asked_)
    if (std::optional<Error> refused = asked_(ref)) return *std::move(refused);
  const std::lock_guard lock(mutex_);
  all_.try_emplace(id, std::make_shared<const core::Bytes>(std::move(content)));
  return ref;
}

Result<MemoryBlobs::Content> MemoryBlobs::find(const BlobRef& ref) const {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(ref.id);
  if (found == all_.end())
    return Error{Code::not_found, "there is no blob " + to_string(ref.id) + " in memory"};
  if (found->second->size() != ref.bytes)
    return Error{Code::corrupt,
                 "the blob " + to_string(ref.id) + " has " + std::to_string(found->second->size()) +
                     " bytes, and the record that refers to it says " + std::to_string(ref.bytes)};
  return found->second;
}

Result<BlobRef> MemoryBlobs::put(core::ByteView content, Durability) {
  return keep(core::Bytes(content.begin(), content.end()));
}

Result<std::unique_ptr<BlobSink>> MemoryBlobs::begin(Durability) {
  return std::make_unique<Sink>(*this);
}

Result<std::unique_ptr<BlobSource>> MemoryBlobs::open(const BlobRef& ref) const {
  PERDURE_TRY(Content content, find(ref));
  return std::make_unique<Source>(std::move(content), ref.id);
}

Result<core::Bytes> MemoryBlobs::get(const BlobRef& ref, std::uint64_t limit) const {
  PERDURE_TRY(const Content content, find(ref));
  if (content->size() > limit) return too_large_to_get(ref, limit);
  return *content;
}

std::size_t MemoryBlobs::count() const {
  const std::lock_guard lock(mutex_);
  return all_.size();
}

}  // namespace perdure::journal
