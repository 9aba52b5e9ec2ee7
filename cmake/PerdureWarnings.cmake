# perdure_warnings: linked privately by everything of ours, never installed. Headers of other
# projects come in as system headers, so the flags judge our code only.

add_library(perdure_warnings INTERFACE)
target_compile_options(perdure_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<BOOL:${PERDURE_WERROR}>:-Werror>)
