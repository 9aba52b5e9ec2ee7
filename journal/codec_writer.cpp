#include <perdure/detail/codec_writer.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "core/limits.hpp"
#include "journal/codec_keys.hpp"
#include "journal/flexbuffers_format.hpp"

namespace perdure {
inline namespace v0 {
namespace detail {
namespace {

namespace flex = journal::flex;

/// A state that has held more than this is not kept for the next writer.
constexpr std::size_t kKeptBytes = std::size_t{1} << 20U;
/// From here on a value's pages cost more than anything else that is done with it.
constexpr std::size_t kLargeBytes = std::size_t{64} << 10U;
/// What mostly follows on a large value: keys, and the slots of what it stands in.
constexpr std::size_t kEndBytes = std::size_t{4} << 10U;
constexpr std::size_t kNoKey = std::numeric_limits<std::size_t>::max();

/// A value that waits for its list or map to end.
struct Value {
  std::uint64_t bits = 0;  ///< The number, or where in the buffer the value lies.
  std::size_t key = kNoKey;
  std::uint8_t type = flex::kNull;
  std::uint8_t log_width =
      0;  ///< The least width: its own, or of the elements of what it leads to.
};

struct Frame {
  std::size_t first = 0;  ///< Of its values.
  std::size_t key = kNoKey;
  bool map = false;
};

/// The least width of a slot for `value`, `index` slots after the buffer's end. It depends on
/// itself, because wider slots lie further from what they lead to.
std::uint8_t slot_width(const Value& value, std::size_t size, std::size_t index) {
  if (flex::is_inline(value.type)) return value.log_width;
  for (std::uint8_t width = 0; width < 3; ++width) {
    const std::size_t bytes = std::size_t{1} << width;
    const std::size_t slot = ((size + bytes - 1) & ~(bytes - 1)) + index * bytes;
    if (flex::log_width(slot - value.bits) <= width) return width;
  }
  return 3;
}

std::uint64_t as_float_bits(std::uint64_t bits, std::uint8_t width) {
  if (width == 8) return bits;
  return std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(bits)));
}

bool float_holds(double value) {
  constexpr double most = std::numeric_limits<float>::max();
  if (std::isinf(value)) return true;
  if (!(value >= -most && value <= most)) return false;
  return static_cast<double>(static_cast<float>(value)) == value;
}

}  // namespace

struct WriterState {
  std::vector<std::byte> buffer;
  std::vector<Value> values;
  std::vector<Frame> frames;
  journal::KeyPool keys;
  std::size_t key = kNoKey;  ///< Written by `key()`, for the next value.
  Error error;
  bool failed = false;

  void clear() {
    buffer.clear();
    values.clear();
    frames.clear();
    keys.clear();
    key = kNoKey;
    if (failed) error = {};
    failed = false;
  }

  void fail(Code code, std::string message) {
    if (failed) return;
    failed = true;
    error = Error{code, std::move(message)};
  }
  void fail_size() {
    fail(
        Code::too_large,
        "it is over 1 GiB, the most that a value may have; write it as a pd::Blob, piece by piece");
  }

  std::byte* grow(std::size_t by) {
    const std::size_t size = buffer.size();
    buffer.resize(size + by);
    return buffer.data() + size;
  }
  /// Has room for a large value and for what ends the payload, so that it is not moved for that.
  void make_room(std::size_t bytes) {
    const std::size_t needed = buffer.size() + bytes + kEndBytes;
    if (needed > buffer.capacity()) buffer.reserve(std::max(needed, 2 * buffer.capacity()));
  }
  void align(std::size_t width) { buffer.resize((buffer.size() + width - 1) & ~(width - 1)); }

  /// The payload. A buffer that would not be kept is given away, unless much of it is empty.
  Bytes take() {
    const std::size_t spare = buffer.capacity() - buffer.size();
    if (buffer.capacity() <= kKeptBytes || spare > buffer.size() / 4) return buffer;
    return std::exchange(buffer, Bytes());
  }

