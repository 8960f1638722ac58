#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A device is plugged in and works; it goes and leaves nothing behind. What is
# switched off, or somebody else's, is left alone.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/udev/lib.sh
. "$here/lib.sh"

# The axes of the device's input node, as the kernel's bit mask.
axes()
{
	cat /sys/bus/hid/devices/"$1"/input/input*/capabilities/rel
}

# The usage of the X axis in the descriptor that the driver got.
usage()
{
	od -An -tx1 -j35 -N1 "/sys/bus/hid/devices/$1/report_descriptor" | tr -d ' '
}

# What a helper that udev starts leaves in udevd's log.
helpers()
{
	grep -c "Starting '/usr/local/bin/hidsmith udev" /run/udevd.log
}

install_hidsmith
start_udevd --debug
slow_machine
start_plug

# --- a fixup that changes the descriptor
plug id=0003:1234:5678
is 'pins' "$(pins "$device")" 0010-test__rdesc
is 'axes' "$(axes "$device")" 902
is 'property' "$(property "$device" HIDSMITH_FIXUPS)" 0010-test__rdesc
is 'driver' "$(property "$device" DRIVER)" hid-generic
before=$(helpers)
for action in unbind bind change; do
	udevadm trigger --settle --action=$action "/sys/bus/hid/devices/$device"
	is "property after $action" "$(property "$device" HIDSMITH_FIXUPS)" 0010-test__rdesc
done
is 'helpers that bind, unbind and change started' "$(helpers)" "$before"
# what is attached stays as it is when the device is announced again
inputs=$(ls /sys/bus/hid/devices/"$device"/input)
udevadm trigger --settle --action=add "/sys/bus/hid/devices/$device"
is 'property after add' "$(property "$device" HIDSMITH_FIXUPS)" 0010-test__rdesc
is 'input nodes after add' "$(ls /sys/bus/hid/devices/"$device"/input)" "$inputs"
unplug

# --- one that does not, and so causes no bind event
plug id=0003:1234:5679
is 'pins' "$(pins "$device")" 0010-test__event
is 'property' "$(property "$device" HIDSMITH_FIXUPS)" 0010-test__event
unplug

# --- a driver that repairs it, too, comes later, as when its module is loaded
plug id=0003:1234:5680
is 'pins before the driver came' "$(pins "$device")" 0010-test__yields
is 'usage before the driver came' "$(usage "$device")" 38
before=$(helpers)
echo "$device" >/sys/bus/hid/drivers/hid-generic/unbind
echo 0003 1234 5680 >/sys/bus/hid/drivers/hid-multitouch/new_id
settle
is 'driver that came later' "$(property "$device" DRIVER)" hid-multitouch
is 'pins after the driver came' "$(pins "$device")" ""
is 'usage after the driver came' "$(usage "$device")" 30
is 'property after the driver came' "$(property "$device" HIDSMITH_FIXUPS)" ""
is 'helpers that this started' "$(helpers)" $((before + 1))
unplug

# --- two for one device; the second best where the best does not want it
plug id=0003:1234:567c
is 'pins of two' "$(pins "$device")" "0010-test__event 0010-test__rdesc"
is 'property of two' "$(property "$device" HIDSMITH_FIXUPS)" "0010-test__event 0010-test__rdesc"
unplug
plug id=0003:1234:567a
is 'pins of the second best' "$(pins "$device")" 0010-test__choice
unplug

# --- its driver comes after the helper, as when udev loads its module
before=$(helpers)
echo 0 >/sys/bus/hid/drivers_autoprobe
plug id=0003:1234:567f wait=add
is 'driver that has not come' "$(property "$device" DRIVER)" ""
is 'pins before there is a driver' "$(pins "$device")" ""
echo "$device" >/sys/bus/hid/drivers_probe
settle
is 'driver that came' "$(property "$device" DRIVER)" hid-generic
is 'pins when there is a driver' "$(pins "$device")" 0010-test__sized
is 'property when there is a driver' "$(property "$device" HIDSMITH_FIXUPS)" 0010-test__sized
is 'helpers before and after the driver' "$(helpers)" $((before + 2))
echo "$device" >/sys/bus/hid/drivers/hid-generic/unbind
echo "$device" >/sys/bus/hid/drivers_probe
settle
is 'helpers when it is bound again' "$(helpers)" $((before + 2))
unplug
plug id=0003:1234:567f wait=add
is 'pins without a driver' "$(pins "$device")" ""
unplug 'unplug without a driver'
echo 1 >/sys/bus/hid/drivers_autoprobe

# --- a fixup that cannot load leaves the device as it is, and the log says why
plug id=0003:1234:567b
is 'pins of the broken one' "$(pins "$device")" ""
is 'driver of a device with a broken fixup' "$(property "$device" DRIVER)" hid-generic
has 'log' "$(cat /run/udevd.log)" "0010-test__broken: the kernel's verifier refused it"
unplug

# --- a device that is nobody's starts nothing
before=$(helpers)
plug id=0003:1234:9999
is 'helpers for a device without fixup' "$(helpers)" "$before"
is 'pins of a device without fixup' "$(pins "$device")" ""
unplug

