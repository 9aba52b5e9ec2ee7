#include "actors/blob_access.hpp"

#include <optional>
#include <span>
#include <utility>

namespace perdure::actors {
namespace {

class Sink final : public detail::BlobSink {
 public:
  explicit Sink(std::unique_ptr<journal::BlobSink> inner) : inner_(std::move(inner)) {}
  Result<void> append(ByteView piece) override { return inner_->append(piece); }
  Result<Blob> finish() override {
    PERDURE_TRY(const journal::BlobRef ref, inner_->finish());
    return ref.bytes == 0 ? Blob() : Blob(to_string(ref.id), ref.bytes);
  }

 private:
  const std::unique_ptr<journal::BlobSink> inner_;
};

class Source final : public detail::BlobSource {
 public:
  explicit Source(std::unique_ptr<journal::BlobSource> inner) : inner_(std::move(inner)) {}
  std::uint64_t size() const noexcept override { return inner_->bytes(); }
  Result<std::size_t> read(std::span<std::byte> out) override { return inner_->read(out); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    return inner_->read_at(offset, out);
  }

 private:
  const std::unique_ptr<journal::BlobSource> inner_;
};

class EmptySource final : public detail::BlobSource {
 public:
  std::uint64_t size() const noexcept override { return 0; }
  Result<std::size_t> read(std::span<std::byte>) override { return 0; }
  Result<std::size_t> read_at(std::uint64_t, std::span<std::byte>) override { return 0; }
};

Error no_blobs() {
  return Error{Code::unsupported, "the journal's store keeps no blobs", std::nullopt, std::nullopt,
               ErrorEffect::refused};
}

}  // namespace

Result<std::unique_ptr<detail::BlobSink>> StoredBlobs::create_blob() {
  if (blobs_ == nullptr) return no_blobs();
  PERDURE_TRY(auto sink, blobs_->begin(durability_));
  return std::make_unique<Sink>(std::move(sink));
}

Result<std::unique_ptr<detail::BlobSource>> StoredBlobs::open_blob(const Blob& blob) {
  if (blob.size() == 0) return std::make_unique<EmptySource>();
  if (blobs_ == nullptr) return no_blobs();
  const std::optional<journal::BlobId> id = journal::parse_blob_id(blob.id());
  if (!id)
    return Error{Code::misuse, "'" + blob.id().substr(0, 80) + "' is no blob's id", std::nullopt,
                 std::nullopt, ErrorEffect::refused};
  PERDURE_TRY(auto source, blobs_->open({*id, blob.size()}));
  return std::make_unique<Source>(std::move(source));
}

}  // namespace perdure::actors
