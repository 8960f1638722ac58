#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# storm.sh BUILD [ROUNDS [no-rule]]: devices appear and vanish, most before their helper
# is done. Afterwards all is as it was: pins, state, memory, descriptors; no helper has
# failed, and the kernel has nothing to report. With 'no-rule' the same storm without
# our rule, which tells our part of the numbers from udevd's and the kernel's.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/udev/lib.sh
. "$here/lib.sh"
rounds=${2:-40}
rule=${3:-rule}

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

# What each slab cache takes, in kB; with 'slab_nomerge' it has the name of its own.
# Kernels without SLUB_DEBUG do not say.
slabs()
{
	[ ! -r /proc/slabinfo ] || awk 'NR > 2 { print $1, $15 * $6 * 4 }' /proc/slabinfo | sort
}

# Without what caches keep for later, where the kernel lets them give it back. The
# largest first: where KASAN holds back what was freed, each cache looks for its own
# among all that is left of that.
slab_kb()
{
	local cache
	echo 3 >/proc/sys/vm/drop_caches
	{
		slabs | sort -rnk2 | cut -d' ' -f1
		[ -r /proc/slabinfo ] || ls /sys/kernel/slab
	} | while read -r cache; do
		[ ! -e /sys/kernel/slab/"$cache"/shrink ] || echo 1 >/sys/kernel/slab/"$cache"/shrink
	done
	sed -n 's/^SUnreclaim: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

# udevd's memory, and that which is its own: heap and stack, but not the files it reads.
memory()
{
	sed -n "s/^$1:[[:space:]]*\([0-9]*\) kB/\1/p" /proc/"${fixture_pids[0]}"/status
}

# Most have no input nodes: with them udev and the kernel have twice the work, and none of
# it is ours.
vendor=0600ff0901a1010901150025ff750895028102c0

# round NUMBER [served]
round()
{
	local ids=(5678 5679 567a 567c 9999) id ms
	local -i kind=$(($1 == rounds ? 0 : $1 % 5))
	local wait=none
	# some live to be served, the last in any case
	if [ $# -eq 2 ] || [ $(($1 % 25)) -eq 0 ] || [ "$1" -eq "$rounds" ]; then
		wait=bind
	fi
	id=id=0003:1234:${ids[kind]}
	case $kind in
	0) plug_cmd plug "$id" wait=$wait ;;
	*) plug_cmd plug "$id" rdesc=$vendor wait=$wait ;;
	esac
	if [ $wait = bind ]; then
		settle
		served=$((served + $(all_pins | grep -c _bpf$)))
		[ $# -eq 2 ] || part "$1 rounds, $served served"
		plug_cmd unplug last
		return
	fi
	# from at once to longer than the helper takes; read is a sleep without a process
	ms=$((RANDOM % 900 * (RANDOM % 900) / 900))
	read -r -t "$(printf '0.%03d' $ms)" <>/run/never
	plug_cmd unplug last
}

served_as_meant()
{
	if [ "$rule" = no-rule ]; then
		is 'fixups without our rule' $served 0
	else
		[ $served -gt 0 ] || fail "no device got its fixup"
	fi
}

served=0
mkfifo /run/never
RANDOM=1
install_hidsmith
[ "$rule" != no-rule ] || rm /usr/local/lib/udev/rules.d/82-hidsmith.rules
start_udevd
slow_machine
start_plug
part 'one of each'

# one of each that is served, so that what is allocated once is allocated
for i in 0 1 2 3 4; do
	round "$i" served
done
settle
workers_ended
served_as_meant
served=0
part 'what there is before'
objects=$(bpf_objects)
fds=$(descriptors)
own=$(memory RssAnon)
rss=$(memory VmRSS)
slab=$(slab_kb)
slabs >/run/slabs
part storm

for i in $(seq "$rounds"); do
	round "$i"
	if [ $((i % (rounds < 100 ? 10 : 100))) -eq 0 ]; then
		settle
		workers_ended
		echo "# $i rounds, $SECONDS s: slabs $(slab_kb) kB, udevd $(memory RssAnon) kB"
	fi
done
udevadm settle --timeout=600 || fail 'udev did not settle'
workers_ended
part 'what there is after'

served_as_meant
is 'pins left' "$(all_pins)" ""
is 'state left' "$(ls /run/hidsmith 2>/dev/null)" ""
is 'helpers that failed' "$(grep -E "hidsmith udev.*(failed|killed|terminated)" /run/udevd.log)" ""
is 'helpers that run' "$(pgrep -f 'hidsmith udev')" ""
is 'BPF programs, maps and links' "$(bpf_objects)" "$objects"
is "udevd's descriptors" "$(descriptors)" "$fds"
more=$(($(slab_kb) - slab))
echo "# $rounds rounds in $SECONDS s; $served fixups seen attached; slab memory grew by $more kB"
slabs | join /run/slabs - | awk '$3 - $2 >= 16 { print $3 - $2, $1 }' | sort -rn |
	awk 'NR <= 12 { printf "# %6d kB more in %s\n", $1, $2 }'
[ $more -lt 2048 ] || fail "slab memory grew by $more kB"
now=$(memory RssAnon)
echo "# udevd: $own kB of its own, then $now kB; in all $rss kB, then $(memory VmRSS) kB"
# Its heap grows without our rule, too: by 160 kB in 500 rounds, and by 276 kB with it, for
# its events take longer and more of them wait. After 700 rounds it grows no more.
[ $((now - own)) -lt 512 ] || fail "udevd grew by $((now - own)) kB"
reports=$(dmesg | grep -wE 'BUG|WARNING|KASAN|possible (recursive|circular)|INFO: task|Call Trace|unreferenced object')
is 'kernel reports' "$reports" ""
if [ -e /sys/kernel/debug/kmemleak ]; then
	echo scan >/sys/kernel/debug/kmemleak
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	is 'kmemleak' "$(cat /sys/kernel/debug/kmemleak)" ""
fi
finish
