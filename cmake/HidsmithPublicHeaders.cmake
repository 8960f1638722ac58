# SPDX-License-Identifier: MIT
#
# hidsmith_public_headers(HEADER...)
#
# HEADER is core/ROOM/NAME.h, relative to the top of the tree. Installed headers
# are include/hidsmith/ROOM/NAME.h: in the tree they include each other from its
# top, "core/ROOM/NAME.h", outside from hidsmith's directory.
function(hidsmith_public_headers)
	foreach(header ${ARGN})
		string(REGEX REPLACE "^core/" "" name ${header})
		get_filename_component(room ${name} DIRECTORY)
		set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
			${PROJECT_SOURCE_DIR}/${header})
		file(READ ${PROJECT_SOURCE_DIR}/${header} text)
		string(REGEX REPLACE "#include \"core/([^\"]*)\"" "#include <hidsmith/\\1>" text "${text}")
		file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/include/hidsmith/${name} CONTENT "${text}")
		install(FILES ${PROJECT_BINARY_DIR}/include/hidsmith/${name}
			DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hidsmith/${room} COMPONENT dev)
	endforeach()
endfunction()
