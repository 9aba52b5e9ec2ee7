// The way from JSON to payloads; the way back is payload_to_json.cpp, which needs no parser.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "journal/codec_words.hpp"
#include "journal/json_text.hpp"
#include "journal/payload_json.hpp"

namespace perdure::journal {
namespace {

using words::join;

constexpr std::string_view kBytes = "$bytes";
constexpr std::string_view kText = "$text";
constexpr std::string_view kNumber = "$number";
constexpr std::string_view kFlatbuffer = "$flatbuffer";

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

// Writing again

/// Writes what is read, the entries of maps in the order of their keys.
Result<void> copy_value(Writer& writer, const Reader& reader);

Result<void> copy_list(Writer& writer, const Reader& reader) {
  PERDURE_TRY(const ListReader list, reader.list());
  writer.begin_list();
  for (std::size_t i = 0; i < list.size(); ++i) PERDURE_TRY(copy_value(writer, list[i]));
  writer.end_list();
  return success();
}

Result<void> copy_map(Writer& writer, const Reader& reader) {
  PERDURE_TRY(const MapReader map, reader.map());
  writer.begin_map();
  for (std::size_t i = 0; i < map.size(); ++i) {
    PERDURE_TRY(const std::string_view key, map.key(i));
    writer.key(key);
    PERDURE_TRY(copy_value(writer, map.value(i)));
  }
  writer.end_map();
  return success();
}

template <class T>
Result<void> copy_scalar(Writer& writer, const Reader& reader) {
  T value{};
  PERDURE_TRY(Codec<T>::read(reader, value));
  Codec<T>::write(writer, value);
  return success();
}

Result<void> copy_value(Writer& writer, const Reader& reader) {
  switch (reader.kind()) {
    case PayloadKind::null: return copy_scalar<std::monostate>(writer, reader);
    case PayloadKind::boolean: return copy_scalar<bool>(writer, reader);
    case PayloadKind::integer: return copy_scalar<std::int64_t>(writer, reader);
    case PayloadKind::natural: return copy_scalar<std::uint64_t>(writer, reader);
    case PayloadKind::number: return copy_scalar<double>(writer, reader);
    case PayloadKind::text: {
      PERDURE_TRY(const std::string_view text, reader.text());
      writer.text(text);
      return success();
    }
    case PayloadKind::bytes: {
      PERDURE_TRY(const ByteView bytes, reader.bytes());
      writer.bytes(bytes);
      return success();
    }
    case PayloadKind::list: return copy_list(writer, reader);
    case PayloadKind::map: return copy_map(writer, reader);
    case PayloadKind::damaged: break;
  }
  return reader.mismatch("what a Perdure codec writes");
}

}  // namespace

Result<Bytes> json_to_payload(std::string_view json) {
  Writer writer;
  JsonEvents events(writer);
  static_cast<void>(nlohmann::json::sax_parse(json.begin(), json.end(), &events));
  PERDURE_TRY(const Bytes as_given, writer.finish());
  // A payload's bytes follow the order of writing. Written in the order of keys, objects that
  // differ only in their order give the same bytes, and those of a described struct are the
  // codec's.
  detail::Source source(as_given);
  const Reader reader(source);
  PERDURE_TRY(copy_value(writer, reader));
  return writer.finish();
}

}  // namespace perdure::journal
