/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Graphics tablets: one pen, one pad, the same reports for every model.
 *
 * Tablets differ in how they must be woken up and where the bits are, not in what
 * they say. A fixup fills in `struct hs_tablet`, gives the interface the descriptor
 * made of it, and turns the model's packets into these reports:
 *
 *	02 FF XX XX XX YY YY YY PP PP TX TY	pen: FF tip, barrel, second barrel,
 *						invert, eraser, in range (bit 0 first)
 *	03 BB BB BB WW 00 00 00			pad: BB buttons, WW wheel
 *
 *	struct hs_tablet tablet;		// filled in by the probe
 *
 *	HS_RDESC_FIXUP(rdesc)
 *	{
 *		return hs_tablet_rdesc(data, &tablet);
 *	}
 *
 *	HS_DEVICE_EVENT(event, 16)
 *	{
 *		if (...)
 *			return hs_tablet_leave(data);
 *		pen.x = get_le16(&data[2]);
 *		...
 *		return hs_tablet_pen(data, &pen);
 *	}
 */
#ifndef HIDSMITH_TABLET_BPF_H
#define HIDSMITH_TABLET_BPF_H

#include "hid.bpf.h"
#include "rdesc.bpf.h"

#define HS_TABLET_REPORT_PEN 2
#define HS_TABLET_REPORT_PAD 3
#define HS_TABLET_PEN_SIZE   12
#define HS_TABLET_PAD_SIZE   8

struct hs_tablet {
	__u32 max_x, max_y;
	__u16 width, height; /* of the active area, 1/100 mm */
	__u16 max_pressure;
	__u8 buttons; /* of the pad, up to 24; 0: no pad */
	bool wheel;
	/* The output report by which the host speaks to it, report ID included in the size. */
	__u8 output_id, output_size;
};

struct hs_pen {
	__u32 x, y;
	__u16 pressure;
	__s8 tilt_x, tilt_y; /* degrees */
	bool tip, barrel, barrel2;
	bool eraser; /* the other end is down; with tip: it touches */
};

