/// The blobs that a payload speaks of.
///
/// What this is: a walk through a payload that finds the values of pd::Blob in it, wherever they
/// stand.
/// What it promises: nothing that a payload holds is an error here: what is no blob is passed over.
/// What it does not: look at the blob that a payload itself may be (payload.hpp).
#pragma once

#include "core/bytes.hpp"
#include "journal/blob_id.hpp"

#include <functional>

namespace perdure::journal {

/// Calls `found` for each, as often as it stands there. Thread: any.
void each_blob_in(core::ByteView payload, const std::function<void(const BlobRef&)>& found);

}  // namespace perdure::journal
