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
 * with pen and pad, and turn the packets into their reports (hidsmith/tablet.bpf.h).
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
#include <hidsmith/tablet.bpf.h>
#include "models.h"

#define REPORT_ID 2

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
/* A newer kernel's may know more products than models.h leaves out. */
HS_YIELDS_TO("uclogic");

static const struct model models[] = { UGEE_MODELS(AS_ROW, AS_ROW) };

/* Ours, found by the probe. */
struct model model;
struct hs_tablet tablet;

HS_JOBS(wake);

HS_JOB(wake, .on_attach = true, .retries = 5, .backoff_ms = 100)
{
	int err = hs_output(io, REPORT_ID, model.wake >> 8, model.wake & 0xff);

	if (!err && model.wake2)
		err = hs_output(io, REPORT_ID, model.wake2 >> 8, model.wake2 & 0xff);
	return err;
}

HS_RDESC_FIXUP(tablet_rdesc)
{
	return model.vendor ? hs_tablet_rdesc(data, &tablet) : 0;
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
	__u8 status = data[1];
	struct hs_pen pen = {};

	if (!model.vendor || data[0] != REPORT_ID || source)
		return 0;
	/* Cut short, it would be a pen in the corner. */
	if (size < model.in)
		return HS_DROP;

	if (status == 0xc0)
		return hs_tablet_leave(data);
	if (!is_pen(status)) {
		if (!model.buttons || !(status & 0x10))
			return HS_DROP;
		return hs_tablet_pad(data, get_le24(&data[2]), 0);
	}

	pen.x = get_le16(&data[2]);
	pen.y = get_le16(&data[4]);
	pen.pressure = read_pressure(data, size);
	if (size >= 10) {
		pen.tilt_x = data[8];
		pen.tilt_y = data[9];
	}
	if (size >= 12) {
		pen.x |= data[10] << 16;
		pen.y |= data[11] << 16;
	}
	pen.tip = status & 0x01;
	pen.barrel = status & 0x02;
	pen.barrel2 = status & 0x04;
	pen.eraser = status & 0x08;
	return hs_tablet_pen(data, &pen);
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

	if (hs_rdesc_read(args, 0, &search.facts) || !search.facts.max_output ||
	    search.facts.max_output > 255)
		return -ENODEV;

	ctx = hid_bpf_allocate_context(args->hid);
	if (!ctx)
		return -ENODEV;
	search.vendor = ctx->hid->vendor;
	search.product = ctx->hid->product;
	hid_bpf_release_context(ctx);

	bpf_loop(ARRAY_SIZE(models), is_ours, &search, 0);
	if (!model.vendor)
		return -ENODEV;
	tablet.max_x = model.max_x;
	tablet.max_y = model.max_y;
	tablet.width = model.width;
	tablet.height = model.height;
	tablet.max_pressure = model.max_pressure;
	tablet.buttons = model.buttons;
	tablet.output_id = REPORT_ID;
	tablet.output_size = search.facts.max_output;
	return 0;
}

HID_BPF_OPS(ugee_tablet) = {
	.hid_device_event = (void *)tablet_event,
	.hid_rdesc_fixup = (void *)tablet_rdesc,
};

char LICENSE[] SEC("license") = "GPL";
