/// Times, durations, sizes and counts as people and as programs read them.
///
/// What this is: the few number formats of the command, in one place so that all verbs agree.
/// What it promises: JSON times are always UTC with microseconds; a stamp that no calendar holds (a
/// damaged journal may say anything) is still text.
/// What it does not: know the time. Who calls says what "now" is.
#pragma once

#include "journal/record.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace perdure::cli {

enum class Zone : std::uint8_t { local, utc };
enum class Fraction : std::uint8_t { seconds, milliseconds };

/// `2026-07-30T14:03:11+02:00`, or `2026-07-30T12:03:11Z` in UTC. Thread: any, while nobody sets
/// TZ.
[[nodiscard]] std::string iso_time(journal::Stamp stamp, Zone zone,
                                   Fraction fraction = Fraction::seconds);
/// `2026-07-30T12:03:11.123456Z`.
[[nodiscard]] std::string json_time(journal::Stamp stamp);

/// `532us`, `12.3ms`, `4.56s`, `3m 20s`, `5h 12m`, `12d 3h`; negative ones with a minus.
[[nodiscard]] std::string duration(std::int64_t microseconds);
/// How long before `now` it was: `3m 20s ago`, `now`, or `in 5s` when it is still to come.
[[nodiscard]] std::string relative(journal::Stamp stamp, journal::Stamp now);

/// `312 B`, `4.1 KiB`, `1.2 MiB`.
[[nodiscard]] std::string size_text(std::uint64_t bytes);
/// `1,234,567`.
[[nodiscard]] std::string count_text(std::uint64_t count);
/// `1 record`, `2 records`.
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view singular);

}  // namespace perdure::cli