/* clang-format off */
static const __u8 hs_tablet_until_x[] HS_TABLE = {
	UsagePage(Digitizers)
	Usage(Pen)
	CollectionBegin(Application)
		ReportId(HS_TABLET_REPORT_PEN)
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

static const __u8 hs_tablet_until_y[] HS_TABLE = {
			Input(Var)
			Usage(Y)
};

static const __u8 hs_tablet_until_pressure[] HS_TABLE = {
			Input(Var)
			Pop
			ReportSize(16) ReportCount(1)
			Usage(TipPressure)
};

static const __u8 hs_tablet_until_output[] HS_TABLE = {
			Input(Var)
			Push
			UnitExponent(0) Unit(Degree)
			LogicalRange(-60, 60) PhysicalMinimum(-60) PhysicalMaximum(60)
			ReportSize(8) ReportCount(2)
			Usage(XTilt) Usage(YTilt)
			Input(Var)
			Pop
		CollectionEnd
		UsagePageVendor(0xff0a)
		UsageId(3)
		LogicalRange16(0, 255)
		ReportSize(8)
		/* report ID and count */
};

static const __u8 hs_tablet_pen_end[] HS_TABLE = {
		Output(Var)
	CollectionEnd
};

static const __u8 hs_tablet_until_buttons[] HS_TABLE = {
	UsagePage(GenericDesktop)
	Usage(Keypad)
	CollectionBegin(Application)
		ReportId(HS_TABLET_REPORT_PAD)
		UsagePage(Digitizers)
		Usage(TabletFunctionKeys)
		CollectionBegin(Physical)
			UsagePage(Button)
			UsageMinimum(1)
			/* usage maximum and report count */
};

static const __u8 hs_tablet_until_filler[] HS_TABLE = {
			LogicalRange(0, 1)
			ReportSize(1) Input(Var)
			/* report count: what is left of three bytes */
};

static const __u8 hs_tablet_wheel[] HS_TABLE = {
			Input(Const)
			UsagePage(GenericDesktop)
			Usage(Wheel)
			LogicalRange(-1, 1)
			ReportSize(8) ReportCount(1) Input(Relative)
};

/* As long as the one above, so that what follows lies at the same place. */
static const __u8 hs_tablet_no_wheel[] HS_TABLE = {
			Input(Const)
			UsagePage(GenericDesktop)
			Usage(Wheel)
			LogicalRange(-1, 1)
			ReportSize(8) ReportCount(1) Input(Const)
};

/*
 * The switch and the axes are always 0; they are how userspace tells the pad of a
 * tablet from a keyboard.
 */
static const __u8 hs_tablet_pad_end[] HS_TABLE = {
			LogicalRange(0, 1)
			UsagePage(Digitizers)
			Usage(BarrelSwitch)
			ReportSize(1) ReportCount(1) Input(Var)
			ReportCount(7) Input(Const)
			UsagePage(GenericDesktop)
			Usage(X) Usage(Y)
			ReportSize(8) ReportCount(2) Input(Var)
		CollectionEnd
	CollectionEnd
};
/* clang-format on */

/* Put the descriptor in place of the device's; the new size. */
static __always_inline int hs_tablet_rdesc(__u8 *data, const struct hs_tablet *t)
{
	int at = 0;

	at = hs_rdesc_add(data, at, hs_tablet_until_x);
	at = hs_rdesc_add_item32(data, at, HS_LOGICAL_MAXIMUM, t->max_x);
	at = hs_rdesc_add_item32(data, at, HS_PHYSICAL_MAXIMUM, t->width);
	at = hs_rdesc_add(data, at, hs_tablet_until_y);
	at = hs_rdesc_add_item32(data, at, HS_LOGICAL_MAXIMUM, t->max_y);
	at = hs_rdesc_add_item32(data, at, HS_PHYSICAL_MAXIMUM, t->height);
	at = hs_rdesc_add(data, at, hs_tablet_until_pressure);
	at = hs_rdesc_add_item32(data, at, HS_LOGICAL_MAXIMUM, t->max_pressure);
	at = hs_rdesc_add(data, at, hs_tablet_until_output);
	at = hs_rdesc_add_item8(data, at, HS_REPORT_ID, t->output_id);
	at = hs_rdesc_add_item8(data, at, HS_REPORT_COUNT, t->output_size - 1);
	at = hs_rdesc_add(data, at, hs_tablet_pen_end);
	if (!t->buttons && !t->wheel)
		return at;

	at = hs_rdesc_add(data, at, hs_tablet_until_buttons);
	at = hs_rdesc_add_item8(data, at, HS_USAGE_MAXIMUM, t->buttons);
	at = hs_rdesc_add_item8(data, at, HS_REPORT_COUNT, t->buttons);
	at = hs_rdesc_add(data, at, hs_tablet_until_filler);
	at = hs_rdesc_add_item8(data, at, HS_REPORT_COUNT, 24 - t->buttons);
	if (t->wheel)
		hs_rdesc_add(data, at, hs_tablet_wheel);
	else
		hs_rdesc_add(data, at, hs_tablet_no_wheel);
	at += sizeof(hs_tablet_wheel);
	return hs_rdesc_add(data, at, hs_tablet_pad_end);
}

static __u8 hs_tablet_last[HS_TABLET_PEN_SIZE] __attribute__((unused));

/* Turn the packet in @data into the pen's report; for the event to return. */
static __always_inline int hs_tablet_pen(__u8 *data, const struct hs_pen *pen)
{
	bool tip = pen->tip && !pen->eraser, erases = pen->tip && pen->eraser;

	data[0] = HS_TABLET_REPORT_PEN;
	data[1] = tip | pen->barrel << 1 | pen->barrel2 << 2 | pen->eraser << 3 | erases << 4 |
		  1 << 5;
	put_le24(&data[2], pen->x);
	put_le24(&data[5], pen->y);
	put_le16(&data[8], pen->pressure);
	data[10] = pen->tilt_x;
	data[11] = pen->tilt_y;
	__builtin_memcpy(hs_tablet_last, data, HS_TABLET_PEN_SIZE);
	return HS_TABLET_PEN_SIZE;
}

/* The pen has gone: it did not jump, so its last position stays. */
static __always_inline int hs_tablet_leave(__u8 *data)
{
	__builtin_memcpy(data, hs_tablet_last, HS_TABLET_PEN_SIZE);
	data[0] = HS_TABLET_REPORT_PEN;
	data[1] = 0;
	put_le16(&data[8], 0);
	return HS_TABLET_PEN_SIZE;
}

static __always_inline int hs_tablet_pad(__u8 *data, __u32 buttons, __s8 wheel)
{
	data[0] = HS_TABLET_REPORT_PAD;
	put_le24(&data[1], buttons);
	data[4] = wheel;
	data[5] = 0;
	data[6] = 0;
	data[7] = 0;
	return HS_TABLET_PAD_SIZE;
}

#endif /* HIDSMITH_TABLET_BPF_H */
