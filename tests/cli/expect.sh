# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What tests of the command line share, here and in tests/system.

# Set when an expectation failed; the exit status of a test.
# shellcheck disable=SC2034 # read by those that include this
bad=0

wrong()
{
	echo "$*"
	bad=1
}

# expect STATUS WANTED COMMAND...: the exit status, and a line of its output
expect()
{
	local status=$1 wanted=$2 got=0 out
	shift 2
	out=$("$@" 2>&1) || got=$?
	if [ "$got" -ne "$status" ]; then
		wrong "$*: exit status $got, expected $status: $out"
	elif ! grep -qF -- "$wanted" <<<"$out"; then
		wrong "$*: no \"$wanted\" in: $out"
	fi
}
