# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Completion for hidsmith. Subcommands and options are read from --help, so this
# file need not know them.

_hidsmith()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words=$(hidsmith --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
		mapfile -t COMPREPLY < <(compgen -W "$words --help --version" -- "$cur")
		return
	fi
	case $cur in
	-*)
		words=$(hidsmith "${COMP_WORDS[1]}" --help 2>/dev/null |
			grep -oE -- '(^|[ ,[])--[a-z][a-z-]*' | tr -d ' ,[')
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
		;;
	esac
	case ${COMP_WORDS[1]} in
	attach | detach | status | io)
		words=$(find /sys/bus/hid/devices -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null)
		# Device names have colons, at which readline splits words.
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		if declare -F __ltrim_colon_completions >/dev/null; then
			__ltrim_colon_completions "$cur"
		fi
		;;
	esac
	[ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}
complete -o filenames -F _hidsmith hidsmith