# --- attached and detached by hand
plug id=0003:1234:5678
check 'detach' hidsmith detach "$device" >/dev/null
settle
is 'pins after detach' "$(pins "$device")" ""
is 'axes after detach' "$(axes "$device")" 3
is 'property after detach' "$(property "$device" HIDSMITH_FIXUPS)" ""
check 'attach' hidsmith attach "$device" >/dev/null
settle
is 'pins after attach' "$(pins "$device")" 0010-test__rdesc
is 'property after attach' "$(property "$device" HIDSMITH_FIXUPS)" 0010-test__rdesc
unplug

# --- somebody else was first
plug id=0003:1234:9999
check 'attach --force' hidsmith attach --force "$device" test__event >/dev/null
out=$(hidsmith udev add "$device" 2>&1) || fail "add, with pins of others: $out"
is 'pins of others' "$(pins "$device")" 0010-test__event
unplug
plug id=0003:1234:5678
rm -r /run/hidsmith
out=$(hidsmith udev add "$device" 2>&1) || fail "add, with pins of others: $out"
has 'said so' "$out" "left alone: 0010-test__rdesc is attached already, and not by hidsmith's rule"
hidsmith udev detach 2>&1
is 'pins of others after udev detach' "$(pins "$device")" 0010-test__rdesc
plug_cmd unplug "$device"
settle
rm -r /sys/fs/bpf/hid/*

# --- switched off
mkdir -p /run/udev/rules.d
echo 'ACTION=="add", SUBSYSTEM=="hid", ENV{HIDSMITH_IGNORE_DEVICE}="1"' >/run/udev/rules.d/50-test.rules
reload_udevd
before=$(helpers)
plug id=0003:1234:5678
is 'pins of an ignored device' "$(pins "$device")" ""
is 'helpers for an ignored device' "$(helpers)" "$before"
unplug
rm /run/udev/rules.d/50-test.rules
reload_udevd
while IFS='|' read -r what config; do
	printf '%b' "$config" >/etc/hidsmith/hidsmith.conf
	plug id=0003:1234:5678
	is "pins, $what" "$(pins "$device")" ""
	unplug
done <<'END'
all off|[hidsmith]\nenabled = no\n
device off|[device 1234:5678]\nenabled = no\n
fixup off|[fixup test__rdesc]\nenabled = no\n
a mistake|[hidsmith]\nenabled = nope\n
END
has 'log' "$(cat /run/udevd.log)" "/etc/hidsmith/hidsmith.conf:2: neither yes nor no: 'nope'"

# --- switched off while it is attached, and on again
slow_machine
plug id=0003:1234:567c
printf '[fixup test__event]\nenabled = no\n' >/etc/hidsmith/hidsmith.conf
inputs=$(ls /sys/bus/hid/devices/"$device"/input)
check 'refresh' hidsmith udev refresh
is 'pins after one was switched off' "$(pins "$device")" 0010-test__rdesc
is 'input nodes, the other one off' "$(ls /sys/bus/hid/devices/"$device"/input)" "$inputs"
slow_machine
check 'refresh' hidsmith udev refresh
is 'pins after it was switched on' "$(pins "$device")" "0010-test__event 0010-test__rdesc"

# --- told something else: what a refresh sees by the settings alone
link=$(stat -c %i /sys/fs/bpf/hid/*/0010-test__event_bpf)
inputs=$(ls /sys/bus/hid/devices/"$device"/input)
printf '[hidsmith]\ndeadline = 40000\n[fixup test__event]\nset turned = no\n' >/etc/hidsmith/hidsmith.conf
check 'refresh' hidsmith udev refresh
[ "$(stat -c %i /sys/fs/bpf/hid/*/0010-test__event_bpf)" != "$link" ] || fail 'a changed setting was not seen'
has 'setting' "$(hidsmith status "$device" 2>&1)" 'turned = 0'
is 'input nodes after a changed setting' "$(ls /sys/bus/hid/devices/"$device"/input)" "$inputs"
link=$(stat -c %i /sys/fs/bpf/hid/*/0010-test__event_bpf)
check 'refresh' hidsmith udev refresh
is 'link, nothing new' "$(stat -c %i /sys/fs/bpf/hid/*/0010-test__event_bpf)" "$link"
slow_machine
check 'refresh' hidsmith udev refresh

