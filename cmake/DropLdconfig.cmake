# SPDX-License-Identifier: MIT
#
# Run by CPack on finished packages: it gives each with a shared library maintainer
# scripts that call ldconfig. Policy wants the trigger instead, which we have.
foreach(deb ${CPACK_PACKAGE_FILES})
	if(NOT deb MATCHES "/libhidsmith[0-9]+_")
		continue()
	endif()
	set(tree ${deb}.tree)
	file(REMOVE_RECURSE ${tree})
	execute_process(COMMAND dpkg-deb -R ${deb} ${tree} COMMAND_ERROR_IS_FATAL ANY)
	file(REMOVE ${tree}/DEBIAN/postinst ${tree}/DEBIAN/postrm)
	execute_process(COMMAND dpkg-deb --root-owner-group -Zxz -b ${tree} ${deb}
		OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
	file(REMOVE_RECURSE ${tree})
endforeach()
