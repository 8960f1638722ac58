# SPDX-License-Identifier: MIT
#
# Debian packages: `scripts/package`, or cpack in a build directory that is configured
# for /usr. Each component (cmake/Install.cmake) is a package:
#
#	runtime	hidsmith		command, fixups, udev rule, manual
#	lib	libhidsmith0		shared library
#	dev	libhidsmith-dev		headers for C and for BPF authors
#	tests	hidsmith-tests		traces, and what replays them on a new kernel
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
	return()
endif()

set(HIDSMITH_MAINTAINER "hidsmith maintainers <maintainers@hidsmith.invalid>" CACHE STRING
	"Maintainer of the packages, as in Debian's control files")
set(debian ${PROJECT_SOURCE_DIR}/cmake/debian)
set(made ${PROJECT_BINARY_DIR}/debian)

# package(COMPONENT NAME SECTION DEPENDS SUMMARY DESCRIPTION)
macro(package component name section depends summary description)
	string(TOUPPER ${component} upper)
	list(APPEND CPACK_COMPONENTS_ALL ${component})
	set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name})
	set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
	set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${depends}")
	set(CPACK_DEBIAN_${upper}_DESCRIPTION "${summary}\n${description}")
	install(FILES ${debian}/copyright ${made}/changelog.gz
		DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} COMPONENT ${component})
	if(EXISTS ${debian}/${name}.lintian-overrides)
		install(FILES ${debian}/${name}.lintian-overrides
			DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME ${name}
			COMPONENT ${component})
	endif()
endmacro()

# Policy wants them as small as gzip makes them, and without a time stamp.
configure_file(cmake/debian/changelog.in ${made}/changelog @ONLY)
add_custom_command(OUTPUT ${made}/changelog.gz
	COMMAND gzip -9 -n -k -f ${made}/changelog DEPENDS ${made}/changelog VERBATIM)
add_custom_target(changelog ALL DEPENDS ${made}/changelog.gz)

# All that packages have in them, and none of the tests' programs, which are more.
add_custom_target(packaged)
add_dependencies(packaged hidsmith libhidsmith fixups hwdb changelog)

set(about "hidsmith repairs HID devices such as tablets, keyboards and mice by BPF
programs that rewrite their report descriptors and events and can talk to the
device.")

package(runtime hidsmith utils "udev"
	"repair HID devices with BPF programs"
	"${about}\n.\nThis package has the command, which records, replays and inspects devices
and attaches fixups, a collection of fixups, and the udev rule that attaches
them when a device is plugged in. It needs Linux 6.11 or later with
CONFIG_HID_BPF.")
package(lib libhidsmith${PROJECT_VERSION_MAJOR} libs ""
	"repair HID devices with BPF programs - shared library"
	"${about}\n.\nThis package has the shared library.")
package(dev libhidsmith-dev libdevel
	"libhidsmith${PROJECT_VERSION_MAJOR} (= ${PROJECT_VERSION}), libbpf-dev"
	"repair HID devices with BPF programs - development files"
	"${about}\n.\nThis package has the library's headers, and those for authors of fixups.")
package(tests hidsmith-tests utils "hidsmith (>= ${PROJECT_VERSION}), kmod"
	"repair HID devices with BPF programs - traces to test a kernel with"
	"${about}\n.\nThis package has traces of devices and replays them on the running kernel,
with and without fixups.")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hidsmith)
set(CPACK_PACKAGE_CONTACT "${HIDSMITH_MAINTAINER}")
set(CPACK_PACKAGE_VENDOR hidsmith)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
# /etc and /lib/udev are not below the prefix.
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_DEV_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
	OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

file(WRITE ${made}/conffiles "/etc/hidsmith/hidsmith.conf\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA
	"${debian}/postinst;${debian}/prerm;${debian}/postrm;${made}/conffiles")
set(soversion ${PROJECT_VERSION_MAJOR})
file(WRITE ${made}/triggers "activate-noawait ldconfig\n")
file(WRITE ${made}/shlibs
	"libhidsmith ${soversion} libhidsmith${soversion} (>= ${PROJECT_VERSION})\n")
set(CPACK_DEBIAN_LIB_PACKAGE_CONTROL_EXTRA "${made}/triggers;${made}/shlibs")
set(CPACK_DEBIAN_TESTS_PACKAGE_CONTROL_EXTRA "${debian}/tests/postinst")
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/CompressManuals.cmake)
set(CPACK_POST_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/DropLdconfig.cmake)
# Each package has its own; without this, CPack puts the project's before it.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
include(CPack)
