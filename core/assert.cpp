#include "core/assert.hpp"

#include <perdure/result.hpp>

#include <cstdio>
#include <cstdlib>

namespace perdure::core {

void assertion_failed(const char* condition, const char* sentence, const char* file,
                      int line) noexcept {
  std::fprintf(stderr, "perdure: assertion failed: %s (%s) at %s:%d\n", sentence, condition, file,
               line);
  std::abort();
}

}  // namespace perdure::core

namespace perdure {
inline namespace v0 {
namespace detail {

void result_without_error() noexcept {
  core::assertion_failed("has_error()", "Result::error() was called on a success", __FILE__,
                         __LINE__);
}

}  // namespace detail
}  // namespace v0
}  // namespace perdure
