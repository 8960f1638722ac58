#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# again.sh BUILD [ROUNDS]: plugged in, corrected, unplugged, each time, while the
# processor has other work, and now and then just after udev was told to read its
# rules again. A round that fails shows what udevd and the helper did.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/udev/lib.sh
. "$here/lib.sh"
rounds=${2:-15}
rules=/usr/local/lib/udev/rules.d/82-hidsmith.rules

# Up to three that want the processor for themselves.
other_work()
{
	local n
	for ((n = RANDOM % 4; n > 0; n--)); do
		timeout 60 sh -c 'while :; do :; done' &
		work+=($!)
	done
}

end_other_work()
{
	[ ${#work[@]} -eq 0 ] || kill "${work[@]}" 2>/dev/null
	work=()
}

# Without our rule, and with it again: udevd has to see both.
reload()
{
	mv $rules /run/
	reload_udevd
	mv /run/82-hidsmith.rules $rules
	reload_udevd
}

evidence()
{
	echo "# pins: $(all_pins | paste -sd' ')"
	echo "# state: $(grep -rs . /run/hidsmith | paste -sd' ')"
	echo "# devices: $(find /sys/bus/hid/devices/*/driver -printf '%p %l\n' | paste -sd' ')"
	dmesg | tail -n 20
	tail -c +"$from" /run/udevd.log | grep -E 'hid/|hidsmith|reload|Invalid sender|[wW]orker|[kK]ill|[tT]imeout' | tail -n 200
}

install_hidsmith
start_udevd --debug
slow_machine
start_plug
RANDOM=${3:-1}
work=()
lost=0
from=0
for i in $(seq "$rounds"); do
	from=$(stat -c %s /run/udevd.log)
	[ $((i % 2)) -eq 0 ] || reload
	other_work
	plug_cmd corrected id=0003:1234:5678 000500 8
	case $REPLY in
	error*)
		lost=$((lost + 1))
		echo "# round $i of $rounds"
		evidence
		;;
	*) echo "${REPLY% *}" >>/run/times ;;
	esac
	plug_cmd unplug last
	end_other_work
	settle
	is "round $i: pins left" "$(all_pins)" ""
	is "round $i: state left" "$(ls /run/hidsmith)" ""
	[ $((i % 20)) -ne 0 ] || part "$i rounds, $lost without a corrected event"
done
sort -n /run/times | awk -v lost=$lost '{ t[NR] = $1 / 1000 } END {
	printf "# %d corrected, %d not; least %.0f ms, median %.0f ms, most %.0f ms\n",
		NR, lost, t[1], t[int((NR + 1) / 2)], t[NR] }'
echo "# $ignored times udevd ignored that it was told to read its rules"
finish
