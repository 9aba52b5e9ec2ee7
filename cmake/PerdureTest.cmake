# perdure_test(name SOURCES file... [DEPS target...] [LABELS label...] [FRAMES suite...] [APART])
#
# Declares a GoogleTest program and one ctest test for each TEST in it. Labels: unit (the default),
# tsan (has no CAF in it and is also run under the thread sanitizer), crash (kills processes),
# api, cli. The program sees the project root, so it may include a module's own headers.
# FRAMES: suites that are run a second time, as `….frames_given_up`, where runs that wait give up
# their frames (tests/support/frames.hpp).
# APART: its files are never compiled together, because they have agents of the same names.

include(GoogleTest)

# GoogleTest and the heaviest standard headers are parsed once for all tests.
add_library(perdure_test_pch OBJECT "${PROJECT_SOURCE_DIR}/cmake/test_pch.cpp")
target_precompile_headers(perdure_test_pch PRIVATE
  <gtest/gtest.h> <chrono> <filesystem> <functional> <map> <memory> <optional> <string>
  <string_view> <thread> <utility> <variant> <vector>)
target_link_libraries(perdure_test_pch PRIVATE GTest::gtest perdure_warnings)
set(PERDURE_TEST_PCH_OPTIONS "")
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Otherwise ccache can't reuse anything that was compiled with the precompiled header.
  set(PERDURE_TEST_PCH_OPTIONS -Xclang -fno-pch-timestamp)
endif()
target_compile_options(perdure_test_pch PRIVATE ${PERDURE_TEST_PCH_OPTIONS})

# What a sanitizer build needs: the programs whose label its test preset selects, and nothing else.
add_custom_target(perdure_unit_tests)
add_custom_target(perdure_tsan_tests)

function(perdure_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "APART" "" "SOURCES;DEPS;LABELS;FRAMES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "perdure_test(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_SOURCES)
    return()
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gtest GTest::gtest_main perdure_warnings)
  target_precompile_headers(${name} REUSE_FROM perdure_test_pch)
  target_compile_options(${name} PRIVATE ${PERDURE_TEST_PCH_OPTIONS})
  if(NOT arg_APART)
    perdure_together(${name} TEST)
  endif()
  foreach(label IN LISTS arg_LABELS)
    if(TARGET perdure_${label}_tests)
      add_dependencies(perdure_${label}_tests ${name})
    endif()
  endforeach()
  # gtest_discover_tests flattens a list of labels, by a number of times that depends on CMake's
  # version. `ctest -L` matches by regular expression, so one joined label is found by each part.
  list(JOIN arg_LABELS "-" labels)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${labels}" TIMEOUT 300)
  if(NOT arg_FRAMES)
    return()
  endif()
  list(TRANSFORM arg_FRAMES APPEND ".*")
  list(JOIN arg_FRAMES ":" suites)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
    TEST_SUFFIX ".frames_given_up" TEST_FILTER "${suites}"
    PROPERTIES LABELS "${labels}" TIMEOUT 300 ENVIRONMENT "PERDURE_TEST_FRAMES=given_up")
endfunction()

# perdure_python_test(name SCRIPT file [ARGS argument...] [LABELS label...] [TIMEOUT seconds])
function(perdure_python_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SCRIPT;TIMEOUT" "ARGS;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  add_test(NAME ${name}
    COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_SOURCE_DIR}/${arg_SCRIPT}" ${arg_ARGS})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()
