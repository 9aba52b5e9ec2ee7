# What find_package(perdure CONFIG) finds after an installation.

include(CMakePackageConfigHelpers)

get_property(modules GLOBAL PROPERTY PERDURE_MODULES)
install(TARGETS perdure ${modules} EXPORT perdureTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/perdure DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp")

set(package_directory "${CMAKE_INSTALL_LIBDIR}/cmake/perdure")
install(EXPORT perdureTargets NAMESPACE perdure:: DESTINATION "${package_directory}")
configure_package_config_file(cmake/perdureConfig.cmake.in
  "${PROJECT_BINARY_DIR}/perdureConfig.cmake"
  INSTALL_DESTINATION "${package_directory}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/perdureConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/perdureConfig.cmake"
  "${PROJECT_BINARY_DIR}/perdureConfigVersion.cmake"
  cmake/FindCAF.cmake cmake/FindLMDB.cmake cmake/FindXxhash.cmake
  cmake/FindZstd.cmake
  DESTINATION "${package_directory}")

if(TARGET perdure_cli)
  install(TARGETS perdure_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
