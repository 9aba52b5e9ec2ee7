#include "journal/blob_hash.hpp"

#include <openssl/evp.h>

namespace perdure::journal {

void ContentHash::Free::operator()(evp_md_ctx_st* context) const noexcept {
  ::EVP_MD_CTX_free(context);
}

ContentHash::ContentHash() : context_(::EVP_MD_CTX_new()) {
  if (context_ && ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) != 1)
    context_.reset();
}

void ContentHash::add(core::ByteView piece) noexcept {
  if (context_ && ::EVP_DigestUpdate(context_.get(), piece.data(), piece.size()) != 1)
    context_.reset();
}

Result<BlobId> ContentHash::finish() {
  BlobId id;
  unsigned size = 0;
  static_assert(BlobId::kBytes == 32);
  auto* const out = reinterpret_cast<unsigned char*>(id.bytes.data());
  const bool is_done = context_ && ::EVP_MD_CTX_get_size(context_.get()) == int{BlobId::kBytes} &&
                       ::EVP_DigestFinal_ex(context_.get(), out, &size) == 1;
  context_.reset();
  if (is_done && size == BlobId::kBytes) return id;
  return Error{Code::unsupported,
               "OpenSSL gives no SHA-256, by which large payloads are named: see its configuration "
               "(openssl.cnf), or whether memory is short"};
}

Result<BlobId> ContentHash::of(core::ByteView content) {
  ContentHash hash;
  hash.add(content);
  return hash.finish();
}

}  // namespace perdure::journal
