/// Whether bytes are a payload as codecs write it.
#pragma once

#include "core/bytes.hpp"

namespace perdure::journal {

/// True for nothing at all and for one well-formed FlexBuffer. Reads nothing outside of `payload`.
[[nodiscard]] bool is_well_formed_payload(core::ByteView payload);

}  // namespace perdure::journal
