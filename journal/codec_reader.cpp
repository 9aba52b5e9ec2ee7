#include <perdure/detail/codec_reader.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "journal/codec_words.hpp"
#include "journal/flexbuffers_format.hpp"

namespace perdure {
inline namespace v0 {

namespace flex = journal::flex;
namespace words = journal::words;
using detail::Slot;

namespace {

constexpr std::size_t kRootBytes = 2;

/// The slot of a packed type byte.
Slot slot_of(const std::byte* at, std::uint8_t slot_width, std::byte packed) {
  const auto bits = std::to_integer<unsigned>(packed);
  return {at, slot_width, static_cast<std::uint8_t>(1U << (bits & 3U)),
          static_cast<std::uint8_t>(bits >> 2U)};
}

constexpr bool is_width(std::uint64_t width) {
  return width == 1 || width == 2 || width == 4 || width == 8;
}

/// The type of the elements of a typed list; zero for a list that says it for each.
constexpr std::uint8_t element_type(std::uint8_t list_type) {
  switch (list_type) {
    case flex::kVectorInt: return flex::kInt;
    case flex::kVectorUint: return flex::kUint;
    case flex::kVectorFloat: return flex::kFloat;
    case flex::kVectorBool: return flex::kBool;
    default: return 0;
  }
}

constexpr std::string_view kDamagedLength =
    "is damaged: a length or an offset in it leads out of the payload";
constexpr std::string_view kTooMuch =
    "is damaged: the payload refers to the same bytes again and again";
constexpr std::string_view kTooDeep = "is nested deeper than 64 lists and maps";

}  // namespace

Reader::Reader(detail::Source& source) noexcept : source_(&source) {
  const auto size = static_cast<std::size_t>(source.end - source.begin);
  if (size == 0) return;
  slot_.type = flex::kDamaged;
  if (size <= kRootBytes) return;
  const auto width = std::to_integer<std::uint8_t>(source.end[-1]);
  if (!is_width(width) || size - kRootBytes < width) return;
  slot_ = slot_of(source.end - kRootBytes - width, width, source.end[-2]);
}

Reader::Reader(const Reader& parent, Slot slot, const char* name, std::size_t index) noexcept
    : source_(parent.source_),
      parent_(&parent),
      name_(name),
      index_(index),
      slot_(slot),
      depth_(static_cast<std::uint8_t>(parent.depth_ + 1)) {}

PayloadKind Reader::kind() const noexcept {
  switch (slot_.type) {
    case flex::kNull: return PayloadKind::null;
    case flex::kInt: return PayloadKind::integer;
    case flex::kUint: return PayloadKind::natural;
    case flex::kFloat: return slot_.slot_width >= 4 ? PayloadKind::number : PayloadKind::damaged;
    case flex::kString: return PayloadKind::text;
    case flex::kMap: return PayloadKind::map;
    case flex::kVector:
    case flex::kVectorInt:
    case flex::kVectorUint:
    case flex::kVectorFloat:
    case flex::kVectorBool: return PayloadKind::list;
    case flex::kBlob: return PayloadKind::bytes;
    case flex::kBool: return PayloadKind::boolean;
    default: return PayloadKind::damaged;
  }
}

const std::byte* Reader::target() const noexcept {
  const std::uint64_t offset = flex::load(slot_.at, slot_.slot_width);
  if (offset > static_cast<std::uint64_t>(slot_.at - source_->begin)) return nullptr;
  return slot_.at - offset;
}

bool Reader::length_before(const std::byte* target, std::size_t& length) const noexcept {
  if (target == nullptr || target - source_->begin < slot_.value_width) return false;
  length = flex::load(target - slot_.value_width, slot_.value_width);
  return true;
}

bool Reader::charge(std::size_t cost) const noexcept {
  if (cost > source_->budget) return false;
  source_->budget -= cost;
  return true;
}

Result<void> Reader::null() const {
  if (slot_.type != flex::kNull) return mismatch("nothing (null)");
  return success();
}

Result<void> Reader::boolean(bool& out) const {
  if (slot_.type != flex::kBool) return mismatch("true or false");
  out = flex::load(slot_.at, slot_.slot_width) != 0;
  return success();
}

Result<void> Reader::integer(std::int64_t& out, std::int64_t least, std::int64_t most) const {
  if (slot_.type == flex::kInt) {
    const std::int64_t value = flex::load_signed(slot_.at, slot_.slot_width);
    if (value >= least && value <= most) {
      out = value;
      return success();
    }
  } else if (slot_.type == flex::kUint) {
    const std::uint64_t value = flex::load(slot_.at, slot_.slot_width);
    if (value <= static_cast<std::uint64_t>(most)) {
      out = static_cast<std::int64_t>(value);
      return success();
    }
  }
  return mismatch(words::integer_between(least, most));
}

Result<void> Reader::natural(std::uint64_t& out, std::uint64_t most) const {
  if (slot_.type == flex::kInt) {
    const std::int64_t value = flex::load_signed(slot_.at, slot_.slot_width);
    if (value >= 0 && static_cast<std::uint64_t>(value) <= most) {
      out = static_cast<std::uint64_t>(value);
      return success();
    }
  } else if (slot_.type == flex::kUint) {
    const std::uint64_t value = flex::load(slot_.at, slot_.slot_width);
    if (value <= most) {
      out = value;
      return success();
    }
  }
  return mismatch(words::natural_up_to(most));
}

bool Reader::holds_float(double& out) const noexcept {
  if (slot_.type != flex::kFloat) return false;
  if (slot_.slot_width == 8) {
    out = std::bit_cast<double>(flex::load(slot_.at, 8));
    return true;
  }
  if (slot_.slot_width != 4) return false;
  out = static_cast<double>(
      std::bit_cast<float>(static_cast<std::uint32_t>(flex::load(slot_.at, 4))));
  return true;
}

Result<void> Reader::number(double& out) const {
  // Every whole number up to this is a double.
  constexpr std::int64_t most = std::int64_t{1} << 53U;
  if (holds_float(out)) return success();
  if (slot_.type == flex::kInt) {
    const std::int64_t value = flex::load_signed(slot_.at, slot_.slot_width);
    if (value >= -most && value <= most) {
      out = static_cast<double>(value);
      return success();
    }
    return mismatch("a number that 64 bits of floating point hold exactly");
  }
  return mismatch("a number");
}

Result<void> Reader::number(float& out) const {
  constexpr double most = std::numeric_limits<float>::max();
  double wide = 0;
  PERDURE_TRY(number(wide));
  if (std::isnan(wide) || std::isinf(wide)) {
    out = static_cast<float>(wide);
    return success();
  }
  if (wide >= -most && wide <= most) {
    const auto narrow = static_cast<float>(wide);
    if (static_cast<double>(narrow) == wide || words::same_in_decimal(narrow, wide)) {
      out = narrow;
      return success();
    }
  }
  return mismatch("a number that 32 bits of floating point hold exactly");
}

bool Reader::run_of_bytes(ByteView& out) const noexcept {
  const std::byte* at = target();
  std::size_t size = 0;
  if (!length_before(at, size)) return false;
  if (size > static_cast<std::size_t>(source_->end - at)) return false;
  out = {at, size};
  return true;
}

Result<std::string_view> Reader::text() const {
  if (slot_.type != flex::kString) return mismatch("text");
  ByteView content;
  if (!run_of_bytes(content)) return error(kDamagedLength);
  if (!charge(content.size() + 2)) return error(kTooMuch);
  return std::string_view(reinterpret_cast<const char*>(content.data()), content.size());
}

Result<ByteView> Reader::bytes() const {
  if (slot_.type != flex::kBlob) return mismatch("bytes");
  ByteView content;
  if (!run_of_bytes(content)) return error(kDamagedLength);
  if (!charge(content.size() + 1)) return error(kTooMuch);
  return content;
}

Result<ListReader> Reader::list() const {
  if (kind() != PayloadKind::list) return mismatch("a list");
  if (depth_ >= detail::kPayloadDepth) return error(kTooDeep);
  const std::byte* at = target();
  std::size_t size = 0;
  if (!length_before(at, size)) return error(kDamagedLength);
  const std::uint8_t type = element_type(slot_.type);
  // An untyped list has one byte for each element's type after its elements.
  const std::size_t each = slot_.value_width + (type == 0 ? 1U : 0U);
  if (size > static_cast<std::size_t>(source_->end - at) / each) return error(kDamagedLength);
  if (!charge(size * (type == 0 ? 2U : 1U) + 1)) return error(kTooMuch);
  return ListReader(*this, at, size, type);
}

Result<MapReader> Reader::map() const {
  if (slot_.type != flex::kMap) return mismatch("a map");
  if (depth_ >= detail::kPayloadDepth) return error(kTooDeep);
  const std::byte* at = target();
  const std::uint8_t width = slot_.value_width;
  const std::ptrdiff_t two = std::ptrdiff_t{2} * width;
  const std::ptrdiff_t three = two + width;
  std::size_t size = 0;
  if (!length_before(at, size) || at - source_->begin < three) return error(kDamagedLength);
  if (size > static_cast<std::size_t>(source_->end - at) / (width + 1U)) {
    return error(kDamagedLength);
  }
  const std::byte* keys_slot = at - three;
  const std::uint64_t back = flex::load(keys_slot, width);
  const std::uint64_t key_width = flex::load(at - two, width);
  if (!is_width(key_width) || back > static_cast<std::uint64_t>(keys_slot - source_->begin)) {
    return error(kDamagedLength);
  }
  const std::byte* keys = keys_slot - back;
  const auto narrow = static_cast<std::uint8_t>(key_width);
  if (keys - source_->begin < narrow || flex::load(keys - narrow, narrow) != size ||
      size > static_cast<std::size_t>(source_->end - keys) / narrow) {
    return error(kDamagedLength);
  }
  if (!charge(3 * size + 4)) return error(kTooMuch);
  return MapReader(*this, at, size, keys, narrow);
}

Error Reader::mismatch(std::string_view expected) const {
  return error(words::join({"holds ", words::what_is(*this), ", expected ", expected}));
}

Error Reader::error(std::string_view what) const {
  const std::string place = path();
  return {Code::undecodable, words::join({place, place.empty() ? "" : ": ", what})};
}

std::string Reader::path() const {
  std::vector<const Reader*> steps;
  for (const Reader* at = this; at->parent_ != nullptr; at = at->parent_) steps.push_back(at);
  std::string text;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if ((*step)->name_ == nullptr) {
      text += words::join({"[", std::to_string((*step)->index_), "]"});
    } else {
      if (!text.empty()) text += '.';
      text += words::printable((*step)->name_);
    }
  }
  if (text.empty()) return text;
  return text.front() == '[' ? "element " + text : words::join({"field '", text, "'"});
}

Reader ListReader::operator[](std::size_t index) const noexcept {
  const std::uint8_t width = list_->slot_.value_width;
  const std::byte* at = elements_ + index * width;
  const Slot slot = element_type_ == 0 ? slot_of(at, width, elements_[size_ * width + index])
                                       : Slot{at, width, width, element_type_};
  return {*list_, slot, nullptr, index};
}

const std::byte* MapReader::key_at(std::size_t index) const noexcept {
  const std::byte* slot = keys_ + index * key_width_;
  const std::uint64_t back = flex::load(slot, key_width_);
  const std::byte* begin = map_->source_->begin;
  return back > static_cast<std::uint64_t>(slot - begin) ? nullptr : slot - back;
}

const std::byte* MapReader::key_end(const std::byte* at) const noexcept {
  if (at == nullptr) return nullptr;
  const auto room = static_cast<std::size_t>(map_->source_->end - at);
  return static_cast<const std::byte*>(
      std::memchr(at, 0, std::min(room, detail::kPayloadKeyBytes + 1)));
}

Result<std::string_view> MapReader::key(std::size_t index) const {
  const std::byte* at = key_at(index);
  const std::byte* end = key_end(at);
  if (end == nullptr) return map_->error("is damaged: a key in it has no end");
  const auto size = static_cast<std::size_t>(end - at);
  // Short keys may be shared, longer ones stand in an honest payload once for each use.
  if (size > detail::kSharedKeyBytes && !map_->charge(size + 1)) return map_->error(kTooMuch);
  return std::string_view(reinterpret_cast<const char*>(at), size);
}

Reader MapReader::value(std::size_t index, const char* name) const noexcept {
  const std::uint8_t width = map_->slot_.value_width;
  return {*map_, slot_of(values_ + index * width, width, values_[size_ * width + index]), name,
          index};
}

Reader MapReader::value(std::size_t index) const noexcept {
  const std::byte* at = key_at(index);
  return value(index, key_end(at) == nullptr ? "?" : reinterpret_cast<const char*>(at));
}

int MapReader::compare_key(std::size_t index, std::string_view name) const noexcept {
  const std::byte* at = key_at(index);
  if (at == nullptr) return -1;
  const auto room = static_cast<std::size_t>(map_->source_->end - at);
  const int order = std::memcmp(at, name.data(), std::min(room, name.size()));
  if (order != 0) return order;
  if (room <= name.size()) return -1;
  return at[name.size()] == std::byte{0} ? 0 : 1;
}

}  // namespace v0
}  // namespace perdure
