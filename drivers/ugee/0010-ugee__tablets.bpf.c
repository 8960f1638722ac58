// SPDX-License-Identifier: GPL-2.0-only
/*
 * Graphics tablets made by UGEE: XP-Pen, UGEE, Parblo and Adesso, 68 products
 * listed in models.h.
 *
 * What is wrong
 * -------------
 * After it is plugged in such a tablet plays a mouse (report ID 9 or 1) or a
 * plain stylus with fewer lines per inch and keyboard shortcuts for its buttons.
 * Its third interface stays silent, and its descriptor names no usages:
 *
 *	06 0a ff	Usage Page (Vendor ff0a)
 *	09 01		Usage (01)
 *	a1 01		Collection (Application)
 *	85 02		  Report ID (2)
 *	09 02		  Usage (02)
 *	75 08		  Report Size (8)
 *	95 0b		  Report Count (11)
 *	15 00		  Logical Minimum (0)
 *	26 ff 00	  Logical Maximum (255)
 *	81 02		  Input (Data, Variable)
 *	09 03		  Usage (03)
 *	...		  the same, 11 bytes
 *	91 02		  Output (Data, Variable)
 *	c0		End Collection
 *
 * Once the host has sent the output report `02 b0 04` (older models: 02 b0 02),
 * filled up with zeros, the other interfaces fall silent and this one speaks:
 *
 *	02 a1 e8 03 d0 07 00 10 0a f6 00 00
 *	|  |  |     |     |     |  |  |  `- Y, bits 16-23	12 bytes and more
 *	|  |  |     |     |     |  |  `- X, bits 16-23		12 bytes and more
 *	|  |  |     |     |     |  `- tilt Y, signed degrees	10 bytes and more
 *	|  |  |     |     |     `- tilt X			10 bytes and more
 *	|  |  |     |     `- pressure
 *	|  |  |     `- Y
 *	|  |  `- X, little endian as all of them
 *	|  `- status: c0 out of range; bit 4 pad packet; else pen packet: bit 0 tip,
 *	|     bits 1 and 2 barrel buttons, bit 3 eraser end
 *	`- report ID
 *
 *	02 f0 05 00 00 ...	pad packet: one bit for each button, from byte 2 on
 *
 * OFFSET_PRESSURE models put flags above the 13 pressure bits. GEN2 models: a pen
 * packet is one whose status is ax; pressure has bit 14 unused, its bit 13 is
 * bit 0 of byte 13.
 *
 * What we do
 * ----------
 * Send the wake-up after each probe and resume, give the interface a descriptor
 * with pen and pad, and rearrange the packets into its two reports:
 *
 *	02 SS XX XX XX YY YY YY PP PP TX TY	pen
 *	03 BB BB BB 00 00 00			pad
 *
 * Sources: packets and models as OpenTabletDriver describes them; descriptor as
 * dumped from an XP-Pen Star G960S Plus (digimend-kernel-drivers issue 500); wake-up
 * and interface number also in the kernel's hid-uclogic. Where that driver serves a
 * tablet we leave it alone.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>
#include <hidsmith/rdesc.bpf.h>
#include "models.h"

#define REPORT_PEN 2
#define REPORT_PAD 3
#define PEN_SIZE   12
#define PAD_SIZE   7

enum packets {
	XP_PEN,
	OFFSET_PRESSURE,
	GEN2,
};

struct model {
	__u16 vendor, product, in, out;
	__u16 packets, wake, wake2;
	__u16 width, height;
	__u32 max_x, max_y;
	__u16 max_pressure, buttons;
};

#define AS_MATCH(vendor, product, ...) HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, vendor, product);
#define NO_MATCH(...)
#define AS_ROW(...) { __VA_ARGS__ },

HID_BPF_CONFIG_TABLE(UGEE_MODELS(AS_MATCH, NO_MATCH));

static const struct model models[] = { UGEE_MODELS(AS_ROW, AS_ROW) };

/* Ours, found by the probe. */
static struct model model;
static __u32 output_size;
static __u8 last[PEN_SIZE]; /* pen report */

HS_JOBS(wake);

HS_JOB(wake, .on_attach = true, .retries = 5, .backoff_ms = 100)
{
	int err = hs_output(io, REPORT_PEN, model.wake >> 8, model.wake & 0xff);

	if (!err && model.wake2)
		err = hs_output(io, REPORT_PEN, model.wake2 >> 8, model.wake2 & 0xff);
	return err;
}

