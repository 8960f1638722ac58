#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# udev.sh BUILD [TREE [RUNS]]: what plugging in costs with our rule and helper. In the
# VM: kernel/vm --timeout 900 -- tests/bench/udev.sh "$PWD/build" ...
#
# TREE is a root with udev-hid-bpf and the libraries it needs (packages unpacked with
# dpkg -x): then the same device and object go through its rule and program, too, by
# turns in the same run.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/udev/lib.sh
. "$here/../system/udev/lib.sh"
tree=${2:-}
runs=${3:-11}
rules=/usr/local/lib/udev/rules.d/82-hidsmith.rules

# The least and the median: other work on the machine only ever adds.
least_and_median()
{
	sort -n | awk '{ v[NR] = $1 } END { print v[1], v[int((NR + 1) / 2)] }'
}

now()
{
	local t=$EPOCHREALTIME
	echo "${t/./}"
}

theirs()
{
	"$tree"/usr/lib64/ld-linux-x86-64.so.2 --library-path "$tree/usr/lib/x86_64-linux-gnu" \
		"$tree/usr/bin/udev-hid-bpf" "$@"
}

# use NAME: have its rule only.
use()
{
	rm -f $rules /etc/udev/rules.d/81-hid-bpf.rules
	case $1 in
	hidsmith) cp /run/82-hidsmith.rules $rules ;;
	udev-hid-bpf) cp /run/81-hid-bpf.rules /etc/udev/rules.d/ ;;
	esac
	reload_udevd
}

# The time from CREATE to the first corrected event.
corrected()
{
	plug_cmd corrected id=0003:1234:5678 000500 8
	case $REPLY in error*)
		# no time to count, and the device is still there
		plug_cmd unplug last
		settle
		return
		;;
	esac
	echo "${REPLY% *}" >>"/run/corrected.$1"
	settle
	plug_cmd unplug "${REPLY#* }"
	settle
	is "pins left by $1" "$(find /sys/fs/bpf/hid -type f 2>/dev/null)" ""
}

# The program's own time for a device that is there, without udev.
own_time()
{
	local start
	plug_cmd plug id=0003:1234:5678
	settle
	start=$(now)
	if [ "$1" = hidsmith ]; then
		hidsmith udev add "$REPLY" >/dev/null || fail 'hidsmith udev add'
	else
		theirs add "/sys/bus/hid/devices/$REPLY" --bpfdir "$objects" \
			0010-test__rdesc.bpf.o >/run/theirs.log 2>&1 || fail "udev-hid-bpf add: $(cat /run/theirs.log)"
	fi
	echo $(($(now) - start)) >>"/run/own.$1"
	[ -n "$(find /sys/fs/bpf/hid -type f)" ] || fail "$1 attached nothing"
	rm -rf /sys/fs/bpf/hid/*/*_bpf /run/hidsmith
	plug_cmd unplug "$REPLY"
	settle
}

# What udev takes for 40 events of a device that nobody has a fixup for.
no_match()
{
	local start
	start=$(now)
	for _ in $(seq 40); do
		echo add >"/sys/bus/hid/devices/$device/uevent"
	done
	settle
	echo $((($(now) - start) / 40)) >>"/run/no-match.$1"
}

install_hidsmith
# what the package has, and not the tests' broken one
cp "$build"/drivers/*.o /usr/local/lib/hidsmith/bpf/
rm /usr/local/lib/hidsmith/bpf/0010-test__broken.bpf.o
cp $rules /run/82-hidsmith.rules
programs=(hidsmith)
if [ -n "$tree" ]; then
	programs+=(udev-hid-bpf)
	objects=/run/objects
	mkdir -p $objects
	cp "$build/tests/system/udev/fixtures/0010-test__rdesc.bpf.o" $objects/
	printf 'hid-bpf:hid:b0003g0001v00001234p00005678\n HID_BPF_S_000=0010-test__rdesc.bpf.o\n .HID_BPF=1\n' \
		>>/etc/udev/hwdb.d/81-hid-bpf.hwdb
	systemd-hwdb update
	program="$tree/usr/lib64/ld-linux-x86-64.so.2 --library-path $tree/usr/lib/x86_64-linux-gnu $tree/usr/bin/udev-hid-bpf"
	sed "s|/usr/bin/udev-hid-bpf|$program|; s|udev-hid-bpf add |&--bpfdir $objects |" \
		"$tree/usr/lib/udev/rules.d/81-hid-bpf.rules" >/run/81-hid-bpf.rules
fi
start_udevd
use none
slow_machine
start_plug

for _ in $(seq "$runs"); do
	for program in "${programs[@]}"; do
		use "$program"
		corrected "$program"
	done
done
use none
for _ in $(seq "$runs"); do
	for program in "${programs[@]}"; do
		own_time "$program"
	done
done
plug_cmd plug id=0003:1234:9999
device=$REPLY
settle
for _ in 1 2 3 4 5; do
	for program in none "${programs[@]}"; do
		use "$program"
		no_match "$program"
	done
done

for what in corrected own no-match; do
	first=''
	for program in hidsmith udev-hid-bpf none; do
		[ -s "/run/$what.$program" ] || continue
		read -r least median < <(least_and_median <"/run/$what.$program")
		first=${first:-$least}
		printf '%-10s %-14s least %8d us, median %8d us; %s times hidsmith\n' \
			$what "$program" "$least" "$median" "$(awk -v a="$least" -v b="$first" 'BEGIN { printf "%.2f", a / b }')"
	done
done
finish
