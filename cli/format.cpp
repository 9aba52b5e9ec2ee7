#include "cli/format.hpp"

#include <array>
#include <chrono>
#include <ctime>

namespace perdure::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

std::string padded(std::int64_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return text;
}

/// `value / unit` with `digits` decimals, cut off, so that 999.9 ms never reads as 1000.
std::string decimal(std::int64_t value, std::int64_t unit, std::size_t digits) {
  std::string text = std::to_string(value / unit);
  std::int64_t rest = value % unit;
  if (digits > 0) text += '.';
  for (std::size_t i = 0; i < digits; ++i) {
    rest *= 10;
    text += std::to_string(rest / unit);
    rest %= unit;
  }
  return text;
}

/// Years that four digits hold.
bool in_calendar(journal::Stamp stamp) {
  using std::chrono::sys_days, std::chrono::microseconds;
  constexpr auto kFirst = sys_days{std::chrono::year{1} / 1 / 1};
  constexpr auto kLast = sys_days{std::chrono::year{9999} / 1 / 1};
  return stamp >= microseconds(kFirst.time_since_epoch()).count() &&
         stamp < microseconds(kLast.time_since_epoch()).count();
}

std::int64_t seconds_of(journal::Stamp stamp) {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::microseconds(stamp)).count();
}

std::string date_and_time(const std::tm& broken_down) {
  return padded(broken_down.tm_year + 1900, 4) + '-' + padded(broken_down.tm_mon + 1, 2) + '-' +
         padded(broken_down.tm_mday, 2) + 'T' + padded(broken_down.tm_hour, 2) + ':' +
         padded(broken_down.tm_min, 2) + ':' + padded(broken_down.tm_sec, 2);
}

std::string offset_text(long seconds_east) {
  const long minutes = (seconds_east < 0 ? -seconds_east : seconds_east) / 60;
  return (seconds_east < 0 ? '-' : '+') + padded(minutes / 60, 2) + ':' + padded(minutes % 60, 2);
}

}  // namespace

std::string iso_time(journal::Stamp stamp, Zone zone, Fraction fraction) {
  if (!in_calendar(stamp)) return std::to_string(stamp) + "us";
  const std::time_t seconds = seconds_of(stamp);
  std::tm broken_down{};
  if (zone == Zone::local)
    ::localtime_r(&seconds, &broken_down);
  else
    ::gmtime_r(&seconds, &broken_down);
  std::string text = date_and_time(broken_down);
  if (fraction == Fraction::milliseconds)
    text += '.' + padded((stamp - seconds_of(stamp) * kSecond) / 1000, 3);
  return text + (zone == Zone::utc ? "Z" : offset_text(broken_down.tm_gmtoff));
}

std::string json_time(journal::Stamp stamp) {
  if (!in_calendar(stamp)) return std::to_string(stamp) + "us";
  const std::time_t seconds = seconds_of(stamp);
  std::tm broken_down{};
  ::gmtime_r(&seconds, &broken_down);
  return date_and_time(broken_down) + '.' + padded(stamp - seconds_of(stamp) * kSecond, 6) + 'Z';
}

std::string duration(std::int64_t microseconds) {
  // Half the range is thousands of years; it keeps the sign change below free of overflow.
  constexpr std::int64_t kMost = INT64_MAX / 2;
  if (microseconds < 0) return "-" + duration(microseconds < -kMost ? kMost : -microseconds);
  if (microseconds < 1000) return std::to_string(microseconds) + "us";
  if (microseconds < kSecond)
    return decimal(microseconds, 1000, microseconds < 100'000 ? 1 : 0) + "ms";
  if (microseconds < 60 * kSecond)
    return decimal(microseconds, kSecond, microseconds < 10 * kSecond ? 2 : 1) + "s";
  const std::int64_t seconds = microseconds / kSecond;
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = minutes / 60;
  if (minutes < 60) return std::to_string(minutes) + "m " + std::to_string(seconds % 60) + "s";
  if (hours < 24) return std::to_string(hours) + "h " + std::to_string(minutes % 60) + "m";
  return std::to_string(hours / 24) + "d " + std::to_string(hours % 24) + "h";
}

std::string relative(journal::Stamp stamp, journal::Stamp now) {
  std::int64_t passed = 0;
  if (__builtin_sub_overflow(now, stamp, &passed)) return stamp < now ? "long ago" : "in ages";
  if (passed < 0) return "in " + duration(-passed);
  return passed == 0 ? "now" : duration(passed) + " ago";
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{" KiB", " MiB", " GiB", " TiB", " PiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  std::uint64_t unit = 1024;
  std::size_t at = 0;
  while (at + 1 < kUnits.size() && bytes / unit >= 1024) {
    unit *= 1024;
    ++at;
  }
  const auto whole = static_cast<std::int64_t>(bytes);
  return decimal(whole, static_cast<std::int64_t>(unit), bytes / unit < 100 ? 1 : 0) + kUnits[at];
}

std::string count_text(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string counted(std::uint64_t count, std::string_view singular) {
  return count_text(count) + ' ' + std::string(singular) + (count == 1 ? "" : "s");
}

}  // namespace perdure::cli
