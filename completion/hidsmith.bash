# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Completion for hidsmith. Subcommands and options are read from --help, so this
# file need not know them.

_hidsmith_devices()
{
	find /sys/bus/hid/devices -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null
}

_hidsmith_fixups()
{
	hidsmith list fixups 2>/dev/null | sed -n '/^cannot be used:/!s/ .*//p'
}

_hidsmith()
{
	local line=${COMP_LINE:0:COMP_POINT} cur words=
	# Not COMP_WORDS: readline splits words at colons, of which device names have two.
	cur=${line##*[[:space:]]}
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words=$(hidsmith --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
		mapfile -t COMPREPLY < <(compgen -W "$words --help --version" -- "$cur")
		return
	fi
	case $cur in
	--*=*)
		cur=${cur#*=}
		;;
	-*)
		words=$(hidsmith "${COMP_WORDS[1]}" --help 2>/dev/null |
			grep -oE -- '(^|[ ,[])--[a-z][a-z-]*' | tr -d ' ,[')
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
		;;
	*)
		case ${COMP_WORDS[1]} in
		attach | detach)
			words="$(_hidsmith_devices) $(_hidsmith_fixups)"
			;;
		status | io | record | new)
			words=$(_hidsmith_devices)
			;;
		list)
			words="devices fixups matches $(_hidsmith_devices)"
			;;
		udev)
			words="add remove refresh detach $(_hidsmith_devices)"
			;;
		inspect | uninstall)
			words=$(_hidsmith_fixups)
			;;
		esac
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		;;
	esac
	if [ ${#COMPREPLY[@]} -eq 0 ]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	elif [[ $COMP_WORDBREAKS == *:* && $cur == *:* ]]; then
		# What stands before the last colon is there, and is not to be said again.
		COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*:}"}"}")
	fi
}
complete -F _hidsmith hidsmith
