# Finds Zstandard and declares Zstd::zstd. Not every system's package brings CMake files, and those
# that do name their targets differently.

find_path(Zstd_INCLUDE_DIR zstd.h)
find_library(Zstd_LIBRARY zstd)
mark_as_advanced(Zstd_INCLUDE_DIR Zstd_LIBRARY)

if(Zstd_INCLUDE_DIR)
  set(Zstd_VERSION "")
  foreach(part MAJOR MINOR RELEASE)
    file(STRINGS "${Zstd_INCLUDE_DIR}/zstd.h" line
      REGEX "^#define[ \t]+ZSTD_VERSION_${part}[ \t]+[0-9]+" LIMIT_COUNT 1)
    string(REGEX REPLACE ".*ZSTD_VERSION_${part}[ \t]+([0-9]+).*" "\\1" number "${line}")
    list(APPEND Zstd_VERSION "${number}")
  endforeach()
  list(JOIN Zstd_VERSION "." Zstd_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Zstd
  REQUIRED_VARS Zstd_LIBRARY Zstd_INCLUDE_DIR
  VERSION_VAR Zstd_VERSION
  REASON_FAILURE_MESSAGE "On Debian and Ubuntu: apt install libzstd-dev")

if(Zstd_FOUND AND NOT TARGET Zstd::zstd)
  add_library(Zstd::zstd UNKNOWN IMPORTED)
  set_target_properties(Zstd::zstd PROPERTIES
    IMPORTED_LOCATION "${Zstd_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${Zstd_INCLUDE_DIR}")
endif()
