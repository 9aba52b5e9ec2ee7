/// Codecs of durations and system times.
///
/// What this is: a duration is stored with its unit, `{"ms": 1500}`, and a time as the duration
/// since 1970 in its own, `{"unix_ns": 1700000000000000000}`.
/// What it promises: a type whose unit changed between releases still reads what was stored,
/// converted if that is exact and refused otherwise: 2000 ms are 2 s, 1500 ms are no whole number
/// of seconds.
/// What it does not: store steady times, which mean nothing after a restart, or units other than
/// ns, us, ms, s, min, h, d and w.
#pragma once

#include <perdure/detail/codec_core.hpp>
#include <perdure/detail/codec_scalars.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <string>
#include <string_view>
#include <type_traits>

namespace perdure {
inline namespace v0 {
namespace detail {

/// A unit's name under both forms; empty for a period that is not stored.
struct TimeUnit {
  std::string_view elapsed;
  std::string_view since_1970;
  std::int64_t nanoseconds = 0;
};

template <class Period>
constexpr TimeUnit time_unit() {
  constexpr std::int64_t second = 1'000'000'000;
  using P = typename Period::type;
  if constexpr (std::is_same_v<P, std::nano>)
    return {"ns", "unix_ns", 1};
  else if constexpr (std::is_same_v<P, std::micro>)
    return {"us", "unix_us", 1'000};
  else if constexpr (std::is_same_v<P, std::milli>)
    return {"ms", "unix_ms", 1'000'000};
  else if constexpr (std::is_same_v<P, std::ratio<1>>)
    return {"s", "unix_s", second};
  else if constexpr (std::is_same_v<P, std::ratio<60>>)
    return {"min", "unix_min", 60 * second};
  else if constexpr (std::is_same_v<P, std::ratio<3600>>)
    return {"h", "unix_h", 3600 * second};
  else if constexpr (std::is_same_v<P, std::ratio<86400>>)
    return {"d", "unix_d", 86400 * second};
  else if constexpr (std::is_same_v<P, std::ratio<604800>>)
    return {"w", "unix_w", 604800 * second};
  else
    return {};
}

template <class Period>
concept StoredPeriod = time_unit<Period>().nanoseconds != 0;
template <class Rep>
concept StoredCount = (WholeNumber<Rep> && std::is_signed_v<Rep>) || std::same_as<Rep, double> ||
                      std::same_as<Rep, float>;

enum class TimeForm : std::uint8_t { elapsed, since_1970 };

[[nodiscard]] constexpr std::string_view unit_name(TimeForm form, const TimeUnit& unit) {
  return form == TimeForm::elapsed ? unit.elapsed : unit.since_1970;
}

/// Reads a count stored in any unit as one in `unit`. Errors: no duration or time; the unit is not
/// known; not exact; out of range.
[[nodiscard]] Result<void> read_count(const Reader& reader, TimeForm form, const TimeUnit& unit,
                                      std::int64_t& out, std::int64_t least, std::int64_t most);
[[nodiscard]] Result<void> read_count(const Reader& reader, TimeForm form, const TimeUnit& unit,
                                      double& out);

template <TimeForm form, class Rep, class Period>
struct CountCodec {
  using Duration = std::chrono::duration<Rep, Period>;
  static void write_count(Writer& writer, const Duration& value) {
    writer.begin_map();
    writer.key(unit_name(form, time_unit<Period>()));
    Codec<Rep>::write(writer, value.count());
    writer.end_map();
  }
  static Result<void> read_duration(const Reader& reader, Duration& value) {
    if constexpr (std::floating_point<Rep>) {
      double count = 0;
      PERDURE_TRY(read_count(reader, form, time_unit<Period>(), count));
      value = Duration(static_cast<Rep>(count));
    } else {
      std::int64_t count = 0;
      PERDURE_TRY(read_count(reader, form, time_unit<Period>(), count,
                             std::numeric_limits<Rep>::min(), std::numeric_limits<Rep>::max()));
      value = Duration(static_cast<Rep>(count));
    }
    return success();
  }
};

}  // namespace detail

template <detail::StoredCount Rep, detail::StoredPeriod Period>
struct Codec<std::chrono::duration<Rep, Period>> {
  using Counted = detail::CountCodec<detail::TimeForm::elapsed, Rep, Period>;
  using Duration = std::chrono::duration<Rep, Period>;
  static void write(Writer& writer, const Duration& value) { Counted::write_count(writer, value); }
  static Result<void> read(const Reader& reader, Duration& value) {
    return Counted::read_duration(reader, value);
  }
  static constexpr std::string_view type_name() { return "duration"; }
};

template <detail::StoredCount Rep, detail::StoredPeriod Period>
struct Codec<
    std::chrono::time_point<std::chrono::system_clock, std::chrono::duration<Rep, Period>>> {
  using Counted = detail::CountCodec<detail::TimeForm::since_1970, Rep, Period>;
  using Duration = std::chrono::duration<Rep, Period>;
  using Time = std::chrono::time_point<std::chrono::system_clock, Duration>;
  static void write(Writer& writer, const Time& value) {
    Counted::write_count(writer, value.time_since_epoch());
  }
  static Result<void> read(const Reader& reader, Time& value) {
    Duration since{};
    PERDURE_TRY(Counted::read_duration(reader, since));
    value = Time(since);
    return success();
  }
  static constexpr std::string_view type_name() { return "time"; }
};

}  // namespace v0
}  // namespace perdure
