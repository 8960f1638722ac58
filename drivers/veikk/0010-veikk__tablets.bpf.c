// SPDX-License-Identifier: GPL-2.0-only
/*
 * Graphics tablets made by VEIKK, ten products listed in models.h.
 *
 * What is wrong
 * -------------
 * After it is plugged in such a tablet plays a mouse and a keyboard. Its vendor
 * interface is silent until the host has sent one to three output reports, filled up
 * with zeros:
 *
 *	09 01 04	pen
 *	09 02 02	pad
 *	09 03 02	wheel or touch strip
 *
 * and then sends input reports with the same ID 9:
 *
 *	09 41 SS XX XX XX YY YY YY PP PP TX TY
 *	|  |  |  |        |        |     `- tilt, signed degrees		TILT
 *	|  |  |  |        |        `- pressure, little endian as all
 *	|  |  |  |        `- Y
 *	|  |  |  `- X
 *	|  |  `- bit 5 pen is there, bits 1 and 2 barrel buttons; 01 pad packet,
 *	|  |     03 wheel packet, c0 out of range
 *	|  `- 41; 43 is a touch strip, which is left out
 *	`- report ID
 *
 *	09 41 SS XX XX YY YY PP PP		A15
 *	09 41 01 DD BB BB			pad: DD bit 0 pressed, BB BB which
 *	09 41 03 .. WW				wheel: WW bit 0 one way, bit 1 the other
 *
 * What we do
 * ----------
 * The same as for UGEE's: wake it up after each probe and resume, and give it the
 * descriptor and the reports of hidsmith/tablet.bpf.h. There is no bit for the tip:
 * pressure says it.
 *
 * Source: packets, wake-ups and models as OpenTabletDriver describes them.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>
#include <hidsmith/rdesc.bpf.h>
#include <hidsmith/tablet.bpf.h>
#include "models.h"

#define REPORT_ID 9

enum packets {
	PLAIN,
	TILT,
	A15,
};

enum family {
	FAMILY_PEN = 0x41,
};

enum status {
	STATUS_PAD = 0x01,
	STATUS_WHEEL = 0x03,
	STATUS_PEN = 0x20, /* a bit */
};

struct model {
	__u16 vendor, product, in;
	__u16 packets, wakes;
	__u16 width, height;
	__u32 max_x, max_y;
	__u16 max_pressure, buttons;
};

#define AS_MATCH(vendor, product, ...) HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, vendor, product);
#define NO_MATCH(...)
#define AS_ROW(...) { __VA_ARGS__ },

HID_BPF_CONFIG_TABLE(VEIKK_MODELS(AS_MATCH, NO_MATCH));

static const struct model models[] = { VEIKK_MODELS(AS_ROW, AS_ROW) };

/* Ours, found by the probe. */
struct model model;
struct hs_tablet tablet;

HS_JOBS(wake);

HS_JOB(wake, .on_attach = true, .retries = 5, .backoff_ms = 100)
{
	int err = hs_output(io, REPORT_ID, 0x01, 0x04);

	if (!err && model.wakes >= 2)
		err = hs_output(io, REPORT_ID, 0x02, 0x02);
	if (!err && model.wakes >= 3)
		err = hs_output(io, REPORT_ID, 0x03, 0x02);
	return err;
}

HS_RDESC_FIXUP(tablet_rdesc)
{
	return model.vendor ? hs_tablet_rdesc(data, &tablet) : 0;
}

static __always_inline int pen_event(__u8 *data, __u8 status)
{
	struct hs_pen pen = {};

	if (model.packets == A15) {
		pen.x = get_le16(&data[3]);
		pen.y = get_le16(&data[5]);
		pen.pressure = get_le16(&data[7]);
	} else {
		pen.x = get_le24(&data[3]);
		pen.y = get_le24(&data[6]);
		pen.pressure = get_le16(&data[9]);
	}
	if (model.packets == TILT) {
		pen.tilt_x = data[11];
		pen.tilt_y = data[12];
	}
	pen.tip = pen.pressure;
	pen.barrel = status & 0x02;
	pen.barrel2 = status & 0x04;
	return hs_tablet_pen(data, &pen);
}

HS_DEVICE_EVENT(tablet_event, 13)
{
	__u8 status = data[2];

	if (!model.vendor || data[0] != REPORT_ID || source)
		return 0;
	/* Cut short, it would be a pen in the corner. */
	if (size < model.in || data[1] != FAMILY_PEN)
		return HS_DROP;

	if (status == STATUS_PAD && model.buttons)
		return hs_tablet_pad(data, data[3] & 1 ? get_le16(&data[4]) : 0, 0);
	if (status == STATUS_WHEEL && model.buttons)
		return hs_tablet_pad(data, 0, (data[4] & 1) - (data[4] >> 1 & 1));
	if (status == STATUS_PAD || status == STATUS_WHEEL)
		return HS_DROP;
	if (status & STATUS_PEN)
		return pen_event(data, status);
	return hs_tablet_leave(data);
}

struct search {
	struct hs_rdesc_facts facts;
	__u32 vendor, product;
};

static long is_ours(__u32 i, struct search *s)
{
	const struct model *m;

	if (i >= ARRAY_SIZE(models))
		return 1;
	m = &models[i];
	if (m->vendor != s->vendor || m->product != s->product || m->in != s->facts.max_input)
		return 0;
	model = *m;
	return 1;
}

HS_PROBE(args)
{
	struct search search = {};
	struct hid_bpf_ctx *ctx;

	/* Mouse and keyboard are other interfaces, without the output report. */
	if (hs_rdesc_read(args, REPORT_ID, &search.facts) || !search.facts.has_report ||
	    !search.facts.max_output || search.facts.max_output > 255)
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
	tablet.wheel = model.wakes == 3 && model.buttons;
	tablet.output_id = REPORT_ID;
	tablet.output_size = search.facts.max_output;
	return 0;
}

HID_BPF_OPS(veikk_tablet) = {
	.hid_device_event = (void *)tablet_event,
	.hid_rdesc_fixup = (void *)tablet_rdesc,
};

char LICENSE[] SEC("license") = "GPL";