  /// Whether a value may be written here; takes the key that waits for it.
  bool admit() {
    if (failed) return false;
    const bool in_map = !frames.empty() && frames.back().map;
    if (in_map && key == kNoKey) {
      fail(Code::misuse, "its codec wrote a value into a map without a key before it");
    } else if (frames.empty() && !values.empty()) {
      fail(Code::misuse, "its codec wrote more than one value; begin a list first");
    } else if (values.size() + buffer.size() > core::limits::kPayloadBytes) {
      fail_size();
    }
    return !failed;
  }
  void push(std::uint64_t bits, std::uint8_t type, std::uint8_t log_width) {
    if (!admit()) return;
    values.push_back({bits, std::exchange(key, kNoKey), type, log_width});
  }

  void run_of_bytes(ByteView content, std::uint8_t type) {
    if (!admit()) return;
    if (content.size() > core::limits::kPayloadBytes) return fail_size();
    const std::uint8_t width = flex::log_width(content.size());
    const auto bytes = static_cast<std::uint8_t>(1U << width);
    if (content.size() >= kLargeBytes) make_room(content.size());
    align(bytes);
    const std::size_t end = type == flex::kString ? 1 : 0;
    flex::store(grow(bytes), content.size(), bytes);
    buffer.insert(buffer.end(), content.begin(), content.end());
    grow(end);
    push(buffer.size() - content.size() - end, type, width);
  }

  void begin(bool map) {
    if (!admit()) return;
    if (frames.size() == kPayloadDepth) {
      return fail(Code::too_large, "lists and maps are nested deeper than 64 in it");
    }
    frames.push_back({values.size(), std::exchange(key, kNoKey), map});
  }

  /// Ends the frame: its values are written, and stand as one value from here on.
  bool begin_end(bool map) {
    if (failed) return false;
    if (frames.empty() || frames.back().map != map) {
      fail(Code::misuse, "its codec ended a list or map that it did not begin");
    } else if (key != kNoKey) {
      fail(Code::misuse, "its codec wrote a key without a value after it");
    }
    return !failed;
  }
  void finish_end(std::uint64_t place, std::uint8_t type, std::uint8_t log_width) {
    const Frame frame = frames.back();
    values.resize(frame.first);
    frames.pop_back();
    values.push_back({place, frame.key, type, log_width});
    if (buffer.size() > core::limits::kPayloadBytes) fail_size();
  }

  void store_slot(std::byte* at, const Value& value, std::uint8_t width) const {
    std::uint64_t bits = value.bits;
    if (value.type == flex::kFloat) {
      bits = as_float_bits(bits, width);
    } else if (!flex::is_inline(value.type)) {
      bits = static_cast<std::uint64_t>(at - buffer.data()) - bits;
    }
    flex::store(at, bits, width);
  }

  /// The type of a list whose elements share the inline type, or an untyped one.
  [[nodiscard]] std::uint8_t list_type(std::size_t first) const {
    if (first == values.size()) return flex::kVector;
    const std::uint8_t type = values[first].type;
    const bool same = std::all_of(values.begin() + static_cast<std::ptrdiff_t>(first), values.end(),
                                  [type](const Value& value) { return value.type == type; });
    if (!same) return flex::kVector;
    switch (type) {
      case flex::kInt: return flex::kVectorInt;
      case flex::kUint: return flex::kVectorUint;
      case flex::kFloat: return flex::kVectorFloat;
      case flex::kBool: return flex::kVectorBool;
      default: return flex::kVector;
    }
  }

  void write_types(std::size_t first, std::uint8_t log_width) {
    std::byte* at = grow(values.size() - first);
    for (std::size_t i = first; i < values.size(); ++i, ++at) {
      const Value& value = values[i];
      const bool inside = flex::is_inline(value.type);
      *at =
          flex::packed(value.type, inside ? std::max(value.log_width, log_width) : value.log_width);
    }
  }

