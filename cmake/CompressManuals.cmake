# SPDX-License-Identifier: MIT
#
# Run by CPack on what it has staged: manual pages are compressed in packages.
file(GLOB_RECURSE pages ${CPACK_TEMPORARY_DIRECTORY}/*/usr/share/man/man?/*.[1-8])
foreach(page ${pages})
	execute_process(COMMAND gzip -9 -n ${page} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
