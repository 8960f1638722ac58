// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nintendo Switch Pro Controller on a USB cable, 057e:2009.
 *
 * What is wrong
 * -------------
 * The controller is silent until the host has shaken hands with it, and then its
 * reports do not look like its descriptor says. Without a driver for it nothing
 * happens at all.
 *
 * The talk, each line an output report of 64 bytes and the input report that
 * answers it:
 *
 *	80 02			81 02		handshake
 *	80 03			81 03		3 Mbit/s between its two chips
 *	80 02			81 02		handshake at the new speed
 *	80 04			-		USB only, until unplugged
 *	01 CC RR.. 03 30	21 ...		send full reports
 *	01 CC RR.. 30 01	21 ...		first player light
 *
 * The last two are subcommands: CC counts up to 15, RR.. are 8 bytes of rumble
 * (00 01 40 40 twice is silence), then the subcommand and its argument. In the answer
 * byte 13 has bit 7 set if it worked and byte 14 is the subcommand.
 *
 * Full reports, 64 bytes:
 *
 *	30 TT BC B1 B2 B3 LX LY LY RX RY RY ...
 *	|  |  |  |  |  |  |        `- right stick, the same
 *	|  |  |  |  |  |  `- left stick, two values of 12 bits, up is more
 *	|  |  |  |  |  `- down, up, right, left, SR, SL, L, ZL (bit 0 first)
 *	|  |  |  |  `- minus, plus, right stick, left stick, home, capture
 *	|  |  |  `- Y, X, B, A, SR, SL, R, ZR
 *	|  |  `- battery and connection
 *	|  `- counts up
 *	`- report ID
 *
 * What we do
 * ----------
 * Shake hands, give report 0x30 a descriptor that fits, turn the four directions
 * into a hat switch and the sticks' Y round. Sticks are not calibrated: the centre is
 * near 2048 and the range about 500 to 3500, which userspace's deadzones cover.
 *
 * Source: the kernel's hid-nintendo; where it is built, it has the device.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>
#include <hidsmith/rdesc.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x057e, 0x2009));
HS_YIELDS_TO("nintendo");

enum {
	INPUT_FULL = 0x30,
	INPUT_SUBCOMMAND = 0x21,
	INPUT_USB = 0x81,
	OUTPUT_SUBCOMMAND = 0x01,
	OUTPUT_RUMBLE = 0x10,
	OUTPUT_USB = 0x80,
	OUTPUT_USB_82 = 0x82,

	USB_HANDSHAKE = 0x02,
	USB_BAUDRATE = 0x03,
	USB_NO_TIMEOUT = 0x04,

	SET_REPORT_MODE = 0x03,
	SET_PLAYER_LIGHTS = 0x30,
};

#define ANSWER_MS      1000
#define INPUT_FULL_END 12 /* behind the sticks */

__u8 counter; /* of subcommands */

HS_JOBS(start);

static int usb(struct hs_io *io, __u8 command, __u32 next)
{
	hs_expect(io, ANSWER_MS, HS_BYTE(0, INPUT_USB), HS_BYTE(1, command));
	return hs_output(io, OUTPUT_USB, command) ?: hs_wait(io, next);
}

static int subcommand(struct hs_io *io, __u8 command, __u8 argument, __u32 next)
{
	hs_expect(io, ANSWER_MS, HS_BYTE(0, INPUT_SUBCOMMAND), HS_BITS(13, 0x80, 0x80),
		  HS_BYTE(14, command));
	return hs_output(io, OUTPUT_SUBCOMMAND, counter++ & 0xf, 0x00, 0x01, 0x40, 0x40, 0x00, 0x01,
			 0x40, 0x40, command, argument)
		       ?: hs_wait(io, next);
}

