/// Arithmetic that comes out the same everywhere.
///
/// What this is: numbers with a fixed binary point, as plain integers, and the two functions that
/// ranking needs of them.
/// What it promises: the same bits under every compiler, optimisation level and C library. A report
/// must not change because a logarithm was rounded the other way, and floating point gives no such
/// promise: libraries differ in `log`, and compilers may fuse a product with a sum.
/// What it does not: guard against overflow; the bounds stand with each user.
#pragma once

#include <cstdint>

namespace research {

/// A number in units of 2^-20: `exact_one` is 1.
using Exact = std::uint64_t;
inline constexpr int exact_bits = 20;
inline constexpr Exact exact_one = Exact{1} << exact_bits;

/// The binary logarithm of `n`, rounded down to 2^-20. `n` is at least 1.
[[nodiscard]] Exact exact_log2(std::uint64_t n) noexcept;

/// The square root of `n`, rounded down.
[[nodiscard]] std::uint64_t exact_sqrt(std::uint64_t n) noexcept;

}  // namespace research
