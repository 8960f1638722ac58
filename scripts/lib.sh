# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What scripts/demo and scripts/test share. Sourced from the top of the tree.

# say TEXT: one line of progress, in bold on a terminal.
say()
{
	if [ -t 2 ]; then
		printf '\033[1m== %s\033[0m\n' "$1" >&2
	else
		printf '== %s\n' "$1" >&2
	fi
}

# build_project DIR [CMAKE-ARG]...: configure and build, quietly when it works; all, or
# only $build_target.
build_project()
{
	local dir=$1 log
	shift
	say "building hidsmith in $dir"
	mkdir -p "$dir"
	log=$dir/build.log
	if ! { cmake -S . -B "$dir" -G Ninja "$@" && cmake --build "$dir" --target "${build_target:-all}"; } >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		echo "building failed; the whole log is in $log" >&2
		return 1
	fi
}
