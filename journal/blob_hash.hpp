/// The hash that names blobs.
///
/// What this is: SHA-256 of content that comes in pieces, by OpenSSL.
/// What it promises: the same id however the content was cut.
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/blob_id.hpp"

#include <memory>

struct evp_md_ctx_st;

namespace perdure::journal {

/// Thread: one at a time.
class ContentHash {
 public:
  ContentHash();
  void add(core::ByteView piece) noexcept;
  /// Of all that was added; then nothing more is. Errors: `unsupported` where OpenSSL has no
  /// SHA-256, or no memory for it.
  [[nodiscard]] Result<BlobId> finish();
  /// The same of content that is at hand.
  [[nodiscard]] static Result<BlobId> of(core::ByteView content);

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;  ///< Empty when something failed.
};

}  // namespace perdure::journal
