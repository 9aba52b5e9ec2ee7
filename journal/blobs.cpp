#include "journal/blobs.hpp"

#include <string>

namespace perdure::journal {

Error too_large_to_get(const BlobRef& ref, std::uint64_t limit) {
  return Error{Code::too_large, "the blob " + to_string(ref.id) + " has " +
                                    std::to_string(ref.bytes) + " bytes; at most " +
                                    std::to_string(limit) + " can be read at once"};
}

}  // namespace perdure::journal
