# SPDX-License-Identifier: MIT
#
# What `cmake --install` puts where, as far as it is not beside the thing itself.
# Components are packages: runtime, lib, dev, tests (cmake/Packages.cmake).
include(CMakePackageConfigHelpers)

install(TARGETS hidsmith RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
install(TARGETS libhidsmith EXPORT hidsmith
	LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT lib NAMELINK_COMPONENT dev)

configure_file(cmake/hidsmith.pc.in hidsmith.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/hidsmith.pc
	DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hidsmith)
configure_package_config_file(cmake/hidsmithConfig.cmake.in hidsmithConfig.cmake
	INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
# Before 1.0 each minor version may change the interface.
write_basic_package_version_file(hidsmithConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hidsmithConfig.cmake
	${PROJECT_BINARY_DIR}/hidsmithConfigVersion.cmake
	DESTINATION ${package_dir} COMPONENT dev)
install(EXPORT hidsmith FILE hidsmithTargets.cmake NAMESPACE hidsmith::
	DESTINATION ${package_dir} COMPONENT dev)