  void end_list() {
    if (!begin_end(false)) return;
    const std::size_t first = frames.back().first;
    const std::size_t count = values.size() - first;
    const std::uint8_t type = list_type(first);
    std::uint8_t log_width = flex::log_width(count);
    for (std::size_t i = 0; i < count; ++i) {
      log_width = std::max(log_width, slot_width(values[first + i], buffer.size(), i + 1));
    }
    const auto width = static_cast<std::uint8_t>(1U << log_width);
    align(width);
    std::byte* at = grow((count + 1) * width);
    flex::store(at, count, width);
    for (std::size_t i = 0; i < count; ++i) {
      store_slot(at + (i + 1) * width, values[first + i], width);
    }
    const std::size_t place = buffer.size() - count * width;
    if (type == flex::kVector) write_types(first, log_width);
    finish_end(place, type, log_width);
  }

  [[nodiscard]] const char* key_text(const Value& value) const {
    return reinterpret_cast<const char*>(buffer.data() + value.key);
  }

  /// Sorts the entries of the map that ends. False if a key stands twice.
  bool sort_entries(std::size_t first) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first);
    const auto before = [this](const Value& a, const Value& b) {
      return std::strcmp(key_text(a), key_text(b)) < 0;
    };
    if (!std::is_sorted(begin, values.end(), before)) std::sort(begin, values.end(), before);
    const auto twice = std::adjacent_find(begin, values.end(), [&](const Value& a, const Value& b) {
      return std::strcmp(key_text(a), key_text(b)) == 0;
    });
    if (twice == values.end()) return true;
    fail(Code::misuse, "the key '" + std::string(key_text(*twice)) + "' stands twice in a map");
    return false;
  }

  /// Writes the sorted keys' offsets; gives their value, which leads to them.
  Value write_keys(std::size_t first) {
    const std::size_t count = values.size() - first;
    std::uint8_t log_width = flex::log_width(count);
    for (std::size_t i = 0; i < count; ++i) {
      const Value name{values[first + i].key, kNoKey, flex::kKey, 0};
      log_width = std::max(log_width, slot_width(name, buffer.size(), i + 1));
    }
    const auto width = static_cast<std::uint8_t>(1U << log_width);
    align(width);
    std::byte* at = grow((count + 1) * width);
    flex::store(at, count, width);
    for (std::size_t i = 0; i < count; ++i) {
      store_slot(at + (i + 1) * width, {values[first + i].key, kNoKey, flex::kKey, 0}, width);
    }
    return {buffer.size() - count * width, kNoKey, flex::kKey, log_width};
  }

  void end_map() {
    if (!begin_end(true)) return;
    const std::size_t first = frames.back().first;
    const std::size_t count = values.size() - first;
    if (!sort_entries(first)) return;
    const Value keys_value = write_keys(first);
    // Before the values stand the offset of the keys, their width, and the count.
    std::uint8_t log_width =
        std::max(flex::log_width(count), slot_width(keys_value, buffer.size(), 0));
    for (std::size_t i = 0; i < count; ++i) {
      log_width = std::max(log_width, slot_width(values[first + i], buffer.size(), i + 3));
    }
    const auto width = static_cast<std::uint8_t>(1U << log_width);
    align(width);
    std::byte* at = grow((count + 3) * width);
    store_slot(at, keys_value, width);
    flex::store(at + width, std::uint64_t{1} << keys_value.log_width, width);
    flex::store(at + std::ptrdiff_t{2} * width, count, width);
    for (std::size_t i = 0; i < count; ++i) {
      store_slot(at + (i + 3) * width, values[first + i], width);
    }
    const std::size_t place = buffer.size() - count * width;
    write_types(first, log_width);
    finish_end(place, flex::kMap, log_width);
  }

  void write_key(std::string_view name) {
    if (failed) return;
    if (frames.empty() || !frames.back().map || key != kNoKey) {
      return fail(Code::misuse, "its codec wrote a key where a value belongs");
    }
    if (name.size() > kPayloadKeyBytes) {
      return fail(Code::too_large, "a map in it has a key of " + std::to_string(name.size()) +
                                       " bytes; at most 4096 are stored");
    }
    if (name.find('\0') != std::string_view::npos) {
      return fail(Code::misuse, "a map in it has a key with a NUL inside");
    }
    if (name.size() > kSharedKeyBytes) {
      key = append_key(name);
      return;
    }
    std::size_t& known = keys.place_of(name, buffer);
    if (known == journal::KeyPool::kNone) known = append_key(name);
    key = known;
  }
  std::size_t append_key(std::string_view name) {
    const std::size_t place = buffer.size();
    std::byte* at = grow(name.size() + 1);
    if (!name.empty()) std::memcpy(at, name.data(), name.size());
    return place;
  }

  void write_root() {
    const Value& root = values.front();
    const std::uint8_t log_width = slot_width(root, buffer.size(), 0);
    const auto width = static_cast<std::uint8_t>(1U << log_width);
    align(width);
    std::byte* at = grow(width + 2U);
    store_slot(at, root, width);
    at[width] = flex::packed(root.type, root.log_width);
    at[width + 1U] = std::byte{width};
  }
};

