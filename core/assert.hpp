/// Asserts that stay in release builds.
///
/// What this is: `PERDURE_ASSERT(condition, "sentence")` for programming errors inside Perdure.
/// What it promises: a false condition prints file, line, condition and sentence, then aborts.
/// What it is not for: anything that replayed user code, stored bytes or a peer can trigger; those
/// are errors as values, and park one run at most.
#pragma once

namespace perdure::core {

[[noreturn]] void assertion_failed(const char* condition, const char* sentence, const char* file,
                                   int line) noexcept;

}  // namespace perdure::core

#define PERDURE_ASSERT(condition, sentence)                                                        \
  (static_cast<bool>(condition)                                                                    \
       ? static_cast<void>(0)                                                                      \
       : ::perdure::core::assertion_failed(#condition, sentence, __FILE__, __LINE__))
