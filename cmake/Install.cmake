# `cmake --install` and find_package(coronado): targets coronado::coronado, coronado::testing and coronado::template_compiler,
# and the function coronado_add_templates.

include(CMakePackageConfigHelpers)
set(coronado_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/coronado")

install(TARGETS coronado coronado_testing coronado_template_compiler EXPORT coronado_targets)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/coronado" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT coronado_targets NAMESPACE coronado:: FILE coronadoTargets.cmake DESTINATION "${coronado_package_dir}")

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/coronadoConfig.cmake.in" "${PROJECT_BINARY_DIR}/coronadoConfig.cmake"
  INSTALL_DESTINATION "${coronado_package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/coronadoConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/coronadoConfig.cmake" "${PROJECT_BINARY_DIR}/coronadoConfigVersion.cmake"
        "${PROJECT_SOURCE_DIR}/cmake/coronadoTemplates.cmake"
        DESTINATION "${coronado_package_dir}")
