# The compiler and the flags that every target of this build shares.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR
    "Perdure can't be built with GCC ${CMAKE_CXX_COMPILER_VERSION}: GCC before 13 miscompiles "
    "coroutines (a capturing lambda or an aggregate temporary inside a co_await expression is "
    "copied bitwise and destroyed twice). Use clang 16 or newer (on Debian 12: apt install "
    "clang-19, then CXX=clang++-19 cmake ...), or GCC 13 or newer.")
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16)
  message(FATAL_ERROR
    "Perdure needs clang 16 or newer for C++20, this is ${CMAKE_CXX_COMPILER_VERSION}. "
    "On Debian 12: apt install clang-19, then CXX=clang++-19 cmake ...")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

include(GNUInstallDirs)

# A second build of the same sources takes seconds. The sloppiness is what ccache asks for where
# precompiled headers are used; with clang their time stamps have to go as well (PerdureTest).
find_program(PERDURE_CCACHE ccache)
mark_as_advanced(PERDURE_CCACHE)
if(PERDURE_CCACHE AND PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
    "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime"
    "${PERDURE_CCACHE}")
endif()

# Sanitizers and coverage go to everything that is built here, tests and samples included.
if(PERDURE_SANITIZE)
  list(JOIN PERDURE_SANITIZE "," PERDURE_SANITIZE_FLAG)
  add_compile_options("-fsanitize=${PERDURE_SANITIZE_FLAG}" -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_link_options("-fsanitize=${PERDURE_SANITIZE_FLAG}")
endif()
if(PERDURE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "PERDURE_FUZZ needs clang: GCC has no libFuzzer")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(PERDURE_COVERAGE)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
    add_link_options(-fprofile-instr-generate)
  else()
    add_compile_options(--coverage -fprofile-update=atomic)
    add_link_options(--coverage)
  endif()
endif()
