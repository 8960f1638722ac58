# SPDX-License-Identifier: MIT
#
# hidsmith_add_bpf(TARGET SOURCE... [DESTINATION DIR] [INCLUDES DIR...])
#
# Compiles each X.bpf.c to X.bpf.o in the current binary directory, or in DIR.
find_program(HIDSMITH_LLVM_STRIP NAMES llvm-strip llvm-strip-19 llvm-strip-14 REQUIRED)
find_program(HIDSMITH_LLVM_READELF NAMES llvm-readelf llvm-readelf-19 llvm-readelf-14 REQUIRED)
find_program(HIDSMITH_CLANG NAMES clang clang-19 clang-14 REQUIRED
	DOC "clang that compiles BPF programs")

function(hidsmith_add_bpf target)
	cmake_parse_arguments(ARG "" "DESTINATION" "INCLUDES" ${ARGN})
	set(dest ${CMAKE_CURRENT_BINARY_DIR})
	if(ARG_DESTINATION)
		set(dest ${ARG_DESTINATION})
	endif()
	set(includes -I${PROJECT_SOURCE_DIR}/bpf)
	foreach(dir ${ARG_INCLUDES})
		list(APPEND includes -I${dir})
	endforeach()
	# libbpf's headers include the kernel's, which lie in the multiarch directory.
	if(CMAKE_LIBRARY_ARCHITECTURE)
		list(APPEND includes -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE})
	endif()
	set(objects)
	foreach(source ${ARG_UNPARSED_ARGUMENTS})
		get_filename_component(source ${source} ABSOLUTE)
		get_filename_component(name ${source} NAME)
		string(REGEX REPLACE "\\.c$" ".o" object ${name})
		set(object ${dest}/${object})
		# -g for BTF; the DWARF that comes with it is of no use to a loader.
		add_custom_command(OUTPUT ${object}
			COMMAND ${CMAKE_COMMAND} -E make_directory ${dest}
			COMMAND ${HIDSMITH_CLANG} -target bpf -mcpu=v3 -O2 -g -std=gnu11
				-Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-declarations
				-D__TARGET_ARCH_x86 ${includes}
				-fdebug-prefix-map=${PROJECT_SOURCE_DIR}/=
				-MD -MF ${object}.d -MT ${object} -c ${source} -o ${object}
			COMMAND ${HIDSMITH_LLVM_STRIP} -g ${object}
			COMMAND ${PROJECT_SOURCE_DIR}/cmake/check-bpf-object ${HIDSMITH_LLVM_READELF} ${object}
			DEPENDS ${source} DEPFILE ${object}.d
			COMMENT "Compiling BPF ${name}" VERBATIM)
		list(APPEND objects ${object})
	endforeach()
	add_custom_target(${target} ALL DEPENDS ${objects})
	set_target_properties(${target} PROPERTIES HIDSMITH_OBJECTS "${objects}")
endfunction()