/* clang-format off */
static const __u8 pen_until_x[] = {
	UsagePage(Digitizers)
	Usage(Pen)
	CollectionBegin(Application)
		ReportId(REPORT_PEN)
		Usage(Stylus)
		CollectionBegin(Physical)
			Usage(TipSwitch)
			Usage(BarrelSwitch)
			Usage(SecondaryBarrelSwitch)
			Usage(Invert)
			Usage(Eraser)
			Usage(InRange)
			LogicalRange(0, 1)
			ReportSize(1) ReportCount(6) Input(Var)
			ReportCount(2) Input(Const)
			Push
			UsagePage(GenericDesktop)
			UnitExponent(-3) Unit(Centimetre)
			ReportSize(24) ReportCount(1)
			Usage(X)
			/* logical and physical maximum */
};

static const __u8 pen_until_y[] = {
			Input(Var)
			Usage(Y)
};

static const __u8 pen_until_pressure[] = {
			Input(Var)
			Pop
			ReportSize(16) ReportCount(1)
			Usage(TipPressure)
};

static const __u8 pen_until_output[] = {
			Input(Var)
			Push
			UnitExponent(0) Unit(Degree)
			LogicalRange(-60, 60) PhysicalMinimum(-60) PhysicalMaximum(60)
			ReportSize(8) ReportCount(2)
			Usage(XTilt) Usage(YTilt)
			Input(Var)
			Pop
		CollectionEnd
		/* What the wake-up is sent by. */
		UsagePageVendor(0xff0a)
		UsageId(3)
		LogicalRange16(0, 255)
		ReportSize(8)
};

static const __u8 pen_end[] = {
		Output(Var)
	CollectionEnd
};

static const __u8 pad_until_buttons[] = {
	UsagePage(GenericDesktop)
	Usage(Keypad)
	CollectionBegin(Application)
		ReportId(REPORT_PAD)
		UsagePage(Digitizers)
		Usage(TabletFunctionKeys)
		CollectionBegin(Physical)
			UsagePage(Button)
			UsageMinimum(1)
			/* usage maximum, report count: the model's buttons */
};

static const __u8 pad_until_filler[] = {
			LogicalRange(0, 1)
			ReportSize(1) Input(Var)
			/* report count: what is left of three bytes */
};

/*
 * The switch and the axes are always 0; they are how userspace tells the pad of a
 * tablet from a keyboard.
 */
static const __u8 pad_end[] = {
			Input(Const)
			UsagePage(Digitizers)
			Usage(BarrelSwitch)
			ReportCount(1) Input(Var)
			ReportCount(7) Input(Const)
			UsagePage(GenericDesktop)
			Usage(X) Usage(Y)
			ReportSize(8) ReportCount(2) Input(Var)
		CollectionEnd
	CollectionEnd
};
/* clang-format on */

HS_RDESC_FIXUP(tablet_rdesc)
{
	int at = 0;

	if (!model.vendor)
		return 0;

	at = hs_rdesc_add(data, at, pen_until_x);
	at = hs_rdesc_add_item32(data, at, HS_LOGICAL_MAXIMUM, model.max_x);
	at = hs_rdesc_add_item32(data, at, HS_PHYSICAL_MAXIMUM, model.width);
	at = hs_rdesc_add(data, at, pen_until_y);
	at = hs_rdesc_add_item32(data, at, HS_LOGICAL_MAXIMUM, model.max_y);
	at = hs_rdesc_add_item32(data, at, HS_PHYSICAL_MAXIMUM, model.height);
	at = hs_rdesc_add(data, at, pen_until_pressure);
	at = hs_rdesc_add_item32(data, at, HS_LOGICAL_MAXIMUM, model.max_pressure);
	at = hs_rdesc_add(data, at, pen_until_output);
	at = hs_rdesc_add_item8(data, at, HS_REPORT_COUNT, output_size - 1);
	at = hs_rdesc_add(data, at, pen_end);
	if (!model.buttons)
		return at;

	at = hs_rdesc_add(data, at, pad_until_buttons);
	at = hs_rdesc_add_item8(data, at, HS_USAGE_MAXIMUM, model.buttons);
	at = hs_rdesc_add_item8(data, at, HS_REPORT_COUNT, model.buttons);
	at = hs_rdesc_add(data, at, pad_until_filler);
	at = hs_rdesc_add_item8(data, at, HS_REPORT_COUNT, 24 - model.buttons);
	return hs_rdesc_add(data, at, pad_end);
}