HS_JOB(start, .on_attach = true, .retries = 5, .backoff_ms = 200)
{
	switch (io->step) {
	case 0:
		counter = 0;
		return usb(io, USB_HANDSHAKE, 1);
	case 1:
		return usb(io, USB_BAUDRATE, 2);
	case 2:
		return usb(io, USB_HANDSHAKE, 3);
	case 3:
		return hs_output(io, OUTPUT_USB, USB_NO_TIMEOUT)
			       ?: subcommand(io, SET_REPORT_MODE, INPUT_FULL, 4);
	case 4:
		return subcommand(io, SET_PLAYER_LIGHTS, 0x01, 5);
	}
	return 0;
}

#define OTHER_REPORT(id, direction) ReportId(id) UsageId(id) ReportCount(63) direction(Var)

/* clang-format off */
static const __u8 rdesc[] HS_TABLE = {
	UsagePage(GenericDesktop)
	Usage(GamePad)
	Collection(Application,
		ReportId(INPUT_FULL)
		LogicalRange(0, 1)
		ReportSize(8) ReportCount(2) Input(Const)
		UsagePage(Button)
		UsageId(5) UsageId(4) UsageId(1) UsageId(2)		/* Y X B A */
		ReportSize(1) ReportCount(4) Input(Var)
		ReportCount(2) Input(Const)
		UsageId(8) UsageId(10)					/* R ZR */
		UsageId(11) UsageId(12) UsageId(15) UsageId(14)		/* - + sticks */
		UsageId(13) UsageId(6)					/* home capture */
		ReportCount(8) Input(Var)
		ReportCount(2) Input(Const)
		UsagePage(GenericDesktop)
		Usage(HatSwitch)
		LogicalRange(1, 8) PhysicalMinimum(0) PhysicalMaximum16(315) Unit(Degree)
		ReportSize(4) ReportCount(1) Input(NullState)
		Unit(None) PhysicalMaximum(0) LogicalRange(0, 1)
		ReportSize(1) ReportCount(2) Input(Const)
		UsagePage(Button)
		UsageId(7) UsageId(9)					/* L ZL */
		Input(Var)
		UsagePage(GenericDesktop)
		Usage(X) Usage(Y) Usage(Rx) Usage(Ry)
		LogicalRange16(0, 4095)
		ReportSize(12) ReportCount(4) Input(Var)
		ReportSize(8) ReportCount(52) Input(Const)

		UsagePageVendor(0xff00)
		LogicalRange16(0, 255)
		OTHER_REPORT(INPUT_SUBCOMMAND, Input)
		OTHER_REPORT(INPUT_USB, Input)
		OTHER_REPORT(OUTPUT_SUBCOMMAND, Output)
		OTHER_REPORT(OUTPUT_RUMBLE, Output)
		OTHER_REPORT(OUTPUT_USB, Output)
		OTHER_REPORT(OUTPUT_USB_82, Output)
	)
};
/* clang-format on */

HS_RDESC_FIXUP(controller_rdesc)
{
	return hs_rdesc_replace(data, rdesc);
}

/* By the bits down, up, right, left; 0 and what a cross cannot do: centre. */
static const __u8 hat[16] HS_TABLE = {
	[1] = 5, [2] = 1, [4] = 3, [8] = 7, [5] = 4, [6] = 2, [9] = 6, [10] = 8,
};

/* The second value of a stick, 12 bits from the middle of its second byte on. */
static void turn_y(__u8 *stick)
{
	__u16 y = 4095 - (stick[1] >> 4 | stick[2] << 4);

	stick[1] = (stick[1] & 0x0f) | (y & 0x0f) << 4;
	stick[2] = y >> 4;
}

HS_DEVICE_EVENT(controller_event, 64)
{
	if (hs_answer(data, size))
		return HS_DROP;
	/* Cut short, it would be sticks in the corner. */
	if (data[0] != INPUT_FULL || size < INPUT_FULL_END)
		return HS_DROP;

	data[5] = (data[5] & 0xf0) | hat[data[5] & 0x0f];
	turn_y(&data[6]);
	turn_y(&data[9]);
	return 0;
}

HID_BPF_OPS(switch_pro) = {
	.hid_device_event = (void *)controller_event,
	.hid_rdesc_fixup = (void *)controller_rdesc,
};

char LICENSE[] SEC("license") = "GPL";
