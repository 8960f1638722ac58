#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# beside.sh BUILD [TREE]: two projects serve devices at once. A device that both have
# something for is served by exactly one, and what goes is what went: ours with ours,
# theirs with theirs. The other project is udev-hid-bpf, if TREE has it
# (fetch-udev-hid-bpf), else one that does the same (neighbour.c).
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/udev/lib.sh
. "$here/lib.sh"
tree=${2:-}
objects=/run/theirs

# Both look the device up in the hwdb, under the same key.
install_theirs()
{
	local fixtures=$build/tests/system/udev/fixtures id object program
	mkdir -p $objects
	for object in rdesc event broken; do
		cp "$fixtures/0010-test__$object.bpf.o" $objects/0010-other__$object.bpf.o
	done
	while read -r id object; do
		printf 'hid-bpf:hid:b0003g*v00001234p0000%s\n HID_BPF_S_000=0010-other__%s.bpf.o\n .HID_BPF=1\n\n' \
			"$id" "$object"
	done >/etc/udev/hwdb.d/81-hid-bpf.hwdb <<-END
		5678 rdesc
		5679 event
		567c broken
		9999 event
	END
	systemd-hwdb update
	if [ -n "$tree" ]; then
		program="$tree/usr/lib64/ld-linux-x86-64.so.2 --library-path $tree/usr/lib/x86_64-linux-gnu $tree/usr/bin/udev-hid-bpf"
		sed "s|/usr/bin/udev-hid-bpf|$program|; s|udev-hid-bpf add |&--bpfdir $objects |" \
			"$tree/usr/lib/udev/rules.d/81-hid-bpf.rules" >/etc/udev/rules.d/81-hid-bpf.rules
		return
	fi
	program=$build/tests/system/udev/neighbour
	cat >/etc/udev/rules.d/81-hid-bpf.rules <<-END
		SUBSYSTEM=="hid", IMPORT{builtin}="hwdb --subsystem=hid --lookup-prefix=hid-bpf:"
		SUBSYSTEM=="hid", ACTION=="add", ENV{.HID_BPF}=="1", \
			IMPORT{program}="$program add \$kernel $objects/\$env{HID_BPF_S_000}"
		SUBSYSTEM=="hid", ACTION=="remove", ENV{.HID_BPF}=="1", RUN{program}+="$program remove \$kernel"
	END
}

# theirs_add DEVICE OBJECT: as if somebody started their program.
theirs_add()
{
	if [ -n "$tree" ]; then
		"$tree"/usr/lib64/ld-linux-x86-64.so.2 --library-path "$tree/usr/lib/x86_64-linux-gnu" \
			"$tree/usr/bin/udev-hid-bpf" add "/sys/bus/hid/devices/$1" --bpfdir $objects \
			"0010-other__$2.bpf.o" >/run/out 2>&1
	else
		"$build/tests/system/udev/neighbour" add "$1" "$objects/0010-other__$2.bpf.o" >/run/out 2>&1
	fi
}

unplug_one()
{
	plug_cmd unplug "$1"
	settle
	is "pins of $1 after unplug" "$(pins "$1")" ""
	[ ! -e "/run/hidsmith/$1" ] || fail "state of $1 after unplug"
}

# What hidsmith's rule has attached to a device, by its own notes.
ours()
{
	[ ! -e "/run/hidsmith/$1/objects" ] || cut -d' ' -f1 "/run/hidsmith/$1/objects" | sort | paste -sd' '
}

# The kernel's number of each link that is pinned for a device.
links()
{
	find /sys/fs/bpf/hid/"${1//[:.]/_}" -type f -printf '%i\n' 2>/dev/null | sort | paste -sd' '
}

all_links()
{
	bpftool -j link show | grep -o '"type":"struct_ops"' | wc -l
}

install_hidsmith
install_theirs
start_udevd --debug
slow_machine
start_plug

# --- both have something for it: the one that comes first has it, and alone
part both
for what in 5678:rdesc 5679:event; do
	plug "id=0003:1234:${what%:*}"
	is "$what: pins" "$(pins "$device")" "0010-other__${what#*:}"
	is "$what: links" "$(all_links)" 1
	is "$what: ours" "$(ours "$device")" ""
	is "$what: property" "$(property "$device" HIDSMITH_FIXUPS)" "0010-other__${what#*:}"
	has "$what: log" "$(cat /run/udevd.log)" \
		"$device: left alone: 0010-other__${what#*:} is attached already, and not by hidsmith's rule"
	before=$(links "$device")
	for action in unbind bind change; do
		udevadm trigger --settle --action=$action "/sys/bus/hid/devices/$device"
	done
	for command in "udev refresh" "udev add $device" "hwdb --update" "udev detach $device" "udev detach"; do
		# shellcheck disable=SC2086 # several words
		hidsmith $command >/run/out 2>&1 || fail "$what: $command: $(cat /run/out)"
		is "$what: links after $command" "$(links "$device")" "$before"
	done
	unplug_one "$device"
	is "$what: links after unplug" "$(all_links)" 0