namespace {

/// The state that the thread's next writer takes: a writer inside a codec that runs gets one of its
/// own.
thread_local std::unique_ptr<WriterState> spare_state;

}  // namespace

void WriterStateReturn::operator()(WriterState* state) const noexcept {
  std::unique_ptr<WriterState> owned(state);
  if (owned->buffer.capacity() <= kKeptBytes &&
      owned->values.capacity() * sizeof(Value) <= kKeptBytes &&
      owned->keys.capacity() * sizeof(Value) <= kKeptBytes) {
    owned->clear();
    spare_state = std::move(owned);
  }
}

}  // namespace detail

Writer::Writer()
    : state_(detail::spare_state ? detail::spare_state.release()
                                 : std::make_unique<detail::WriterState>().release()) {}

void Writer::null() { state_->push(0, journal::flex::kNull, 0); }

void Writer::boolean(bool value) { state_->push(value ? 1 : 0, journal::flex::kBool, 0); }

void Writer::integer(std::int64_t value) {
  state_->push(static_cast<std::uint64_t>(value), journal::flex::kInt,
               journal::flex::log_width_signed(value));
}

void Writer::natural(std::uint64_t value) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value <= most) return integer(static_cast<std::int64_t>(value));
  state_->push(value, journal::flex::kUint, 3);
}

void Writer::number(double value) {
  state_->push(std::bit_cast<std::uint64_t>(value), journal::flex::kFloat,
               detail::float_holds(value) ? 2 : 3);
}

void Writer::text(std::string_view value) {
  state_->run_of_bytes(std::as_bytes(std::span(value)), journal::flex::kString);
}

void Writer::bytes(ByteView value) { state_->run_of_bytes(value, journal::flex::kBlob); }

void Writer::begin_list() { state_->begin(false); }
void Writer::end_list() { state_->end_list(); }
void Writer::begin_map() { state_->begin(true); }
void Writer::key(std::string_view name) { state_->write_key(name); }
void Writer::end_map() { state_->end_map(); }

void Writer::fail(Error error) { state_->fail(error.code, std::move(error.message)); }
bool Writer::failed() const noexcept { return state_->failed; }

Result<Bytes> Writer::finish() {
  detail::WriterState& state = *state_;
  if (!state.frames.empty()) {
    state.fail(Code::misuse, "its codec did not end a list or map");
  } else if (state.values.empty()) {
    state.fail(Code::misuse, "its codec wrote no value");
  }
  if (!state.failed && state.values.front().type != journal::flex::kNull) {
    state.write_root();
    if (state.buffer.size() > core::limits::kPayloadBytes) state.fail_size();
  }
  Result<Bytes> result =
      state.failed ? Result<Bytes>(std::move(state.error)) : Result<Bytes>(state.take());
  state.clear();
  return result;
}

}  // namespace v0
}  // namespace perdure
