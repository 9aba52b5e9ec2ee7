#include "journal/verify_payloads.hpp"

#include "journal/payload_blobs.hpp"
#include "journal/payload_check.hpp"
#include "journal/reader.hpp"

#include <memory>
#include <set>
#include <string>

namespace perdure::journal {
namespace {

/// Reads a blob of any size from end to end. Errors: as Blobs::open and BlobSource::check.
Result<void> read_through(const Blobs& blobs, const BlobRef& ref) {
  PERDURE_TRY(const std::unique_ptr<BlobSource> source, blobs.open(ref));
  return source->check();
}

}  // namespace

void PayloadCheck::check(Table table, core::ByteView key, const PayloadView& payload) {
  if (payload.blob()) {
    for (const Error& fault : faults_of_payload(*payload.blob())) findings_.add(table, key, fault);
  } else {
    for (const Error& fault : faults_in(payload.inlined())) findings_.add(table, key, fault);
  }
}

PayloadCheck::Faults PayloadCheck::faults_in(core::ByteView bytes) {
  Faults faults;
  if (!is_well_formed_payload(bytes)) {
    faults.emplace_back(Code::corrupt, "its payload is not encoded as values are");
    return faults;
  }
  // A payload may speak of one many times.
  std::set<const Faults*> told;
  each_blob_in(bytes, [&](const BlobRef& ref) {
    const Faults& found = faults_of_content(ref);
    if (!found.empty() && told.insert(&found).second)
      faults.insert(faults.end(), found.begin(), found.end());
  });
  return faults;
}

const PayloadCheck::Faults& PayloadCheck::faults_of_payload(const BlobRef& ref) {
  const auto [known, is_new] = payloads_.try_emplace({ref.id, ref.bytes});
  Faults& faults = known->second;
  if (!is_new) return faults;
  count(ref);
  if (look_ == Look::at_rows) return faults;
  const Result<core::Bytes> content = read_blob(blobs_, ref);
  if (content.has_error())
    faults.push_back(content.assume_error());
  else
    faults = faults_in(content.assume_value());
  return faults;
}

const PayloadCheck::Faults& PayloadCheck::faults_of_content(const BlobRef& ref) {
  const auto [known, is_new] = contents_.try_emplace({ref.id, ref.bytes});
  Faults& faults = known->second;
  if (!is_new) return faults;
  count(ref);
  if (look_ == Look::at_rows) return faults;
  const std::string name = "the blob " + to_string(ref.id) + ", which its payload speaks of, ";
  if (blobs_ == nullptr) {
    faults.emplace_back(Code::corrupt, name + "is not there: the journal's store has no blobs");
  } else if (const Result<void> read = read_through(*blobs_, ref); read.has_error()) {
    const Error& why = read.assume_error();
    faults.emplace_back(why.code, name + "can't be read: " + why.message);
  }
  return faults;
}

void PayloadCheck::count(const BlobRef& ref) {
  if (report_.blobs.insert(ref.id).second) report_.blob_bytes += ref.bytes;
}

}  // namespace perdure::journal
