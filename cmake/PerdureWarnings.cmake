# perdure_warnings: linked privately by everything of ours, never installed. Headers of other
# projects come in as system headers, so the flags judge our code only.

add_library(perdure_warnings INTERFACE)
target_compile_options(perdure_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<BOOL:${PERDURE_WERROR}>:-Werror>)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # These cry wolf in GCC 13 and 14: about the unused half of a std::optional that holds a Result,
  # about any reference that a function returns when one of its arguments is a temporary, about the
  # small buffer of a std::string that is added to, and about GoogleTest's macros below an `if`.
  # clang has none of them, and the sanitizers watch the same code.
  target_compile_options(perdure_warnings INTERFACE
    -Wno-maybe-uninitialized -Wno-dangling-reference -Wno-dangling-else
    -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict)
endif()
