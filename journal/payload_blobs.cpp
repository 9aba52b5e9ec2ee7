#include "journal/payload_blobs.hpp"

#include <perdure/blob.hpp>

#include <optional>

namespace perdure::journal {
namespace {

// Readers bound the depth, and with it this recursion.
void walk(const perdure::Reader& value, const std::function<void(const BlobRef&)>& found) {
  if (value.kind() == PayloadKind::list) {
    const Result<ListReader> list = value.list();
    if (list.has_error()) return;
    for (std::size_t i = 0; i < list.assume_value().size(); ++i)
      walk(list.assume_value()[i], found);
  } else if (value.kind() == PayloadKind::map) {
    Blob blob;
    if (Codec<Blob>::read(value, blob).has_value()) {
      if (const std::optional<BlobId> id = parse_blob_id(blob.id())) found({*id, blob.size()});
      return;
    }
    const Result<MapReader> map = value.map();
    if (map.has_error()) return;
    for (std::size_t i = 0; i < map.assume_value().size(); ++i)
      walk(map.assume_value().value(i), found);
  }
}

}  // namespace

void each_blob_in(core::ByteView payload, const std::function<void(const BlobRef&)>& found) {
  detail::Source source(payload);
  walk(perdure::Reader(source), found);
}

}  // namespace perdure::journal
