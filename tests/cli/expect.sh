# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the tests of the command line share.

# Set when an expectation failed; the exit status of a test.
# shellcheck disable=SC2034 # read by those that include this
bad=0

# expect STATUS WANTED COMMAND...: the exit status, and a line of its output
expect()
{
	local status=$1 wanted=$2 got=0 out
	shift 2
	out=$("$@" 2>&1) || got=$?
	if [ "$got" -ne "$status" ]; then
		printf '%s: exit status %s, expected %s\n%s\n' "$*" "$got" "$status" "$out"
		bad=1
	elif ! grep -qF -- "$wanted" <<<"$out"; then
		printf '%s: no "%s" in\n%s\n' "$*" "$wanted" "$out"
		bad=1
	fi
}
