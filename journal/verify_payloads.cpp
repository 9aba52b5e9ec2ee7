#include "journal/verify_payloads.hpp"

#include "core/limits.hpp"
#include "journal/payload_blobs.hpp"
#include "journal/payload_check.hpp"
#include "journal/reader.hpp"

#include <memory>
#include <string>

namespace perdure::journal {
namespace {

/// Reads a blob of any size from end to end. Errors: as Blobs::open and BlobSource::read.
Result<void> read_through(const Blobs& blobs, const BlobRef& ref) {
  PERDURE_TRY(const std::unique_ptr<BlobSource> source, blobs.open(ref));
  return source->check();
}

}  // namespace

void PayloadCheck::check(Table table, core::ByteView key, const PayloadView& payload) {
  if (!payload.blob()) return check_bytes(table, key, payload.inlined());
  if (is_known(*payload.blob())) return;
  const Result<core::Bytes> content = read_blob(blobs_, *payload.blob());
  if (content.has_error()) return findings_.add(table, key, content.error());
  check_bytes(table, key, content.assume_value());
}

void PayloadCheck::check_bytes(Table table, core::ByteView key, core::ByteView bytes) {
  if (!is_well_formed_payload(bytes))
    return findings_.add(table, key, "its payload is not encoded as values are");
  each_blob_in(bytes, [&](const BlobRef& ref) { check_content(table, key, ref); });
}

bool PayloadCheck::is_known(const BlobRef& ref) {
  if (!report_.blobs.insert(ref.id).second) return true;
  report_.blob_bytes += ref.bytes;
  return look_ == Look::at_rows;
}

void PayloadCheck::check_content(Table table, core::ByteView key, const BlobRef& ref) {
  if (is_known(ref)) return;
  const std::string name = "the blob " + to_string(ref.id) + ", which its payload speaks of, ";
  if (blobs_ == nullptr) return findings_.add(table, key, name + "is not there");
  if (const Result<void> read = read_through(*blobs_, ref); read.has_error())
    findings_.add(table, key, name + "can't be read: " + read.error().message);
}

}  // namespace perdure::journal