static __always_inline bool is_pen(__u8 status)
{
	if (model.packets == GEN2)
		return (status & 0xf0) == 0xa0;
	return !(status & 0x10);
}

static __always_inline __u16 read_pressure(const __u8 *data, int size)
{
	__u16 pressure = get_le16(&data[6]);

	if (model.packets == OFFSET_PRESSURE && size >= 10)
		return pressure & 0x1fff;
	if (model.packets == GEN2)
		return (pressure & 0x9fff) | (data[13] & 1) << 13;
	return pressure;
}

HS_DEVICE_EVENT(tablet_event, 14)
{
	__u8 status = data[1], tilt_x = 0, tilt_y = 0, flags;
	__u32 x = get_le16(&data[2]), y = get_le16(&data[4]);
	__u16 pressure;

	if (!model.vendor || data[0] != REPORT_PEN || source)
		return 0;

	if (status == 0xc0) {
		/* The packet has no position, and the pen did not jump. */
		__builtin_memcpy(data, last, PEN_SIZE);
		data[0] = REPORT_PEN;
		data[1] = 0;
		put_le16(&data[8], 0);
		return PEN_SIZE;
	}
	if (!is_pen(status)) {
		if (!model.buttons || !(status & 0x10))
			return HS_DROP;
		data[0] = REPORT_PAD;
		data[1] = data[2];
		data[2] = data[3];
		data[3] = data[4];
		data[4] = 0;
		data[5] = 0;
		data[6] = 0;
		return PAD_SIZE;
	}

	pressure = read_pressure(data, size);
	if (size >= 10) {
		tilt_x = data[8];
		tilt_y = data[9];
	}
	if (size >= 12) {
		x |= data[10] << 16;
		y |= data[11] << 16;
	}

	/* The status' eraser bit says which end is down here, not that it touches. */
	flags = (status & 0x06) | 1 << 5;
	if (status & 0x08)
		flags |= 1 << 3 | (status & 1) << 4;
	else
		flags |= status & 1;

	data[1] = flags;
	put_le24(&data[2], x);
	put_le24(&data[5], y);
	put_le16(&data[8], pressure);
	data[10] = tilt_x;
	data[11] = tilt_y;
	__builtin_memcpy(last, data, PEN_SIZE);
	return PEN_SIZE;
}

struct search {
	struct hs_rdesc_facts facts;
	__u32 vendor, product;
};

/* A callback of bpf_loop(): the verifier looks at it once, not 76 times. */
static long is_ours(__u32 i, struct search *s)
{
	const struct model *m;

	if (i >= ARRAY_SIZE(models))
		return 1;
	m = &models[i];
	if (m->vendor != s->vendor || m->product != s->product || m->in != s->facts.max_input ||
	    (m->out && m->out != s->facts.max_output))
		return 0;
	model = *m;
	return 1;
}

HS_PROBE(args)
{
	struct search search = {};
	struct hid_bpf_ctx *ctx;
	bool taken;

	if (hs_rdesc_read(args, 0, &search.facts) || !search.facts.max_output ||
	    search.facts.max_output > 255)
		return -ENODEV;

	ctx = hid_bpf_allocate_context(args->hid);
	if (!ctx)
		return -ENODEV;
	search.vendor = ctx->hid->vendor;
	search.product = ctx->hid->product;
	/* A newer kernel's driver may know more products than models.h leaves out. */
	taken = hs_has_driver(ctx, "uclogic");
	hid_bpf_release_context(ctx);
	if (taken)
		return -EBUSY;

	bpf_loop(ARRAY_SIZE(models), is_ours, &search, 0);
	if (!model.vendor)
		return -ENODEV;
	output_size = search.facts.max_output;
	return 0;
}

HID_BPF_OPS(ugee_tablet) = {
	.hid_device_event = (void *)tablet_event,
	.hid_rdesc_fixup = (void *)tablet_rdesc,
};

char LICENSE[] SEC("license") = "GPL";
