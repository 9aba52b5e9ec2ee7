#include "exact.hpp"

#include <bit>

namespace research {

Exact exact_log2(std::uint64_t n) noexcept {
  if (n < 2) return 0;
  const int whole = static_cast<int>(std::bit_width(n)) - 1;
  // The mantissa lies in [1, 2) with 31 bits behind the point; squaring it doubles its logarithm,
  // so each square yields one more binary digit.
  std::uint64_t mantissa = whole <= 31 ? n << (31 - whole) : n >> (whole - 31);
  Exact result = static_cast<Exact>(whole);
  for (int bit = 0; bit < exact_bits; ++bit) {
    mantissa = (mantissa * mantissa) >> 31;
    result <<= 1;
    if (mantissa >> 32 != 0) {
      mantissa >>= 1;
      result |= 1;
    }
  }
  return result;
}

std::uint64_t exact_sqrt(std::uint64_t n) noexcept {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit != 0; bit >>= 1) {
    const std::uint64_t candidate = root | bit;
    if (candidate <= n / candidate) root = candidate;
  }
  return root;
}

}  // namespace research
