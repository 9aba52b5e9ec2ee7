#include "journal/payload_json.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "journal/codec_words.hpp"
#include "journal/json_text.hpp"

namespace perdure::journal {
namespace {

using words::join;

constexpr std::string_view kBytes = "$bytes";
constexpr std::string_view kFlatbuffer = "$flatbuffer";

void append_bytes(std::string& out, ByteView bytes) {
  out += "\"$bytes\":\"";
  append_base64(out, bytes);
  out += '"';
}

void append_text(std::string& out, std::string_view text) {
  if (is_utf8(text)) return append_quoted(out, text);
  out += "{\"$text\":";
  append_quoted(out, text);
  out += ',';
  append_bytes(out, std::as_bytes(std::span(text)));
  out += '}';
}

void append_number(std::string& out, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  if (std::isfinite(value)) {
    out += words::decimal(value);
  } else if (std::isinf(value)) {
    out += value > 0 ? R"({"$number":"Infinity"})" : R"({"$number":"-Infinity"})";
  } else if (bits == std::bit_cast<std::uint64_t>(std::numeric_limits<double>::quiet_NaN())) {
    out += R"({"$number":"NaN"})";
  } else {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bits, 16);
    out += join({R"({"$number":"0x)", {digits.data(), end.ptr}, R"("})"});
  }
}

Result<void> append_value(std::string& out, const Reader& reader);

Result<void> append_list(std::string& out, const Reader& reader) {
  PERDURE_TRY(const ListReader list, reader.list());
  out += '[';
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ',';
    PERDURE_TRY(append_value(out, list[i]));
  }
  out += ']';
  return success();
}

/// Whether the map is what perdure/flatbuffers.hpp writes.
bool is_flatbuffer(const MapReader& map) {
  return map.size() == 2 && map.compare_key(0, kBytes) == 0 &&
         map.compare_key(1, kFlatbuffer) == 0 && map.value(0).kind() == PayloadKind::bytes &&
         map.value(1).kind() == PayloadKind::text;
}

Result<void> append_flatbuffer(std::string& out, const MapReader& map) {
  const Reader content = map.value(0);
  PERDURE_TRY(const std::string_view name, map.value(1).text());
  PERDURE_TRY(const ByteView bytes, content.bytes());
  out += "{\"$flatbuffer\":";
  append_quoted(out, name);
  out += ',';
  append_bytes(out, bytes);
  out += '}';
  return success();
}

Result<void> append_map(std::string& out, const Reader& reader) {
  PERDURE_TRY(const MapReader map, reader.map());
  if (is_flatbuffer(map)) return append_flatbuffer(out, map);
  out += '{';
  for (std::size_t i = 0; i < map.size(); ++i) {
    PERDURE_TRY(const std::string_view key, map.key(i));
    if (i > 0) out += ',';
    append_quoted(out, key.starts_with('$') ? join({"$", key}) : std::string(key));
    out += ':';
    PERDURE_TRY(append_value(out, map.value(i)));
  }
  out += '}';
  return success();
}

Result<void> append_scalar(std::string& out, const Reader& reader) {
  if (reader.kind() == PayloadKind::number) {
    double value = 0;
    PERDURE_TRY(reader.number(value));
    append_number(out, value);
  } else if (reader.kind() == PayloadKind::integer) {
    std::int64_t value = 0;
    PERDURE_TRY(Codec<std::int64_t>::read(reader, value));
    out += std::to_string(value);
  } else {
    std::uint64_t value = 0;
    PERDURE_TRY(Codec<std::uint64_t>::read(reader, value));
    out += std::to_string(value);
  }
  return success();
}

Result<void> append_value(std::string& out, const Reader& reader) {
  switch (reader.kind()) {
    case PayloadKind::null: out += "null"; return success();
    case PayloadKind::boolean: {
      bool value = false;
      PERDURE_TRY(reader.boolean(value));
      out += value ? "true" : "false";
      return success();
    }
    case PayloadKind::integer:
    case PayloadKind::natural:
    case PayloadKind::number: return append_scalar(out, reader);
    case PayloadKind::text: {
      PERDURE_TRY(const std::string_view text, reader.text());
      append_text(out, text);
      return success();
    }
    case PayloadKind::bytes: {
      PERDURE_TRY(const ByteView bytes, reader.bytes());
      out += '{';
      append_bytes(out, bytes);
      out += '}';
      return success();
    }
    case PayloadKind::list: return append_list(out, reader);
    case PayloadKind::map: return append_map(out, reader);
    case PayloadKind::damaged: break;
  }
  return reader.mismatch("what a Perdure codec writes");
}

Result<void> check_value(const Reader& reader) {
  switch (reader.kind()) {
    case PayloadKind::text: PERDURE_TRY(reader.text()); return success();
    case PayloadKind::bytes: PERDURE_TRY(reader.bytes()); return success();
    case PayloadKind::list: {
      PERDURE_TRY(const ListReader list, reader.list());
      for (std::size_t i = 0; i < list.size(); ++i) PERDURE_TRY(check_value(list[i]));
      return success();
    }
    case PayloadKind::map: {
      PERDURE_TRY(const MapReader map, reader.map());
      for (std::size_t i = 0; i < map.size(); ++i) {
        PERDURE_TRY(map.key(i));
        PERDURE_TRY(check_value(map.value(i)));
      }
      return success();
    }
    case PayloadKind::damaged: return reader.mismatch("what a Perdure codec writes");
    default: return success();
  }
}

}  // namespace

Result<void> check_payload(ByteView payload) {
  detail::Source source(payload);
  const Reader reader(source);
  return check_value(reader);
}

Result<std::string> payload_to_json(ByteView payload) {
  detail::Source source(payload);
  const Reader reader(source);
  std::string json;
  PERDURE_TRY(append_value(json, reader));
  return json;
}

}  // namespace perdure::journal
