#include "journal/payload.hpp"

#include "journal/blob_hash.hpp"

#include <algorithm>

namespace perdure::journal {

Result<bool> same_content(const PayloadView& a, const PayloadView& b) {
  if (a.size() != b.size()) return false;
  if (a.blob() && b.blob()) return a.blob()->id == b.blob()->id;
  if (!a.blob() && !b.blob()) return std::ranges::equal(a.inlined(), b.inlined());
  // What goes to blobs may have been decided otherwise when the other one was recorded.
  const PayloadView& bytes = a.blob() ? b : a;
  const BlobRef& blob = a.blob() ? *a.blob() : *b.blob();
  PERDURE_TRY(const BlobId id, ContentHash::of(bytes.inlined()));
  return id == blob.id;
}

}  // namespace perdure::journal
