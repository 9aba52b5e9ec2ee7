# perdure_module(name SOURCES file... [DEPS target...] [PRIVATE_DEPS target...])
#
# Declares the static library perdure_<name>, known as perdure::<name>, and installs it. DEPS are
# the modules and libraries that its headers show; PRIVATE_DEPS those that only its .cpp files see.
# The project root is on the private include path, include/ on the public one: a user of the product
# can't reach a module's own headers.

set_property(GLOBAL PROPERTY PERDURE_MODULES "")

# perdure_together(target [TEST]): as PERDURE_UNITY says, its files are compiled eight at a time,
# which takes a third of the time: most of it goes into the headers, and into what they are made of
# anew. Modules are compiled file by file at least once, in the release build: so each file includes
# what it needs, and clang-tidy sees it alone.
function(perdure_together target)
  if(PERDURE_UNITY STREQUAL "all" OR ("TEST" IN_LIST ARGN AND PERDURE_UNITY STREQUAL "tests"))
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# perdure_apart(file...): not those, because they have a name for themselves that a file beside them
# has as well.
function(perdure_apart)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

function(perdure_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;PRIVATE_DEPS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "perdure_module(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(target perdure_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(perdure::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
      $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${target} PUBLIC ${arg_DEPS} Boost::headers
    PRIVATE ${arg_PRIVATE_DEPS} $<BUILD_INTERFACE:perdure_warnings>)
  set_property(GLOBAL APPEND PROPERTY PERDURE_MODULES ${target})
  perdure_together(${target})
endfunction()

# perdure_schema(module file.fbs...)
#
# Generates <build>/generated/<module>/schema/<file>_generated.h for the module's .cpp files, which
# include it as "<module>/schema/<file>_generated.h". The generated code is a system header: its
# warnings are not ours to mend.
function(perdure_schema name)
  set(target perdure_${name})
  set(directory "${PROJECT_BINARY_DIR}/generated/${name}/schema")
  foreach(schema IN LISTS ARGN)
    get_filename_component(stem "${schema}" NAME_WE)
    set(header "${directory}/${stem}_generated.h")
    add_custom_command(OUTPUT "${header}"
      COMMAND "${PERDURE_FLATC}" --cpp --scoped-enums -o "${directory}"
        "${CMAKE_CURRENT_SOURCE_DIR}/${schema}"
      DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${schema}"
      COMMENT "Generating ${name}/schema/${stem}_generated.h"
      VERBATIM)
    target_sources(${target} PRIVATE "${header}")
  endforeach()
  target_include_directories(${target} SYSTEM PRIVATE "${PROJECT_BINARY_DIR}/generated")
endfunction()

# perdure::perdure, what a user links: all modules.
function(perdure_product)
  get_property(modules GLOBAL PROPERTY PERDURE_MODULES)
  add_library(perdure INTERFACE)
  add_library(perdure::perdure ALIAS perdure)
  # The last module stands highest; a static link wants users before what they use.
  list(REVERSE modules)
  target_link_libraries(perdure INTERFACE ${modules})
  target_include_directories(perdure INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()
