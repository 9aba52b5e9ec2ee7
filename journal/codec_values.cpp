// What the codecs of single types need beyond writer and reader: the seldom and the wordy.
#include <perdure/codec.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <ratio>

#include "journal/codec_words.hpp"

namespace perdure {
inline namespace v0 {
namespace detail {

namespace words = journal::words;

Error codec_error(std::string_view what, std::string_view type, Error error) {
  error.message = words::join({what, " ", type, ": ", error.message});
  return error;
}

std::string one_of(const std::vector<std::string_view>& names) {
  std::string text = names.size() == 1 ? "" : "one of ";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += ", ";
    text += words::join({"'", names[i], "'"});
  }
  return text;
}

Error wrong_length(const Reader& reader, std::size_t found, std::string_view expected) {
  return reader.error(
      words::join({"holds a list of ", std::to_string(found), ", expected ", expected}));
}

Error unknown_name(const Reader& reader, std::string_view name,
                   const std::vector<std::string_view>& names) {
  return reader.error(
      words::join({"holds '", words::printable(name), "', expected ", one_of(names)}));
}

Error nameless_enumerator(std::string_view enum_name, std::string_view number) {
  return {Code::misuse, words::join({enum_name, " holds ", number,
                                     ", which has no name in PERDURE_DESCRIBE_ENUM"})};
}

Error valueless_variant(std::string_view type) {
  return {Code::misuse, words::join({"a ", type, " lost its value in an exception"})};
}

Result<MapReader> single_entry(const Reader& reader, std::string_view expected) {
  if (reader.kind() != PayloadKind::map) return reader.mismatch(expected);
  PERDURE_TRY(MapReader map, reader.map());
  if (map.size() != 1) {
    return reader.error(words::join(
        {"holds a map of ", std::to_string(map.size()), " entries, expected ", expected}));
  }
  return map;
}

// Times

namespace {

constexpr std::array kUnits{
    time_unit<std::nano>(),         time_unit<std::micro>(),         time_unit<std::milli>(),
    time_unit<std::ratio<1>>(),     time_unit<std::ratio<60>>(),     time_unit<std::ratio<3600>>(),
    time_unit<std::ratio<86400>>(), time_unit<std::ratio<604800>>(),
};

std::string_view expected_count(TimeForm form) {
  return form == TimeForm::elapsed ? "a duration, e.g. {\"ms\": 1500}"
                                   : "a time, e.g. {\"unix_ms\": 1700000000000}";
}

/// The unit that the only entry of `map` names.
Result<TimeUnit> stored_unit(const Reader& reader, const MapReader& map, TimeForm form) {
  for (const TimeUnit& unit : kUnits) {
    if (map.compare_key(0, unit_name(form, unit)) == 0) return unit;
  }
  PERDURE_TRY(const std::string_view name, map.key(0));
  return reader.error(words::join({"holds a map with the key '", words::printable(name),
                                   "', expected ", expected_count(form)}));
}

}  // namespace

Result<void> read_count(const Reader& reader, TimeForm form, const TimeUnit& unit,
                        std::int64_t& out, std::int64_t least, std::int64_t most) {
  PERDURE_TRY(const MapReader map, single_entry(reader, expected_count(form)));
  PERDURE_TRY(const TimeUnit stored, stored_unit(reader, map, form));
  const Reader place = map.value(0);
  if (stored.nanoseconds == unit.nanoseconds) return place.integer(out, least, most);
  std::int64_t count = 0;
  PERDURE_TRY(place.integer(count, std::numeric_limits<std::int64_t>::min(),
                            std::numeric_limits<std::int64_t>::max()));
  // Of two units one is a whole multiple of the other.
  bool fits = true;
  if (stored.nanoseconds > unit.nanoseconds) {
    fits = !__builtin_mul_overflow(count, stored.nanoseconds / unit.nanoseconds, &count);
  } else {
    const std::int64_t divisor = unit.nanoseconds / stored.nanoseconds;
    if (count % divisor != 0) {
      return place.error(words::join({"holds ", std::to_string(count), " ", stored.elapsed,
                                      ", which is not a whole number of ", unit.elapsed}));
    }
    count /= divisor;
  }
  if (!fits || count < least || count > most) {
    return place.mismatch(words::join({"a count that fits when given in ", unit.elapsed}));
  }
  out = count;
  return success();
}

Result<void> read_count(const Reader& reader, TimeForm form, const TimeUnit& unit, double& out) {
  PERDURE_TRY(const MapReader map, single_entry(reader, expected_count(form)));
  PERDURE_TRY(const TimeUnit stored, stored_unit(reader, map, form));
  double count = 0;
  PERDURE_TRY(map.value(0).number(count));
  if (stored.nanoseconds >= unit.nanoseconds) {
    const std::int64_t units = stored.nanoseconds / unit.nanoseconds;
    out = count * static_cast<double>(units);
  } else {
    const std::int64_t stored_in_unit = unit.nanoseconds / stored.nanoseconds;
    out = count / static_cast<double>(stored_in_unit);
  }
  return success();
}

// Structs

bool FieldWalk::seek(std::string_view name) noexcept {
  while (next_ < map_->size()) {
    const int order = map_->compare_key(next_, name);
    if (order > 0) return false;
    ++next_;
    if (order == 0) return true;
    unknown_ = true;
  }
  return false;
}

Result<std::vector<Adoption>> settle_fields(const Reader& reader, const MapReader& map,
                                            const FieldNames& names, std::uint64_t missing) {
  std::vector<Adoption> adopted;
  std::string unknown;
  for (std::size_t place = 0; place < map.size(); ++place) {
    PERDURE_TRY(const std::string_view key, map.key(place));
    const auto is_key = [key](std::string_view name) { return name == key; };
    if (std::any_of(names.all.begin(), names.all.end(), is_key)) continue;
    if (std::any_of(names.removed.begin(), names.removed.end(), is_key)) continue;
    const auto field_of = [&](const RenamedField& renamed) {
      for (std::size_t field = 0; field < names.all.size(); ++field) {
        if (names.all[field] == renamed.to && (missing >> field & 1U) != 0) return field;
      }
      return names.all.size();
    };
    const auto found =
        std::find_if(names.renamed.begin(), names.renamed.end(), [&](const RenamedField& renamed) {
          return renamed.from == key && field_of(renamed) < names.all.size();
        });
    if (found != names.renamed.end()) {
      const std::size_t field = field_of(*found);
      adopted.push_back({place, field});
      missing &= ~(std::uint64_t{1} << field);
    } else if (unknown.empty()) {
      unknown = words::printable(key);
    }
  }
  if (missing == 0 || unknown.empty()) return adopted;
  const std::string_view lacking = names.all[static_cast<std::size_t>(std::countr_zero(missing))];
  return reader.error(
      words::join({"lacks the field '", lacking, "' and has an unknown field '", unknown,
                   "': was it renamed? Say so in perdure::FieldHistory (codec_described.hpp)"}));
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
