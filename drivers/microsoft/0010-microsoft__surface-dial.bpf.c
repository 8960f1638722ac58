// SPDX-License-Identifier: GPL-2.0-only
/*
 * Microsoft Surface Dial, Bluetooth 045e:091b: a scroll wheel with a click you feel.
 *
 * What is wrong
 * -------------
 * The dial reports a Dial (REL_DIAL, which nothing uses), an absolute position
 * that is always empty, and 3600 steps a turn without haptics. Its input report:
 *
 *	01 BB DD DD XX XX YY YY 3a
 *	|  |  |     |     |     `- width
 *	|  |  |     `- position on a screen it may lie on
 *	|  |  `- steps, signed, little endian
 *	|  `- bit 0 pressed, bit 1 lies on a screen
 *	`- report ID
 *
 * and the feature report that says how it turns:
 *
 *	01 RR RR NN TT CC PP PP
 *	|  |     |  |  |  `- pause between repeats, ms
 *	|  |     |  |  `- cut-off
 *	|  |     |  `- at each step: 0 or 1 nothing, 3 click, 4 and 5 buzz
 *	|  |     `- repeats
 *	|  `- steps a turn, little endian
 *	`- report ID
 *
 * The output report `01 NN TT PP PP` does the same once. Report 32 announces "wake
 * up" at each press and never takes it back. After a pause the dial goes to sleep;
 * Bluetooth keeps the device, and when it comes back its haptics are off.
 *
 * The kernel asks for the feature report itself while it probes, because it has a
 * resolution multiplier, but drops the answer: input is off until the probe has ended.
 * It sends the report back with the largest number of steps and zeros for the rest. What
 * the dial had there is lost before any program of ours is asked, at the latest when
 * hid-generic took it without us. Steps and haptics we set afterwards; cut-off
 * and pause matter with repeats only, which we do not use.
 *
 * What we do
 * ----------
 * Make it a mouse's wheel in the descriptor, by five edits. Set steps and
 * haptics at attach and with the first report after a long silence. A press of two
 * seconds changes between coarse with clicks and fine without, and the dial buzzes.
 *
 * Source: udev-hid-bpf's fixup for this device, with its descriptor; daniel5151's
 * surface-dial-linux.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>
#include <hidsmith/setting.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_BLUETOOTH, HID_GROUP_GENERIC, 0x045e, 0x091b));

#define RDESC_SIZE    488
#define REPORT_DIAL   0x01
#define REPORT_SYSTEM 0x32
#define DIAL_END      4 /* behind the steps */
#define FEATURE_SIZE  8
#define CLICK         3
#define BUZZ          5
#define FINE_STEPS    2880
/* A wheel's notch is 120 units of REL_WHEEL_HI_RES; a notch is 5 degrees here. */
#define UNITS_OF_A_TURN (72 * 120)
#define ASLEEP_NS       (5 * 60 * 1000000000ULL)

HS_SETTING_INT(steps, 72, 12, 360, "steps of a turn while the dial clicks");
HS_SETTING_INT(long_press_ms, 2000, 300, 10000, "how long a press changes between coarse and fine");
HS_SETTING_BOOL(haptics, true, "click at each step");

bool fine; /* as asked for */
int units = 2; /* of a step, as the dial has it; 3600 steps at first */
bool pressed;
__u64 last_report;

HS_JOBS(configure, change);

HS_JOB(configure, .on_attach = true, .retries = 5, .backoff_ms = 200)
{
	__u16 steps = fine ? FINE_STEPS : hs_setting(steps);
	int ret = hs_get_feature(io, REPORT_DIAL);

	if (ret < 0)
		return ret;
	if (ret < FEATURE_SIZE)
		return -EPROTO;

	put_le16(&io->buf[1], steps);
	io->buf[3] = 0;
	io->buf[4] = !fine && hs_setting(haptics) ? CLICK : 0;
	ret = hs_send(io, HS_SEND_SET_FEATURE, FEATURE_SIZE);
	if (!ret)
		units = UNITS_OF_A_TURN / steps;
	return ret;
}

HS_JOB(change)
{
	fine = !fine;
	hs_job_run(configure);
	return hs_output(io, REPORT_DIAL, 0, BUZZ, 80, 0);
}

HS_RDESC_FIXUP(wheel_rdesc)
{
	data[35] = 0x03; /* Usage (Touch): Constant */
	data[45] = 0x38; /* Usage (Dial): Wheel */
	data[61] = 120; /* Physical Maximum (3600) of the resolution multiplier: 120 */
	data[62] = 0;
	data[88] = 0x06; /* Usage (X), absolute: Relative */
	data[98] = 0x06; /* Usage (Y) */
	return 0;
}

HS_DEVICE_EVENT(wheel_event, 9)
{
	__u64 now = bpf_ktime_get_ns();
	bool press = data[1] & 1;

	if (data[0] == REPORT_SYSTEM) {
		data[1] &= ~0x02;
		return 0;
	}
	if (data[0] != REPORT_DIAL)
		return 0;
	/* Cut short, it would be let go. */
	if (size < DIAL_END)
		return HS_DROP;

	if (last_report && now - last_report > ASLEEP_NS)
		hs_job_run(configure);
	last_report = now;

	if (press && !pressed)
		hs_job_run_after(change, hs_setting(long_press_ms));
	else if (!press && pressed)
		hs_job_cancel(change);
	pressed = press;

	put_le16(&data[2], (__s16)get_le16(&data[2]) * units);
	put_le16(&data[4], 0);
	put_le16(&data[6], 0);
	return 0;
}

HS_PROBE(args)
{
	return args->rdesc_size == RDESC_SIZE ? 0 : -ENODEV;
}

HID_BPF_OPS(surface_dial) = {
	.hid_device_event = (void *)wheel_event,
	.hid_rdesc_fixup = (void *)wheel_rdesc,
};

char LICENSE[] SEC("license") = "GPL";
