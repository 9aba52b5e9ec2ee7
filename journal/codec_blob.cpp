// The codec of pd::Blob: {"bytes": 3, "perdure.blob": "ba78…"}, and null for no content.
#include <perdure/blob.hpp>

#include "journal/blob_id.hpp"

#include <limits>
#include <string_view>

namespace perdure {
inline namespace v0 {
namespace {

constexpr const char* kId = "perdure.blob";
constexpr const char* kSize = "bytes";
constexpr std::string_view kExpected =
    R"(a blob: {"bytes": its size, "perdure.blob": its id of 64 hexadecimal digits})";

}  // namespace

void Codec<Blob>::write(Writer& writer, const Blob& value) {
  if (value.size() == 0) return writer.null();
  if (!journal::parse_blob_id(value.id()))
    return writer.fail(Error{Code::misuse, "'" + value.id().substr(0, 80) + "' is no blob's id"});
  writer.begin_map();
  writer.key(kId);
  writer.text(value.id());
  writer.key(kSize);
  writer.natural(value.size());
  writer.end_map();
}

Result<void> Codec<Blob>::read(const Reader& reader, Blob& value) {
  if (reader.is_null()) return success();
  if (reader.kind() != PayloadKind::map) return reader.mismatch(kExpected);
  PERDURE_TRY(const MapReader map, reader.map());
  if (map.size() != 2 || map.compare_key(0, kSize) != 0 || map.compare_key(1, kId) != 0)
    return reader.mismatch(kExpected);
  std::uint64_t bytes = 0;
  PERDURE_TRY(map.value(0, kSize).natural(bytes, std::numeric_limits<std::uint64_t>::max()));
  const Reader id_reader = map.value(1, kId);
  PERDURE_TRY(const std::string_view id, id_reader.text());
  if (bytes == 0 || !journal::parse_blob_id(id)) return reader.mismatch(kExpected);
  value = Blob(std::string(id), bytes);
  return success();
}

std::string Codec<Blob>::json_schema() {
  return R"({"description":"content that is stored apart: its id and its size; null for none",)"
         R"("anyOf":[{"type":"object","properties":{"perdure.blob":{"type":"string",)"
         R"("pattern":"^[0-9a-f]{64}$"},"bytes":{"type":"integer","minimum":1}},)"
         R"("required":["perdure.blob","bytes"],"additionalProperties":false},{"type":"null"}]})";
}

}  // namespace v0
}  // namespace perdure
