#include "journal/change.hpp"

#include "core/limits.hpp"
#include "journal/blob_hash.hpp"

#include <string>

namespace perdure::journal {
namespace {

constexpr std::size_t kUsualParts = 4;
constexpr std::size_t kUsualBytes = 768;

}  // namespace

void Change::erase(Table table, const Key& key) {
  if (refusal_) return;
  writes_watched_ |= is_watched(table);
  parts_.push_back({table, Mutation::Kind::erase, Numbered::no, Kind::identity, key, 0, 0});
}

void Change::make_room() {
  parts_.reserve(kUsualParts);
  arena_.reserve(kUsualBytes);
}

Error Change::too_many_records() {
  return Error{Code::too_large, "the run has as many records as a run may have (kRecordsPerRun, " +
                                    std::to_string(core::limits::kRecordsPerRun) + ")"};
}

void Change::place(Payload& payload) {
  if (refusal_ || payload.blob || payload.bytes.size() <= inline_bytes_max_) return;
  payload.blob = new_blob(payload.bytes);
}

BlobRef Change::new_blob(core::Bytes content) {
  BlobRef ref;
  ref.bytes = content.size();
  const Result<BlobId> id = ContentHash::of(content);
  if (id.has_error()) {
    refuse(Error(id.error()));
    return ref;
  }
  ref.id = id.assume_value();
  blobs_.push_back({ref, std::move(content)});
  return ref;
}

void Change::refuse(Error&& why) {
  if (refusal_) return;
  parts_.clear();
  blobs_.clear();
  arena_.clear();
  records_ = 0;
  writes_watched_ = false;
  precondition_.reset();
  refusal_ = std::move(why);
}

}  // namespace perdure::journal
