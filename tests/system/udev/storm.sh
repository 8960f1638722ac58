#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# storm.sh BUILD [ROUNDS]: devices appear and vanish, most before their helper is
# done. Afterwards all is as it was: pins, state, memory, descriptors; no helper has
# failed, and the kernel has nothing to report.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/udev/lib.sh
. "$here/lib.sh"
rounds=${2:-40}

# What the kernel has of BPF, udevd of descriptors, and slabs of memory.
bpf_objects()
{
	bpftool -j prog show 2>/dev/null | grep -o '"id"' | wc -l
	bpftool -j map show 2>/dev/null | grep -o '"id"' | wc -l
	bpftool -j link show 2>/dev/null | grep -o '"id"' | wc -l
}

descriptors()
{
	find /proc/"${fixture_pids[0]}"/fd -mindepth 1 | wc -l
}

slab_kb()
{
	echo 3 >/proc/sys/vm/drop_caches
	sed -n 's/^SUnreclaim: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

# One without input nodes gives udev half the work.
vendor=0600ff0901a1010901150025ff750895028102c0

round()
{
	local ids=(5678 5679 567a 567c 9999) id ms
	id=id=0003:1234:${ids[$(($1 % 5))]}
	case $(($1 % 5)) in
	1 | 4) plug_cmd plug "$id" rdesc=$vendor wait=none ;;
	*) plug_cmd plug "$id" wait=none ;;
	esac
	# some live to be served
	if [ $(($1 % 25)) -eq 0 ]; then
		settle
		served=$((served + $(all_pins | grep -c _bpf$)))
		plug_cmd unplug last
		return
	fi
	# from at once to longer than the helper takes; read is a sleep without a process
	ms=$((RANDOM % 900 * (RANDOM % 900) / 900))
	read -r -t "$(printf '0.%03d' $ms)" <>/run/never
	plug_cmd unplug last
}

served=0
mkfifo /run/never
RANDOM=1
install_hidsmith
start_udevd
slow_machine
start_plug

# one of each, so that what is allocated once is allocated
for i in 1 2 3 4 5; do
	round "$i"
done
settle
workers_ended
objects=$(bpf_objects)
fds=$(descriptors)
slab=$(slab_kb)

for i in $(seq "$rounds"); do
	round "$i"
	[ $((i % 100)) -ne 0 ] || echo "# $i rounds, $SECONDS s"
done
udevadm settle --timeout=600 || fail 'udev did not settle'
workers_ended

[ $served -gt 0 ] || fail "no device got its fixup"
is 'pins left' "$(all_pins)" ""
is 'state left' "$(ls /run/hidsmith)" ""
is 'helpers that failed' "$(grep -E "hidsmith udev.*(failed|killed|terminated)" /run/udevd.log)" ""
is 'helpers that run' "$(pgrep -f 'hidsmith udev')" ""
is 'BPF programs, maps and links' "$(bpf_objects)" "$objects"
is "udevd's descriptors" "$(descriptors)" "$fds"
more=$(($(slab_kb) - slab))
echo "# $rounds rounds in $SECONDS s; $served fixups seen attached; slab memory grew by $more kB"
[ $more -lt 2048 ] || fail "slab memory grew by $more kB"
reports=$(dmesg | grep -E 'BUG|WARNING|KASAN|possible (recursive|circular)|INFO: task|Call Trace|unreferenced object')
is 'kernel reports' "$reports" ""
if [ -e /sys/kernel/debug/kmemleak ]; then
	echo scan >/sys/kernel/debug/kmemleak
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	is 'kmemleak' "$(cat /sys/kernel/debug/kmemleak)" ""
fi
finish
