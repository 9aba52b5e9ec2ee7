#include "journal/change.hpp"

#include "core/limits.hpp"

#include <string>

namespace perdure::journal {
namespace {

constexpr std::size_t kUsualParts = 4;
constexpr std::size_t kUsualBytes = 768;

}  // namespace

void Change::erase(Table table, const Key& key) {
  if (refusal_) return;
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

void Change::refuse(Error&& why) {
  if (refusal_) return;
  parts_.clear();
  arena_.clear();
  records_ = 0;
  refusal_ = std::move(why);
}

}  // namespace perdure::journal
