#include <flatbuffers/flexbuffers.h>

#include <cstring>
#include <vector>

#include "journal/payload_check.hpp"

namespace perdure::journal {

bool is_well_formed_payload(core::ByteView payload) {
  if (payload.empty()) return true;
  // The verifier wants its input aligned, as what it checks was written.
  const core::Bytes aligned(payload.begin(), payload.end());
  // Remembers what was seen: without it a small buffer of references to references takes for ever.
  std::vector<std::uint8_t> seen;
  return flexbuffers::VerifyBuffer(reinterpret_cast<const std::uint8_t*>(aligned.data()),
                                   aligned.size(), &seen);
}

}  // namespace perdure::journal
