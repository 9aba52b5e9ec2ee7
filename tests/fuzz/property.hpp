/// What a fuzz target says when a property does not hold.
///
/// What this is: a message and an abort, which libFuzzer and a plain run alike take for a failure.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace perdure::fuzz {

/// Aborts with `what` (and `detail`) unless `holds`.
inline void require(bool holds, std::string_view what, const std::string& detail = {}) {
  if (holds) return;
  std::fprintf(stderr, "property broken: %.*s: %s\n", static_cast<int>(what.size()), what.data(),
               detail.c_str());
  std::abort();
}

}  // namespace perdure::fuzz
