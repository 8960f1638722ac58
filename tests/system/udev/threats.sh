#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The helper runs as root on what a hostile device says, beside hostile users. One
# part for each threat of udev-rules/SECURITY.md.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/udev/lib.sh
. "$here/lib.sh"

objects=/usr/local/lib/hidsmith/bpf

# add SYSNAME: the helper as udev starts it. Sets out, err and rc.
add()
{
	out=$(timeout 60 hidsmith udev add "$1" 2>/run/err)
	rc=$?
	err=$(cat /run/err)
}

detached()
{
	hidsmith udev detach
	is "$1: pins" "$(pins "$device")" ""
}

install_hidsmith
start_udevd --debug
slow_machine
start_plug

# --- T1 names, serials and paths that a device chooses
part T1
long=$(printf 'A%.0s' {1..127})
while IFS= read -r text; do
	plug id=0003:1234:5679 "name=$text" "phys=$text" "uniq=$text"
	is "T1 '$text': pins" "$(pins "$device")" 0010-test__event
	is "T1 '$text': properties" "$(cat /run/hidsmith/"$device"/properties)" HIDSMITH_FIXUPS=0010-test__event
	add "$device"
	is "T1 '$text': output" "$out" HIDSMITH_FIXUPS=0010-test__event
	is "T1 '$text': exit status" "$rc" 0
	unplug "T1 '$text'"
