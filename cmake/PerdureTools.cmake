# Targets that change or judge sources: format, tidy.

find_program(PERDURE_CLANG_FORMAT NAMES clang-format-19 clang-format-20 clang-format-21)
find_program(PERDURE_CLANG_TIDY NAMES clang-tidy-19 clang-tidy-20 clang-tidy-21)
mark_as_advanced(PERDURE_CLANG_FORMAT PERDURE_CLANG_TIDY)

if(PERDURE_CLANG_FORMAT)
  add_custom_target(format
    COMMAND "${PROJECT_SOURCE_DIR}/scripts/format" --fix
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" COMMENT "Formatting" VERBATIM)
endif()
if(PERDURE_CLANG_TIDY)
  add_custom_target(tidy
    COMMAND "${PROJECT_SOURCE_DIR}/scripts/tidy" "${PROJECT_BINARY_DIR}"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" COMMENT "Running clang-tidy" VERBATIM USES_TERMINAL)
endif()
