# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the system tests share. They run in the VM, on its overlay: whatever they do
# to /etc, /usr and /run is gone afterwards. Sourced by a test whose first argument is
# the build directory.

set -u
build=$1
[ -d /run/hidsmith-vm ] || {
	echo "this changes the system and is for the VM: kernel/vm -- $0 $build"
	exit 2
}

failures=0
ignored=0 # by udevd, see reload_udevd
fixture_pids=()

fail()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# How far the test has come, for who waits or looks for the time.
part()
{
	echo "# $SECONDS s: $1"
}

finish()
{
	if [ $failures -ne 0 ]; then
		# What udevd did with its rules and programs tells most of why.
		grep -E 'rules need reloading|file: /run/|(Starting|Process) .*hidsmith|[kK]ill|[tT]imeout' \
			/run/udevd.log | tail -n 60
		echo "$failures failed"
	fi
	[ $failures -eq 0 ]
	exit
}

# check WHAT COMMAND...: the command must succeed.
check()
{
	local what=$1
	shift
	"$@" || fail "$what: '$*' gave $?"
}

# is WHAT ACTUAL EXPECTED
is()
{
	[ "$2" = "$3" ] || fail "$1: '$2', not '$3'"
}

# has WHAT TEXT PART, has_not WHAT TEXT PART
has()
{
	case $2 in *"$3"*) ;; *) fail "$1: no '$3' in: $2" ;; esac
}

has_not()
{
	case $2 in *"$3"*) fail "$1: '$3' in: $2" ;; esac
}

# The hand that plugs devices in: plug_cmd COMMAND..., answer in $REPLY.
start_plug()
{
	coproc PLUG { exec "$build/tests/system/udev/plug" $((patience / 3)); }
}

plug_cmd()
{
	printf '%s\n' "$*" >&"${PLUG[1]}"
	IFS= read -r -t "$patience" REPLY <&"${PLUG[0]}" || REPLY='error: plug has ended'
	case $REPLY in error*) fail "plug $*: $REPLY" ;; esac
}

# Our command, rule and configuration as 'cmake --install' puts them, with the test's
# fixups, and a hwdb of these alone: the distribution's takes 10 s to build here.
install_hidsmith()
{
	local dir
	cmake --install "$build" --component runtime >/dev/null || fail 'cmake --install'
	rm -f /usr/local/lib/hidsmith/bpf/*
	cp "$build"/tests/system/udev/fixtures/*.o /usr/local/lib/hidsmith/bpf/
	for dir in /usr/lib/udev/hwdb.d /lib/udev/hwdb.d; do
		mount -t tmpfs none $dir
	done
	rm -f /etc/udev/hwdb.d/* /lib/udev/hwdb.bin
	mkdir -p /etc/udev/hwdb.d
	hidsmith hwdb >/etc/udev/hwdb.d/82-hidsmith.hwdb || fail 'hidsmith hwdb'
	systemd-hwdb update || fail 'systemd-hwdb update'
}

# Has udevd read its rules and its hwdb again. Between its accept() and its SO_PASSCRED it
# takes who tells it to for a stranger ("Invalid sender uid 65534"), and ignores it; by
# itself it looks at the first event that is 3 s after its last look.
reload_udevd()
{
	local before
	for _ in 1 2 3 4 5; do
		before=$(grep -c 'Invalid sender' /run/udevd.log)
		udevadm control --reload || fail 'udevadm control --reload'
		udevadm control --ping || fail 'udevadm control --ping'
		[ "$(grep -c 'Invalid sender' /run/udevd.log)" -ne "$before" ] || return 0
		ignored=$((ignored + 1))
	done
	fail 'udevd ignores udevadm'
}

# The hwdb of the objects that are in our directory now, for a udevd that runs.
renew_hwdb()
{
	hidsmith hwdb >/etc/udev/hwdb.d/82-hidsmith.hwdb || fail 'hidsmith hwdb'
	systemd-hwdb update || fail 'systemd-hwdb update'
	reload_udevd
}

# How long to wait, in seconds, for what takes well below one on real hardware: emulated,
# beside other work, has taken more than a minute. A kernel that checks each access to
# memory takes ten times as long.
patience=180
[ ! -e /sys/kernel/debug/kmemleak ] || patience=600

# Emulated, and with other work on the machine, four seconds are not enough for all.
# 60 s are the most that can be set.
slow_machine()
{
	local ms=$((patience == 180 ? 40000 : 60000))
	printf '[hidsmith]\ndeadline = %d\n' $ms >/etc/hidsmith/hidsmith.conf
}

# The distribution's udevd, with its own rules and ours.
start_udevd()
{
	local udevd
	export SYSTEMD_IGNORE_CHROOT=1 SYSTEMD_LOG_TARGET=console
	mkdir -p /run/udev
	for udevd in /usr/lib/systemd/systemd-udevd /lib/systemd/systemd-udevd; do
		[ -x "$udevd" ] && break
	done
	"$udevd" "$@" >/run/udevd.log 2>&1 &
	fixture_pids+=($!)
	for _ in $(seq $((patience * 2))); do
		udevadm control --ping 2>/dev/null && return
		sleep 0.1
	done
	fail "udevd did not start: $(cat /run/udevd.log)"
	finish
}

settle()
{
	udevadm settle --timeout=$patience || fail "udev did not settle"
}

# Plugs one in and waits for udev; its name is in $device.
plug()
{
	plug_cmd plug "$@"
	device=$REPLY
	settle
}

# unplug [WHAT]: of what hidsmith made for the device nothing is left.
unplug()
{
	local what=${1:-unplug of $device}
	plug_cmd unplug "$device"
	settle
	is "$what: pins left" "$(all_pins)" ""
	is "$what: state left" "$(ls /run/hidsmith 2>/dev/null)" ""
}

# Until the workers that udevd started for the last events have ended.
workers_ended()
{
	for _ in $(seq $((patience * 5))); do
		pgrep -P "${fixture_pids[0]}" >/dev/null || return 0
		sleep 0.2
	done
	fail "udevd's workers do not end: $(pgrep -a -P "${fixture_pids[0]}")"
}

property()
{
	udevadm info --query=property --property="$2" --value --path="/sys/bus/hid/devices/$1" 2>/dev/null
}

# The names of what is pinned for a device.
pins()
{
	local dir=/sys/fs/bpf/hid/${1//[:.]/_}
	[ ! -d "$dir" ] || find "$dir" -mindepth 1 -maxdepth 1 -printf '%f\n' | sed 's/_bpf$//' | sort | paste -sd' '
}

all_pins()
{
	find /sys/fs/bpf/hid -mindepth 1 2>/dev/null
}
