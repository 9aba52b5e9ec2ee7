#include "journal/payload_check.hpp"
#include "journal/payload_json.hpp"

namespace perdure::journal {

bool is_well_formed_payload(core::ByteView payload) { return check_payload(payload).has_value(); }

}  // namespace perdure::journal
