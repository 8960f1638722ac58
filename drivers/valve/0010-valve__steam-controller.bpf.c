// SPDX-License-Identifier: GPL-2.0-only
/*
 * Valve Steam Controller on a USB cable, 28de:1102.
 *
 * What is wrong
 * -------------
 * Without Steam the controller plays mouse and keyboard ("lizard mode"): the right
 * pad moves the pointer, buttons type Enter and Escape. Its third interface sends
 * what is really pressed, in a vendor collection that nobody maps:
 *
 *	bytes	00 01	always `01 00`
 *		02	1: this packet	(3: wireless state, 4: battery)
 *		03	3c, length of the rest
 *		04-07	counts up
 *		08	R2 L2 R1 L1 Y B X A (bit 0 first)
 *		09	pad up, right, left, down; select, steam, start, left grip
 *		0a	right grip; left pad clicked, right pad clicked, left pad
 *			touched, right pad touched; -, stick clicked, pad and stick
 *		0b 0c	left and right trigger, 0 to 255
 *		10-13	X, Y of stick, or of the left pad while it is touched; while
 *			both are used they take turns, and "pad and stick" is set
 *		14-17	X, Y of the right pad; all signed, little endian, up is more
 *		18-3f	not used here
 *
 * Two feature reports (no report ID, 64 bytes) end lizard mode:
 *
 *	81 00			buttons type nothing
 *	87 06 07 07 00 08 07 00	set two settings: left and right pad mode (7, 8)
 *				to none (7)
 *
 * The controller falls back after it was switched off, or when its firmware's
 * watchdog has not heard of these for some seconds.
 *
 * What we do
 * ----------
 * Send both at attach and every 3 s, a period the user may set, and give the
 * interface the descriptor of a gamepad. The left pad is left out.
 *
 * Source: the kernel's hid-steam; where it is built, it has the device.
 */
#define HS_BUF_SIZE 72 /* 64 bytes behind a report ID of 0 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>
#include <hidsmith/rdesc.bpf.h>
#include <hidsmith/setting.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_ANY, 0x28de, 0x1102));
HS_YIELDS_TO("hid-steam");

enum {
	CLEAR_MAPPINGS = 0x81,
	SET_SETTINGS = 0x87,
	LEFT_PAD_MODE = 7,
	RIGHT_PAD_MODE = 8,
	PAD_MODE_NONE = 7,
	PACKET_INPUT = 1,
	PACKET_INPUT_END = 24, /* behind the right pad */
	LEFT_PAD_TOUCHED = 0x08, /* in byte 0a */
	PAD_AND_STICK = 0x80,
};

HS_SETTING_INT(keep_alive_ms, 3000, 100, 60000, "time between two requests to leave lizard mode");

HS_JOBS(keep_alive);

HS_JOB(keep_alive, .on_attach = true, .retries = 3, .backoff_ms = 100)
{
	hs_job_every(keep_alive, hs_setting(keep_alive_ms));
	return hs_set_feature(io, 0, CLEAR_MAPPINGS, 0)
		       ?: hs_set_feature(io, 0, SET_SETTINGS, 6, LEFT_PAD_MODE, PAD_MODE_NONE, 0,
					 RIGHT_PAD_MODE, PAD_MODE_NONE, 0);
}

/* clang-format off */
static const __u8 rdesc[] HS_TABLE = {
	UsagePage(GenericDesktop)
	Usage(GamePad)
	Collection(Application,
		ReportSize(8) ReportCount(8) Input(Const)
		UsagePage(Button)
		LogicalRange(0, 1)
		UsageId(10) UsageId(9) UsageId(8) UsageId(7)	/* TR2 TL2 TR TL */
		UsageId(5) UsageId(2) UsageId(4) UsageId(1)	/* Y B X A */
		ReportSize(1) ReportCount(8) Input(Var)
		UsagePage(GenericDesktop)
		Usage(HatSwitch)
		LogicalRange(1, 8) PhysicalMinimum(0) PhysicalMaximum16(315) Unit(Degree)
		ReportSize(4) ReportCount(1) Input(NullState)
		Unit(None) PhysicalMaximum(0) LogicalRange(0, 1)
		UsagePage(Button)
		UsageId(11) UsageId(13) UsageId(12) UsageId(3)	/* select mode start C */
		UsageId(6)					/* Z: right grip */
		ReportSize(1) ReportCount(5) Input(Var)
		ReportCount(1) Input(Const)
		UsageId(15)					/* THUMBR: right pad */
		Input(Var)
		ReportCount(3) Input(Const)
		UsageId(14)					/* THUMBL: stick */
		ReportCount(1) Input(Var)
		Input(Const)
		UsagePage(GenericDesktop)
		Usage(Z) Usage(Rz)
		LogicalRange16(0, 255)
		ReportSize(8) ReportCount(2) Input(Var)
		ReportCount(3) Input(Const)
		Usage(X) Usage(Y) Usage(Rx) Usage(Ry)
		LogicalRange16(-32767, 32767)
		ReportSize(16) ReportCount(4) Input(Var)
		ReportSize(8) ReportCount(40) Input(Const)
		UsagePageVendor(0xff00)
		UsageId(1)
		LogicalRange16(0, 255)
		ReportCount(64) Feature(Var)
	)
};
/* clang-format on */

HS_RDESC_FIXUP(controller_rdesc)
{
	return hs_rdesc_replace(data, rdesc);
}

/* By the bits up, right, left, down; 0 and what a cross cannot do: centre. */
static const __u8 hat[16] HS_TABLE = {
	[1] = 1, [2] = 3, [4] = 7, [8] = 5, [3] = 2, [5] = 8, [10] = 4, [12] = 6,
};

static void turn(__u8 *axis)
{
	__s16 value = get_le16(axis);

	put_le16(axis, value == -32768 ? 32767 : -value);
}

/* X and Y in the last report that had them. */
__u8 stick[4];

static void take_stick(__u8 *xy, __u8 bits)
{
	bool is_stick = !(bits & LEFT_PAD_TOUCHED), held = bits & PAD_AND_STICK;

	for (int i = 0; i < 4; i++) {
		stick[i] = is_stick ? xy[i] : held ? stick[i] : 0;
		xy[i] = stick[i];
	}
}

HS_DEVICE_EVENT(controller_event, 64)
{
	if (data[2] != PACKET_INPUT || size < PACKET_INPUT_END)
		return HS_DROP;

	data[9] = (data[9] & 0xf0) | hat[data[9] & 0x0f];
	take_stick(&data[16], data[10]);
	turn(&data[18]);
	turn(&data[22]);
	return 0;
}

/* Mouse and keyboard are other interfaces; ours has a feature report of 64 bytes. */
HS_PROBE(args)
{
	struct hs_rdesc_facts facts;

	return hs_rdesc_read(args, 0, &facts) || facts.max_feature != 64 ? -ENODEV : 0;
}

HID_BPF_OPS(steam_controller) = {
	.hid_device_event = (void *)controller_event,
	.hid_rdesc_fixup = (void *)controller_rdesc,
};

char LICENSE[] SEC("license") = "GPL";