done <<END
a\x0aHIDSMITH_FIXUPS=evil\x0aEVIL=1
MODALIAS=hid:b0003g0001v00001234p00005678
"quoted"\x20'quoted'\x20\`touch\x20/run/evil\`
\$(touch\x20/run/evil);touch\x20/run/evil|touch\x20/run/evil
\x01\x02\x1b[2J\x7f
\xff\xfe\xc0\x80\xed\xa0\x80
%s%n%k\$kernel\$env{PATH}../../../../etc/passwd
${long:0:63}
$long
END
[ ! -e /run/evil ] || fail 'T1: a command in a name was run'
evil=$(grep -c "Starting '.*evil" /run/udevd.log)
is 'T1: names in command lines' "$evil" 0

# --- T2 object names that would become properties of their own
part T2
cp $objects/0010-test__event.bpf.o "$objects/"$'0030-a\nEVIL=1.bpf.o'
cp $objects/0010-test__event.bpf.o "$objects/0030-a b.bpf.o"
plug id=0003:1234:5679
add "$device"
is 'T2 output' "$out" HIDSMITH_FIXUPS=0010-test__event
has_not 'T2 properties' "$(cat /run/hidsmith/*/properties)" EVIL
out=$(hidsmith hwdb $objects 2>&1) && fail 'T2: hwdb entries for such a name'
has 'T2 hwdb' "$out" "0030-a"
rm "$objects"/0030-a*
unplug T2

# what a fixup tells of the device is a value, and nothing else
while IFS='|' read -r text shown; do
	plug id=0003:1234:567e "name=$text"
	is "T2 '$text': properties" "$(cat /run/hidsmith/"$device"/properties)" \
		"HIDSMITH_FIXUPS=0010-test__tells"$'\n'"TEST_NAME=$shown"
	is "T2 '$text': property" "$(property "$device" TEST_NAME)" "$shown"
	is "T2 '$text': our property" "$(property "$device" HIDSMITH_FIXUPS)" 0010-test__tells
	unplug "T2 '$text'"
done <<'END'
Tablet\x20M-2\x20(12.1")|Tablet M-2 _12.1__
a\x0aEVIL=1\x0d\x0aHIDSMITH_IGNORE_DEVICE=1|a_EVIL=1__HIDSMITH_IGNORE_DEVICE=1
\xc3\xbc\xff'$(reboot);{}\x5c|______reboot_____
END

# --- T3 names that are no device's, and paths
part T3
for name in '' . .. ../../etc/passwd 0003:1234:5678 0003:1234:5678.0001/../x 0003:1234:567g.0001 \
	$'0003:1234:5678.0001\n' "0003:1234:5678.$long" --help=x; do
	hidsmith udev add "$name" >/run/out 2>&1 && fail "T3: took '$name' for a device"
	is "T3 '$name': state" "$(ls /run/hidsmith 2>/dev/null)" ""
done
# a device that has gone is no failure
add 0003:1234:5678.FFFF
is 'T3: exit status for a device that has gone' "$rc" 0
is 'T3: state of a device that has gone' "$(ls /run/hidsmith 2>/dev/null)" ""

# --- T4 what the device is comes from the kernel, not from the environment
part T4
plug id=0003:1234:9999
HID_ID=0003:00001234:00005678 MODALIAS=hid:b0003g0001v00001234p00005678 DEVPATH=/devices/x \
	HIDSMITH_BPF_PATH=/tmp add "$device"
is 'T4: pins' "$(pins "$device")" ""
unplug T4

# --- T5 objects and directories that others can change
part T5
plug id=0003:1234:9999
other=$device
plug id=0003:1234:5679
detached T5
mkdir -m 755 /run/elsewhere
cp $objects/0010-test__event.bpf.o /run/elsewhere/
try()
{
	local what=$1 reason=$2
	add "$device"
	is "T5 $what: pins" "$(pins "$device")" ""
	has "T5 $what: reason" "$err" "$reason"
}
file=$objects/0010-test__event.bpf.o
chown nobody $file
try "an object of nobody's" "$file does not belong to root"
chown root $file
chmod 666 $file
try 'an object that all can write' "$file is writable by everybody"
chmod 644 $file
chown nobody $objects
try "a directory of nobody's" "$objects does not belong to root"
chown root $objects
chmod 777 $objects
try 'a directory that all can write' "$objects is writable by everybody"
chmod 1777 $objects
try 'a directory like /tmp' "$objects is writable by everybody"
chmod 755 $objects
chgrp nogroup $objects && chmod 775 $objects
try 'a directory that a group can write' "$objects is writable by its group"
chgrp root $objects && chmod 755 $objects
chmod 777 /usr/local/lib/hidsmith
try 'a directory above' "/usr/local/lib/hidsmith is writable by everybody"
chmod 755 /usr/local/lib/hidsmith
rm $file && ln -s /run/elsewhere/0010-test__event.bpf.o $file
try 'a symlink to an object' "$file is a symlink"
rm $file && mkfifo $file
try 'a pipe' 'not a regular file'
rm $file
mv $objects $objects.real && ln -s $objects.real $objects
cp /run/elsewhere/0010-test__event.bpf.o $objects.real/
try 'a symlink to a directory' "$objects is a symlink"
rm $objects && mv $objects.real $objects
chown nobody /etc/hidsmith/hidsmith.conf
try 'a configuration of nobody'"'"'s' "/etc/hidsmith/hidsmith.conf does not belong to root"
chown root /etc/hidsmith/hidsmith.conf
# with all as it was, the object is taken
add "$device"
is 'T5: pins with all as it was' "$(pins "$device")" 0010-test__event

# --- T6 the state directory
part T6
detached T6
chmod 777 /run/hidsmith
add "$device"
has 'T6' "$err" 'others may write to it'
is 'T6: pins' "$(pins "$device")" ""
rm -rf /run/hidsmith && ln -s /run/elsewhere /run/hidsmith
add "$device"
is 'T6: exit status with a symlink' "$rc" 1
is 'T6: what the symlink points to' "$(ls /run/elsewhere)" 0010-test__event.bpf.o
rm /run/hidsmith

# --- T7 what the helper can do, what it does, and what it needs
part T7
setpriv --bounding-set=-all,+bpf,+perfmon hidsmith udev add "$device" >/dev/null ||
	fail 'T7: more is needed than CAP_BPF and CAP_PERFMON'
is 'T7: pins' "$(pins "$device")" 0010-test__event
hidsmith udev detach
strace -f -y -o /run/trace -e trace=%file,%network,%process hidsmith udev add "$device" >/dev/null ||
	fail 'T7: below strace'
is 'T7: programs started' "$(grep -c 'execve(' /run/trace)" 1
# everything that makes, changes or removes a file
grep -E 'O_WRONLY|O_RDWR|O_CREAT|(mkdir|mknod|rename|unlink|rmdir|link|chmod|chown|truncate|utime)[a-z0-9]*\(' \
	/run/trace | grep -vE 'readlink' >/run/writes
[ -s /run/writes ] || fail 'T7: strace saw no write at all'
outside=$(grep -vE '/run/hidsmith|/sys/fs/bpf' /run/writes)
is 'T7: writes elsewhere' "$outside" ""
network=$(grep -E ' (socket|connect|bind)\(' /run/trace | grep -v '/dev/log\|AF_UNIX')
is 'T7: sockets' "$network" ""
hidsmith udev detach

# --- T8 capabilities and limits that are missing
part T8
for cap in bpf perfmon; do
	setpriv --bounding-set=-$cap hidsmith udev add "$device" 2>/run/err
	is "T8 without CAP_$cap: exit status" $? 6
	has "T8 without CAP_$cap" "$(cat /run/err)" 'needs CAP_BPF and CAP_PERFMON; run it as root'
	is "T8 without CAP_$cap: pins" "$(pins "$device")" ""
done
(ulimit -l 0 && hidsmith udev add "$device" >/dev/null) || fail 'T8: no locked memory'
is 'T8: pins with no locked memory' "$(pins "$device")" 0010-test__event
hidsmith udev detach
for n in 6 8; do
	err=$( (ulimit -n $n && hidsmith udev add "$device" 2>&1 >/dev/null))
	[ -n "$err" ] || fail "T8 with $n descriptors: no message"
	is "T8 with $n descriptors: pins" "$(pins "$device")" ""
	is "T8 with $n descriptors: state" "$(ls /run/hidsmith)" ""
done

# --- T9 two helpers for one device
part T9
for _ in 1 2 3; do
	pids=()
	for i in 1 2 3 4; do
		hidsmith udev add "$device" >/run/out$i 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "T9: a helper failed: $(cat /run/out?)"
	done
	is 'T9: pins' "$(pins "$device")" 0010-test__event
	is 'T9: properties' "$(cat /run/hidsmith/"$device"/properties)" HIDSMITH_FIXUPS=0010-test__event
	hidsmith udev add "$device" >/dev/null &
	hidsmith udev detach "$device" || fail 'T9: detach beside add'
	wait $! || fail 'T9: add beside detach'
	hidsmith udev detach "$device"
	is 'T9: pins after detach' "$(pins "$device")" ""
done

# --- T10 a helper that was killed leaves what the next one undoes
part T10
hidsmith udev add "$device" >/dev/null
sed -i 's/ [0-9a-f]* / 0000000000000000 /' /run/hidsmith/"$device"/objects
link=$(stat -c %i /sys/fs/bpf/hid/*/0010-test__event_bpf)
add "$device"
is 'T10: exit status' "$rc" 0
[ "$(stat -c %i /sys/fs/bpf/hid/*/0010-test__event_bpf)" != "$link" ] || fail 'T10: half a fixup was kept'
is 'T10: pins' "$(pins "$device")" 0010-test__event
plug_cmd unplug "$other"
unplug T10

# --- T11 a device that vanishes while the helper is at it
part T11
for i in 1 2 4 6 8 12 24 48; do
	plug_cmd plug id=0003:1234:567c wait=add
	device=$REPLY
	hidsmith udev add "$device" >/dev/null 2>/run/err &
	sleep "0.$(printf %02d "$i")"
	plug_cmd unplug "$device"
	wait $! || fail "T11: the helper failed: $(cat /run/err)"
	settle
	hidsmith udev remove "$device" || fail 'T11: remove'
	is "T11: pins left" "$(all_pins)" ""
done
is 'T11: state left' "$(ls /run/hidsmith)" ""

# --- T12 a silent device holds up nobody, and is left as it was
part T12
silent=05010902a1010901a1000509190129031500250175019503810295017505810105010930
silent+=09311581257f750895028106a10205010948150025013501450475029501b10209381581
silent+=257f350045007508950181067506b103c0c0c0
: >/etc/hidsmith/hidsmith.conf
start=$SECONDS
plug_cmd plug id=0003:1234:567d rdesc=$silent silent=1 wait=add
device=$REPLY
for _ in $(seq 50); do
	pid=$(pgrep -o -f "^/usr/local/bin/hidsmith udev add $device") && break
	sleep 0.1
done
status=$(cat "/proc/$pid/status") || fail 'T12: no helper'
has 'T12: seccomp' "$status" $'Seccomp:\t2'
has 'T12: no new privileges' "$status" $'NoNewPrivs:\t1'
has 'T12: capabilities' "$status" $'CapEff:\t000000c000000000'
has 'T12: capabilities' "$status" $'CapPrm:\t000000c000000000'
settle
took=$((SECONDS - start))
[ $took -lt 12 ] || fail "T12: udev waited $took s"
has 'T12: log' "$(cat /run/udevd.log)" 'given up after 4000 ms'
# the kernel's own time-outs, 5 s each, for probe and re-probe
for _ in $(seq 60); do
	[ -e "/sys/bus/hid/devices/$device/driver" ] && [ -z "$(bpftool link 2>/dev/null)" ] && break
	sleep 0.5
done
is 'T12: pins' "$(pins "$device")" ""
is 'T12: driver' "$(basename "$(readlink -f "/sys/bus/hid/devices/$device/driver")")" hid-generic
unplug T12
slow_machine

# --- T13 no BPF file system
part T13
plug id=0003:1234:5679
hidsmith udev detach
umount /sys/fs/bpf
add "$device"
is 'T13: exit status' "$rc" 5
has 'T13' "$err" "/sys/fs/bpf: not on a BPF file system; 'mount -t bpf bpf /sys/fs/bpf' mounts it"
mount -t bpf none /sys/fs/bpf
add "$device"
is 'T13: pins when it is mounted' "$(pins "$device")" 0010-test__event

# --- T14 an ordinary user sees, and is told what needs more
part T14
user()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
user hidsmith list >/run/out 2>&1 || fail "T14: list: $(cat /run/out)"
user hidsmith inspect $objects/0010-test__event.bpf.o >/run/out 2>&1 || fail "T14: inspect: $(cat /run/out)"
recordings=$here/../../hid-replay
for file in "$recordings"/{hp-elite-presenter,xp-pen-ack05}/good.hid; do
	user hidsmith replay --dry-run "$file" >/run/out 2>&1 || fail "T14: replay --dry-run: $(cat /run/out)"
	has "T14: replay --dry-run $file" "$(cat /run/out)" " input "
done
user hidsmith replay --dry-run - <<<'R: 3 05 01' >/run/out 2>&1 && fail 'T14: replay --dry-run of half a descriptor'
has 'T14: replay --dry-run of half a descriptor' "$(cat /run/out)" ':1: '
user hidsmith hwdb >/run/out 2>&1 || fail "T14: hwdb: $(cat /run/out)"
user hidsmith install --dry-run "$build/tests/system/udev/fixtures-v2/0010-test__rdesc.bpf.o" >/run/out 2>&1 ||
	fail "T14: install --dry-run: $(cat /run/out)"
for command in "hwdb --update" "udev add $device" "attach $device" "detach $device" \
	"replay $recordings/hp-elite-presenter/good.hid" \
	"install $build/tests/system/udev/fixtures-v2/0010-test__rdesc.bpf.o"; do
	# shellcheck disable=SC2086 # several words
	user hidsmith $command >/run/out 2>&1
	is "T14 $command: exit status" $? 6
	[ -s /run/out ] || fail "T14 $command: no message"
done

is 'T14: pins' "$(pins "$device")" 0010-test__event
hidsmith udev detach

# --- T15 lockdown; cannot be undone, and so comes last
part T15
for mode in integrity confidentiality; do
	echo $mode >/sys/kernel/security/lockdown
	add "$device"
	is "T15 $mode: exit status" "$rc" 0
	is "T15 $mode: pins" "$(pins "$device")" 0010-test__event
	detached "T15 $mode"
done
unplug T15
# jobs, probes that read the descriptor, drivers' names: what the headers offer
plug id=0003:1234:5681
add "$device"
is 'T15: exit status of one with jobs' "$rc" 0
is 'T15: pins of one with jobs' "$(pins "$device")" 0010-test__job
for _ in $(seq 50); do
	status=$(hidsmith status --json "$device")
	case $status in *'"runs":1'* | *'"runs": 1'*) break ;; esac
	sleep 0.1
done
has 'T15: the job has run' "$(echo "$status" | tr -d ' ')" '"runs":1'
unplug 'T15, one with jobs'
# this one reads the name of the device from the kernel's memory
plug id=0003:1234:567e
add "$device"
is 'T15: exit status of one that reads memory' "$rc" 5
has 'T15' "$err" 'the kernel is locked down (confidentiality)'
is 'T15: pins of one that reads memory' "$(pins "$device")" ""
unplug 'T15, one that reads memory'

finish