done

# --- theirs fails: ours takes it
part 'theirs fails'
plug id=0003:1234:567c
is 'pins of what they cannot serve' "$(pins "$device")" "0010-test__event 0010-test__rdesc"
is 'ours of what they cannot serve' "$(ours "$device")" "0010-test__event 0010-test__rdesc"
unplug_one "$device"

# --- theirs comes late, as when a user starts it, or when it is installed later. The
# kernel has one program for a device's descriptor: the second is refused, and ours
# stays. Programs for reports can be two, and then both work; ours says so.
part 'theirs comes late'
plug id=0003:1234:567d
kept=$(links "$device")
is 'ours, first' "$(pins "$device")" 0010-test__rdesc
# udev-hid-bpf reports success all the same, and leaves a directory without a link
theirs_add "$device" rdesc && [ -z "$tree" ] && fail 'a second program for the descriptor'
[ -n "$tree" ] || is 'pins after theirs was refused' "$(pins "$device")" 0010-test__rdesc
is 'links after theirs was refused' "$(all_links)" 1
is 'link after theirs was refused' "$(links "$device")" "$kept"
is 'axes after theirs was refused' "$(cat /sys/bus/hid/devices/"$device"/input/input*/capabilities/rel)" 902
check 'udev refresh' hidsmith udev refresh
is 'link after a refresh' "$(links "$device")" "$kept"
# that directory is nobody's fixup: ours may go and come back
dead=/sys/fs/bpf/hid/${device//[:.]/_}/0010-other__rdesc_bpf
[ -n "$tree" ] || mkdir "$dead"
check 'udev detach' hidsmith udev detach "$device"
is 'links, ours gone' "$(links "$device")" ""
check 'add, beside a directory without a link' hidsmith udev add "$device" >/dev/null
is 'ours, beside a directory without a link' "$(ours "$device")" 0010-test__rdesc
[ -n "$tree" ] || rmdir "$dead"
unplug_one "$device"
plug id=0003:1234:567a
kept=$(links "$device")
theirs_add "$device" event || fail "theirs, late: $(cat /run/out)"
is 'pins of both' "$(pins "$device")" "0010-other__event 0010-test__choice"
out=$(hidsmith udev add "$device" 2>&1) || fail "add, beside theirs: $out"
has 'said so' "$out" 'left alone: 0010-other__event is attached already'
has 'property of both' "$out" 'HIDSMITH_FIXUPS=0010-other__event 0010-test__choice'
has 'our link, beside theirs' " $(links "$device") " " $kept "
check 'udev detach' hidsmith udev detach "$device"
is 'pins of theirs alone' "$(pins "$device")" 0010-other__event
# started by hand, it has no rule that takes its pins away
check 'detach' hidsmith detach "$device" >/dev/null
[ -n "$tree" ] || sed -i "/^add $device$/d" /run/neighbour.log
unplug_one "$device"
is 'links after both' "$(all_links)" 0

# --- each has its own: what goes takes nothing of the other's with it
part 'each its own'
plug id=0003:1234:567a
choice=$device
plug id=0003:1234:9999
alone=$device
plug id=0003:1234:5678
both=$device
is 'pins of ours' "$(pins "$choice")" 0010-test__choice
is 'pins of theirs' "$(pins "$alone") $(pins "$both")" "0010-other__event 0010-other__rdesc"
kept=$(links "$choice")
unplug_one "$both"
is 'ours, when one of theirs goes' "$(links "$choice")" "$kept"
plug id=0003:1234:5678
both=$device
kept="$(links "$alone") $(links "$both")"
unplug_one "$choice"
is 'theirs, when ours goes' "$(links "$alone") $(links "$both")" "$kept"
plug id=0003:1234:567a
choice=$device
# what the package does when it is removed
check 'udev detach' hidsmith udev detach
is 'pins of ours after udev detach' "$(pins "$choice")" ""
is 'theirs after udev detach' "$(links "$alone") $(links "$both")" "$kept"
is 'state after udev detach' "$(ls /run/hidsmith)" ""
rm /usr/local/lib/udev/rules.d/82-hidsmith.rules
reload_udevd
udevadm trigger --settle --action=change /sys/bus/hid/devices/*
is 'theirs without our rule' "$(links "$alone") $(links "$both")" "$kept"
for device in "$choice" "$alone" "$both"; do
	unplug_one "$device"
done
is 'links at the end' "$(all_links)" 0
is 'pins at the end' "$(all_pins)" ""

# What they removed they found there: we had not been quicker.
if [ -z "$tree" ]; then
	is 'devices they served, and those they found with their pins' \
		"$(grep -c '^remove .* 1$' /run/neighbour.log)" "$(grep -c ^add /run/neighbour.log)"
	[ "$(grep -c ^add /run/neighbour.log)" -gt 4 ] || fail "they served nothing: $(cat /run/neighbour.log)"
fi
finish
