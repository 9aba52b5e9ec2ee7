#include "journal/blobs_for_reading.hpp"

#include <string>

namespace perdure::journal {
namespace {

Error for_reading(const BlobDirectory& directory) {
  return Error{Code::misuse, "the blobs in '" + directory.place().root().string() +
                                 "' are open for reading: only who has the journal open for "
                                 "writing may put content there"};
}

}  // namespace

Result<BlobRef> BlobsForReading::put(core::ByteView, Durability) { return for_reading(directory_); }

Result<std::unique_ptr<BlobSink>> BlobsForReading::begin(Durability) {
  return for_reading(directory_);
}

Result<std::unique_ptr<BlobSource>> BlobsForReading::open(const BlobRef& ref) const {
  PERDURE_TRY(std::unique_ptr<BlobSource> source, directory_.open(ref));
  return source;
}

}  // namespace perdure::journal
