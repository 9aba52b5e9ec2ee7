# perdure_warnings: linked privately by everything of ours, never installed. Headers of other
# projects come in as system headers, so the flags judge our code only.

add_library(perdure_warnings INTERFACE)
target_compile_options(perdure_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<BOOL:${PERDURE_WERROR}>:-Werror>)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Both cry wolf in GCC 13 and 14: the first about the unused half of a std::optional that holds a
  # Result, the second about any reference that a function returns when one of its arguments is a
  # temporary. clang has neither, and the sanitizers watch the same code.
  target_compile_options(perdure_warnings INTERFACE -Wno-maybe-uninitialized -Wno-dangling-reference)
endif()
