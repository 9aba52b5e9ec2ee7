/// FlatBuffers types as payloads; opt-in, because it includes FlatBuffers' own header.
///
/// What this is: a `Codec` for the object API of FlatBuffers: `OrderT` of a table `Order`,
/// generated with `flatc --cpp --gen-object-api --gen-name-strings`. It may stand wherever a stored
/// type may, in a described struct too. Link `flatbuffers` in your project.
/// What it promises: the payload carries the table's full name and its bytes; reading checks the
/// name, verifies the bytes (FlatBuffers' own verifier) and then unpacks them. In JSON it reads
/// `{"$flatbuffer": "shop.Order", "$bytes": "…"}`. How the schema may change is FlatBuffers' rule.
/// What it does not: show fields in JSON, or bound how large a hostile buffer becomes when it is
/// unpacked, because the verifier lets it refer to one string many times: take it from peers you
/// trust. A table whose `(required)` field is empty ends the program inside FlatBuffers when
/// written.
#pragma once

#include <perdure/codec.hpp>

#include <flatbuffers/flatbuffers.h>

#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace perdure {
inline namespace v0 {
namespace detail {

/// A class of the object API, e.g. `OrderT`.
template <class T>
concept FlatBuffersObject =
    std::derived_from<T, flatbuffers::NativeTable> && requires { typename T::TableType; };

template <class Table>
concept NamedTable = requires { Table::GetFullyQualifiedName(); };

}  // namespace detail

template <detail::FlatBuffersObject T>
struct Codec<T> {
  using Table = typename T::TableType;

  static void write(Writer& writer, const T& value) {
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(Table::Pack(builder, &value));
    writer.begin_map();
    writer.key("$bytes");
    writer.bytes(detail::bytes_of(builder.GetBufferPointer(), builder.GetSize()));
    writer.key("$flatbuffer");
    writer.text(type_name());
    writer.end_map();
  }

  static Result<void> read(const Reader& reader, T& value) {
    if (reader.kind() != PayloadKind::map) return reader.mismatch("a FlatBuffer");
    PERDURE_TRY(const MapReader map, reader.map());
    if (map.size() != 2 || map.compare_key(0, "$bytes") != 0 ||
        map.compare_key(1, "$flatbuffer") != 0) {
      return reader.mismatch("a FlatBuffer");
    }
    const Reader name_reader = map.value(1);
    PERDURE_TRY(const std::string_view name, name_reader.text());
    if (name != type_name()) return detail::unknown_name(reader, name, {type_name()});
    const Reader content = map.value(0);
    PERDURE_TRY(const ByteView bytes, content.bytes());
    // FlatBuffers reads in place, and in a payload its numbers may lie anywhere.
    std::vector<std::uint64_t> aligned(bytes.size() / 8 + 1);
    if (!bytes.empty()) std::memcpy(aligned.data(), bytes.data(), bytes.size());
    const auto* data = reinterpret_cast<const std::uint8_t*>(aligned.data());
    flatbuffers::Verifier verifier(data, bytes.size());
    if (!verifier.template VerifyBuffer<Table>(nullptr)) {
      return content.error("is damaged: FlatBuffers' verifier refuses it");
    }
    flatbuffers::GetRoot<Table>(data)->UnPackTo(&value);
    return success();
  }

  static constexpr std::string_view type_name() {
    static_assert(detail::NamedTable<Table>,
                  "perdure: FlatBuffers tables are stored by name; generate them with flatc "
                  "--gen-object-api --gen-name-strings");
    return Table::GetFullyQualifiedName();
  }

  /// See json_schema.hpp. A FlatBuffer's content has no schema here.
  static std::string json_schema() {
    return R"({"type":"object","properties":{"$flatbuffer":{"type":"string","enum":[")" +
           std::string(type_name()) +
           R"("]},"$bytes":{"type":"string","contentEncoding":"base64"}},)"
           R"("required":["$flatbuffer","$bytes"],"additionalProperties":false})";
  }
};

}  // namespace v0
}  // namespace perdure
