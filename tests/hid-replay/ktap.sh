# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# KTAP output for scripts that run in the VM: sourced; then ktap_plan N, and for each
# test ktap_ok NAME, ktap_not_ok NAME (what differed on standard input) or ktap_skip
# NAME REASON. ktap_end exits.

ktap_n=0
ktap_failed=0

ktap_plan()
{
	printf 'KTAP version 1\n1..%d\n' "$1"
}

ktap_ok()
{
	ktap_n=$((ktap_n + 1))
	printf 'ok %d %s\n' "$ktap_n" "$1"
}

ktap_not_ok()
{
	sed 's/^/# /'
	ktap_n=$((ktap_n + 1))
	ktap_failed=$((ktap_failed + 1))
	printf 'not ok %d %s\n' "$ktap_n" "$1"
}

ktap_skip()
{
	ktap_n=$((ktap_n + 1))
	printf 'ok %d %s # SKIP %s\n' "$ktap_n" "$1" "$2"
}

ktap_end()
{
	printf '# failed: %d of %d\n' "$ktap_failed" "$ktap_n"
	[ "$ktap_failed" -eq 0 ]
	exit
}
