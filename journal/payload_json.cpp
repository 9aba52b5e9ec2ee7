#include "journal/payload_json.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "journal/codec_words.hpp"
#include "journal/json_text.hpp"

namespace perdure::journal {
namespace {

using words::join;

constexpr std::string_view kBytes = "$bytes";
constexpr std::string_view kText = "$text";
constexpr std::string_view kNumber = "$number";
constexpr std::string_view kFlatbuffer = "$flatbuffer";

// From payloads

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

// From JSON

Error refused(std::string message) { return {Code::misuse, std::move(message)}; }

/// An object whose first key begins with `$`: its keys and texts.
using Marker = std::vector<std::pair<std::string, std::string>>;

std::optional<double> marked_number(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (!text.starts_with("0x")) return std::nullopt;
  std::uint64_t bits = 0;
  const char* last = text.data() + text.size();
  const auto end = std::from_chars(text.data() + 2, last, bits, 16);
  if (end.ec != std::errc{} || end.ptr != last) return std::nullopt;
  return std::bit_cast<double>(bits);
}

void write_marker(Writer& writer, const Marker& marker) {
  const auto is = [&marker](std::initializer_list<std::string_view> keys) {
    return std::equal(marker.begin(), marker.end(), keys.begin(), keys.end(),
                      [](const auto& entry, std::string_view key) { return entry.first == key; });
  };
  if (is({kNumber})) {
    const std::optional<double> value = marked_number(marker.front().second);
    if (value) return writer.number(*value);
    return writer.fail(
        refused("\"$number\" is \"NaN\", \"Infinity\", \"-Infinity\" or 64 bits as "
                "\"0x…\"; finite numbers are written as they are"));
  }
  if (!is({kBytes}) && !is({kText, kBytes}) && !is({kFlatbuffer, kBytes})) {
    return writer.fail(refused(join(
        {"the keys of the object with \"", marker.front().first,
         "\" mean nothing: known are {\"$bytes\"}, {\"$text\", \"$bytes\"}, {\"$number\"} and "
         "{\"$flatbuffer\", \"$bytes\"}; a key that begins with $ itself is written with $$"})));
  }
  const std::optional<Bytes> bytes = from_base64(marker.back().second);
  if (!bytes) return writer.fail(refused("the text of a \"$bytes\" is no base64 (RFC 4648)"));
  if (marker.size() == 1) return writer.bytes(*bytes);
  if (marker.front().first == kText) {
    return writer.text({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  }
  writer.begin_map();
  writer.key(kBytes);
  writer.bytes(*bytes);
  writer.key(kFlatbuffer);
  writer.text(marker.front().second);
  writer.end_map();
}

/// Hands the parser's events to a writer. The functions' names and types are the parser's.
class JsonEvents {
 public:
  explicit JsonEvents(Writer& writer) : writer_(&writer) {}

  bool null() {
    return scalar([&] { writer_->null(); });
  }
  bool boolean(bool value) {
    return scalar([&] { writer_->boolean(value); });
  }
  bool number_integer(std::int64_t value) {
    return scalar([&] { writer_->integer(value); });
  }
  bool number_unsigned(std::uint64_t value) {
    return scalar([&] { writer_->natural(value); });
  }
  bool number_float(double value, const std::string& text) {
    // The parser gives an integer that 64 bits don't hold as a float.
    if (text.find_first_of(".eE") == std::string::npos) {
      return refuse(join({"the integer ", words::printable(text), " does not fit into 64 bits"}));
    }
    return scalar([&] { writer_->number(value); });
  }
  bool string(const std::string& value) {
    if (in_marker()) {
      marker_.back().second = value;
      return true;
    }
    return scalar([&] { writer_->text(value); });
  }
  bool binary(const std::vector<std::uint8_t>&) { return refuse("binary values are no JSON"); }

  bool start_object(std::size_t) {
    if (in_marker()) return refuse_in_marker();
    objects_.push_back(Object::begun);
    return good();
  }
  bool key(const std::string& name) {
    Object& object = objects_.back();
    const bool marks = name.starts_with('$') && !name.starts_with("$$");
    if (object == Object::begun) {
      object = marks ? Object::marker : Object::map;
      if (!marks) writer_->begin_map();
    }
    if (object == Object::marker) {
      marker_.emplace_back(name, "");
    } else if (marks) {
      return refuse(
          join({"the key \"", words::printable(name),
                "\" stands among other keys; a key that begins with $ is written with $$"}));
    } else {
      writer_->key(std::string_view(name).substr(name.starts_with('$') ? 1 : 0));
    }
    return good();
  }
  bool end_object() {
    const Object object = objects_.back();
    objects_.pop_back();
    if (object == Object::marker) {
      write_marker(*writer_, std::exchange(marker_, {}));
    } else {
      if (object == Object::begun) writer_->begin_map();
      writer_->end_map();
    }
    return good();
  }
  bool start_array(std::size_t) {
    if (in_marker()) return refuse_in_marker();
    objects_.push_back(Object::list);
    writer_->begin_list();
    return good();
  }
  bool end_array() {
    objects_.pop_back();
    writer_->end_list();
    return good();
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: …"
    std::string_view text = error.what();
    if (const std::size_t end = text.find("] "); end != std::string_view::npos) {
      text.remove_prefix(end + 2);
    }
    return refuse(std::string(text));
  }

 private:
  enum class Object : std::uint8_t {
    begun,   ///< An object without keys so far: what it is, its first key says.
    marker,  ///< Keys with `$`.
    map,
    list,  ///< Not an object.
  };

  [[nodiscard]] bool good() const { return !writer_->failed(); }
  [[nodiscard]] bool in_marker() const {
    return !objects_.empty() && objects_.back() == Object::marker;
  }
  bool refuse(std::string message) {
    writer_->fail(refused("not usable as JSON: " + std::move(message)));
    return false;
  }
  bool refuse_in_marker() {
    return refuse(
        join({"the value of \"", words::printable(marker_.back().first), "\" is no text"}));
  }
  template <class Write>
  bool scalar(Write write) {
    if (in_marker()) return refuse_in_marker();
    write();
    return good();
  }

  Writer* writer_;
  std::vector<Object> objects_;
  Marker marker_;
};

}  // namespace

Result<std::string> payload_to_json(ByteView payload) {
  detail::Source source(payload);
  const Reader reader(source);
  std::string json;
  PERDURE_TRY(append_value(json, reader));
  return json;
}

Result<Bytes> json_to_payload(std::string_view json) {
  Writer writer;
  JsonEvents events(writer);
  static_cast<void>(nlohmann::json::sax_parse(json.begin(), json.end(), &events));
  return writer.finish();
}

}  // namespace perdure::journal