# --- a new version of one of two: that one is attached again, the other not touched
link=$(stat -c %i /sys/fs/bpf/hid/*/0010-test__event_bpf)
cp "$build"/tests/system/udev/fixtures-v2/*.o /usr/local/lib/hidsmith/bpf/
check 'refresh' hidsmith udev refresh
is 'axes with version 2' "$(axes "$device")" 82
is 'the one that has not changed' "$(stat -c %i /sys/fs/bpf/hid/*/0010-test__event_bpf)" "$link"
inputs=$(ls /sys/bus/hid/devices/"$device"/input)
check 'refresh' hidsmith udev refresh
is 'input nodes, nothing new' "$(ls /sys/bus/hid/devices/"$device"/input)" "$inputs"
unplug
cp "$build"/tests/system/udev/fixtures/*.o /usr/local/lib/hidsmith/bpf/

# --- an object of one's own: found before the package's, with and without dry run
plug id=0003:1234:5678
object=$build/tests/system/udev/fixtures-v2/0010-test__rdesc.bpf.o
out=$(hidsmith install --dry-run "$object") || fail 'install --dry-run'
has 'dry run' "$out" "would install $object to /etc/hidsmith/bpf/0010-test__rdesc.bpf.o"
is 'files after a dry run' "$(ls /etc/hidsmith/bpf)" ""
# read once: what is installed is what was checked
strace -f -o /run/trace -e trace=open,openat,openat2 hidsmith install "$object" >/dev/null || fail 'install'
is 'reads of an object that is installed' "$(grep -c "$object" /run/trace)" 1
is 'axes with an own object' "$(axes "$device")" 82
has 'hwdb' "$(cat /etc/udev/hwdb.d/82-hidsmith-local.hwdb)" hidsmith:hid:b0003g0001v00001234p00005678
out=$(hidsmith install "$build/tests/system/udev/fixtures/0010-test__rdesc.bpf.o" 2>&1) &&
	fail 'install replaced an object without --force'
has 'install' "$out" 'is there already, with other content; --force replaces it'
unplug
plug id=0003:1234:5678
is 'axes with an own object' "$(axes "$device")" 82
out=$(hidsmith uninstall --dry-run 0010-test__rdesc) || fail 'uninstall --dry-run'
is 'axes after a dry run' "$(axes "$device")" 82
check 'uninstall' hidsmith uninstall 0010-test__rdesc.bpf.o >/dev/null
is 'axes with the package'"'"'s object again' "$(axes "$device")" 902
is 'hwdb file' "$(ls /etc/udev/hwdb.d)" 82-hidsmith.hwdb
hidsmith uninstall 0010-test__rdesc 2>/run/err && fail 'uninstalled what is not there'
has 'uninstall' "$(cat /run/err)" "/etc/hidsmith/bpf/0010-test__rdesc.bpf.o: No such file"
hidsmith uninstall ../../passwd 2>/run/err && fail 'uninstalled a path'
has 'uninstall' "$(cat /run/err)" 'not the name of an installed object'
unplug

# --- a device that comes before udevd would look for a new database by itself
mv /usr/local/lib/hidsmith/bpf/0010-test__event.bpf.o /run/
renew_hwdb
plug id=0003:1234:5679
is 'pins before its object is there' "$(pins "$device")" ""
plug_cmd unplug "$device"
check 'install' hidsmith install --no-attach /run/0010-test__event.bpf.o >/dev/null
plug id=0003:1234:5679
is 'pins just after install' "$(pins "$device")" 0010-test__event
check 'uninstall' hidsmith uninstall 0010-test__event >/dev/null
unplug
mv /run/0010-test__event.bpf.o /usr/local/lib/hidsmith/bpf/
renew_hwdb

# --- nothing is installed that would not load
echo nothing >/run/0010-bad.bpf.o
cp "$object" '/run/0010-bad name.bpf.o'
cp "$object" /run/0010-bad.o
for file in /run/0010-bad.bpf.o '/run/0010-bad name.bpf.o' /run/0010-bad.o /run/missing.bpf.o; do
	hidsmith install "$object" "$file" 2>/dev/null && fail "installed $file"
	is "files after install of $file" "$(ls /etc/hidsmith/bpf)" ""
done

# --- objects that were installed for udev-hid-bpf: used if the user asks for it
theirs=/usr/local/lib/firmware/hid/bpf
mkdir -p $theirs
mv /usr/local/lib/hidsmith/bpf/0010-test__event.bpf.o $theirs/
renew_hwdb
plug id=0003:1234:5679
is 'pins of the other project, not asked for' "$(pins "$device")" ""
printf 'udev-hid-bpf-objects = yes\n' >>/etc/hidsmith/hidsmith.conf
check 'hwdb --update' hidsmith hwdb --update >/dev/null
is 'pins of the other project, for a device that is there' "$(pins "$device")" 0010-test__event
unplug
plug id=0003:1234:5679
is 'pins of the other project, for one that comes' "$(pins "$device")" 0010-test__event
slow_machine
check 'hwdb --update' hidsmith hwdb --update >/dev/null
is 'pins of the other project, not asked for any more' "$(pins "$device")" ""
is 'hwdb file' "$(ls /etc/udev/hwdb.d)" 82-hidsmith.hwdb
unplug
mv $theirs/*.o /usr/local/lib/hidsmith/bpf/
renew_hwdb

# --- everything goes at once
plug id=0003:1234:567c
check 'udev detach' hidsmith udev detach
is 'pins after udev detach' "$(all_pins | grep 0010)" ""
is 'state after udev detach' "$(ls /run/hidsmith)" ""
is 'driver after udev detach' "$(basename "$(readlink -f /sys/bus/hid/devices/"$device"/driver)")" hid-generic
unplug

finish
