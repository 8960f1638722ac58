#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# packages.sh BUILD PACKAGES: install, upgrade, remove and purge with the real dpkg,
# udevd and systemd-hwdb, while devices are plugged in. To see which version of which
# fixup is attached, the packages get the tests' fixups, too.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/udev/lib.sh
. "$here/lib.sh"
packages=$2
export DEBIAN_FRONTEND=noninteractive

# repack VERSION [FIXTURES]: the package with the tests' fixups in it, and then these.
# Prints its file.
repack()
{
	local tree=/run/tree deb=/run/hidsmith_$1.deb
	rm -rf $tree
	dpkg-deb -R "$packages"/hidsmith_*.deb $tree
	sed -i "s/^Version: .*/Version: $1/" $tree/DEBIAN/control
	cp "$build/tests/system/udev/fixtures/"*.o $tree/usr/lib/hidsmith/bpf/
	[ $# -eq 1 ] || cp "$2"/*.o $tree/usr/lib/hidsmith/bpf/
	$tree/usr/bin/hidsmith hwdb $tree/usr/lib/hidsmith/bpf >/run/hwdb || fail 'hwdb of the package'
	find $tree -name 82-hidsmith.hwdb -exec cp /run/hwdb {} \;
	cp /etc/hidsmith/hidsmith.conf $tree/etc/hidsmith/
	(cd $tree && find . -path ./DEBIAN -prune -o -type f ! -path './etc/*' -printf '%P\n' |
		xargs md5sum >DEBIAN/md5sums)
	dpkg-deb --root-owner-group -Znone -b $tree "$deb" >/dev/null
	echo "$deb"
}

axes()
{
	cat /sys/bus/hid/devices/"$1"/input/input*/capabilities/rel
}

run_dpkg()
{
	dpkg "$@" >/run/dpkg.log 2>&1 || fail "dpkg $*: $(cat /run/dpkg.log)"
	dpkg --triggers-only --pending >>/run/dpkg.log 2>&1
	is "dpkg --audit after $*" "$(dpkg --audit)" ""
}

# Manuals are not what this is about, and take a minute to index.
rm -f /var/lib/man-db/auto-update
# Nor is the distribution's hwdb, which takes 10 s to build, each time.
rm -f /usr/lib/udev/hwdb.d/* /lib/udev/hwdb.d/*
mkdir -p /etc/hidsmith
slow_machine
v1=$(repack 0.1.0+test1)
v2=$(repack 0.1.0+test2 "$build/tests/system/udev/fixtures-v2")
rm -r /etc/hidsmith
start_udevd --debug
start_plug

# --- install: a device that is there, and one that comes
part install
plug_cmd plug id=0003:1234:567c
first=$REPLY
settle
run_dpkg -i "$packages"/libhidsmith0_*.deb "$packages"/libhidsmith-dev_*.deb "$v1" "$packages"/hidsmith-tests_*.deb 2>/dev/null ||
	fail 'install'
settle
is 'pins of a device that was there' "$(pins "$first")" "0010-test__event 0010-test__rdesc"
is 'property of a device that was there' "$(property "$first" HIDSMITH_FIXUPS)" "0010-test__event 0010-test__rdesc"
plug_cmd plug id=0003:1234:5678
second=$REPLY
settle
is 'pins of a device that comes' "$(pins "$second")" 0010-test__rdesc
has 'ldconfig' "$(ldconfig -p)" libhidsmith.so.0
check 'dpkg -V' dpkg -V hidsmith libhidsmith0 libhidsmith-dev
# uhid is for tests only
is 'what loads modules' "$(dpkg -S modules-load.d/\*hidsmith\*)" \
	'hidsmith-tests: /usr/lib/modules-load.d/hidsmith-tests.conf'
part hidsmith-tests
out=$(hidsmith-tests hp-elite-presenter 2>&1) || fail "hidsmith-tests: $out"
has 'hidsmith-tests' "$out" 'ok 2 hp-elite-presenter/good, fixed'

# --- upgrade: what has changed is attached again, by one detach and one attach
part upgrade
event=$(stat -c %i /sys/fs/bpf/hid/"${first//[:.]/_}"/0010-test__event_bpf)
udevadm monitor --kernel --subsystem-match=hid >/run/monitor &
monitor=$!
sleep 1
run_dpkg -i "$v2"
settle
sleep 1
kill $monitor
is 'axes of the first device' "$(axes "$first")" 82
is 'axes of the second device' "$(axes "$second")" 82
is 'a fixup that has not changed' "$(stat -c %i /sys/fs/bpf/hid/"${first//[:.]/_}"/0010-test__event_bpf)" "$event"
is 'pins after the upgrade' "$(pins "$first")" "0010-test__event 0010-test__rdesc"
for device in $first $second; do
	is "re-probes of $device" "$(grep -c "unbind .*$device" /run/monitor)" 2
	is "driver of $device" "$(property "$device" DRIVER)" hid-generic
done
# each unbind is followed by its bind: no device stays without a driver
is 'longest time without a driver, in re-probes' \
	"$(awk '/ unbind /{ if (++open[$4] > 1) bad = 1 } / bind /{ open[$4] = 0 } END { print bad ? 2 : 1 }' /run/monitor)" 1
sed -n 's/^KERNEL\[\([0-9.]*\)\] *\(unbind\|bind\) .*\/\([^ ]*\) .*/\3 \2 \1/p' /run/monitor |
	awk '$2 == "unbind" { t[$1] = $3 } $2 == "bind" { printf "# %s without a driver for %.0f ms\n", $1, ($3 - t[$1]) * 1000 }'

# --- the same version again: nothing happens to the devices
part "same version"
inputs=$(ls /sys/bus/hid/devices/"$second"/input)
run_dpkg -i "$v2"
settle
is 'input nodes' "$(ls /sys/bus/hid/devices/"$second"/input)" "$inputs"

# --- an own object, a changed configuration
part "own object"
check 'hidsmith install' hidsmith install "$build/tests/system/udev/fixtures/0010-test__rdesc.bpf.o" >/dev/null
is 'axes with an own object' "$(axes "$second")" 902
echo '# changed' >>/etc/hidsmith/hidsmith.conf

# --- remove: all is detached, configuration stays
part remove
run_dpkg -r hidsmith-tests hidsmith
settle
is 'pins after remove' "$(find /sys/fs/bpf/hid -type f 2>/dev/null)" ""
is 'axes after remove' "$(axes "$second")" 3
is 'property after remove' "$(property "$second" HIDSMITH_FIXUPS)" ""
is 'driver after remove' "$(basename "$(readlink -f /sys/bus/hid/devices/"$second"/driver)")" hid-generic
[ ! -e /run/hidsmith ] || is 'state after remove' "$(ls /run/hidsmith)" ""
has 'configuration after remove' "$(cat /etc/hidsmith/hidsmith.conf)" '# changed'
is 'own objects after remove' "$(ls /etc/hidsmith/bpf)" 0010-test__rdesc.bpf.o
plug_cmd plug id=0003:1234:5679
settle
is 'pins of a device that comes after remove' "$(pins "$REPLY")" ""

# --- purge
part purge
run_dpkg -P hidsmith hidsmith-tests libhidsmith-dev libhidsmith0
is 'files after purge' "$(find /etc /lib/udev /usr/bin /usr/lib/hidsmith /usr/lib/*/libhidsmith* /usr/include/hidsmith \
	/usr/libexec/hidsmith /usr/share/hidsmith /usr/share/doc/*hidsmith* /usr/share/man /usr/lib/modules-load.d \
	-name '*hidsmith*' 2>/dev/null)" ""
finish
