/// Payloads, wherever their bytes are.
///
/// What this is: what a record holds of a value (a message, a result, a reply, a state): its bytes,
/// or the blob that they are, because they are more than the tables should hold.
/// What it promises: nobody takes a payload in a blob for an empty one: bytes are asked for by
/// `Reader::bytes_of`, or by `inlined`, which says so.
/// What it does not: read blobs (blobs.hpp) or make them (change.hpp).
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/blob_id.hpp"

#include <cstdint>
#include <optional>
#include <utility>

namespace perdure::journal {

/// Borrowed.
class PayloadView {
 public:
  PayloadView() = default;
  /// Bytes are a payload: whoever records some need not know of blobs.
  PayloadView(core::ByteView bytes) noexcept : bytes_(bytes) {}
  PayloadView(const core::Bytes& bytes) noexcept : bytes_(bytes) {}
  PayloadView(const BlobRef& blob) noexcept : blob_(blob) {}

  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::uint64_t size() const noexcept { return blob_ ? blob_->bytes : bytes_.size(); }
  [[nodiscard]] const std::optional<BlobRef>& blob() const noexcept { return blob_; }
  /// What of it is at hand: all of it, or nothing of one that is a blob.
  [[nodiscard]] core::ByteView inlined() const noexcept { return bytes_; }

 private:
  core::ByteView bytes_;
  std::optional<BlobRef> blob_;
};

/// Owned. One that is a blob may have its bytes at hand too, as long as it is in memory.
struct Payload {
  core::Bytes bytes;
  std::optional<BlobRef> blob = {};

  Payload() = default;
  Payload(core::Bytes all) noexcept : bytes(std::move(all)) {}
  explicit Payload(const PayloadView& view)
      : bytes(view.inlined().begin(), view.inlined().end()), blob(view.blob()) {}

  [[nodiscard]] std::uint64_t size() const noexcept { return blob ? blob->bytes : bytes.size(); }
  [[nodiscard]] bool is_at_hand() const noexcept { return bytes.size() == size(); }
  /// A blob's bytes are given back: they can be read again.
  void shed() noexcept {
    if (blob) bytes = core::Bytes();
  }
};
/// Borrowed from `payload`.
[[nodiscard]] inline PayloadView view_of(const Payload& payload) noexcept {
  return payload.blob ? PayloadView(*payload.blob) : PayloadView(payload.bytes);
}
/// Whether both are the same bytes, of which none is read. Errors: as ContentHash.
[[nodiscard]] Result<bool> same_content(const PayloadView& a, const PayloadView& b);

}  // namespace perdure::journal
