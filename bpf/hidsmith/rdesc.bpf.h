/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Report descriptors that read like decoded ones.
 *
 *	static const __u8 rdesc[] HS_TABLE = {
 *		UsagePage(Digitizers)
 *		Usage(Pen)
 *		Collection(Application,
 *			ReportId(2)
 *			Usage(TipSwitch)
 *			LogicalRange(0, 1)
 *			ReportSize(1) ReportCount(1) Input(Var)
 *			ReportCount(7) Input(Const)
 *		)
 *	};
 *
 * Each macro is one item with its bytes and the comma behind them. Collection()
 * closes itself. A value has one byte; the item's name ends in 16 or 32 where it has
 * more. Logical and physical values are signed: 255 needs LogicalMaximum16(255).
 *
 * HS_RDESC_FIXUP(fix) { return hs_rdesc_replace(data, rdesc); }	// all of it
 *
 * or piece by piece, with values known at run time only:
 *	int at = 0;
 *	at = hs_rdesc_add(data, at, head);
 *	at = hs_rdesc_add_item32(data, at, HS_LOGICAL_MAXIMUM, width);
 *	at = hs_rdesc_add(data, at, tail);
 *	return at;
 */
#ifndef HIDSMITH_RDESC_BPF_H
#define HIDSMITH_RDESC_BPF_H

#include "hid.bpf.h"

#define HS_LE16(v) (v) & 0xff, ((v) >> 8) & 0xff
#define HS_LE32(v) (v) & 0xff, ((v) >> 8) & 0xff, ((v) >> 16) & 0xff, ((v) >> 24) & 0xff

/* clang-format off */
/* Main items */
#define Input(flags)		 0x81, HID_MAIN_##flags,
#define Output(flags)		 0x91, HID_MAIN_##flags,
#define Feature(flags)		 0xb1, HID_MAIN_##flags,
#define Collection(kind, ...)	 CollectionBegin(kind) __VA_ARGS__ CollectionEnd
#define CollectionBegin(kind)	 0xa1, HID_COLLECTION_##kind, /* where the two are in different pieces */
#define CollectionEnd		 0xc0,

#define HID_MAIN_Array		 0x00
#define HID_MAIN_Var		 0x02
#define HID_MAIN_Const		 0x03
#define HID_MAIN_Relative	 0x06
#define HID_MAIN_NullState	 0x42

#define HID_COLLECTION_Physical	 0x00
#define HID_COLLECTION_Application 0x01
#define HID_COLLECTION_Logical	 0x02

/* Global items */
#define UsagePage(page)		 0x05, HID_PAGE_##page,
#define UsagePageVendor(page)	 0x06, HS_LE16(page),
#define LogicalMinimum(v)	 0x15, (v) & 0xff,
#define LogicalMinimum16(v)	 0x16, HS_LE16(v),
#define LogicalMinimum32(v)	 0x17, HS_LE32(v),
#define LogicalMaximum(v)	 0x25, (v) & 0xff,
#define LogicalMaximum16(v)	 0x26, HS_LE16(v),
#define LogicalMaximum32(v)	 0x27, HS_LE32(v),
#define LogicalRange(min, max)	 LogicalMinimum(min) LogicalMaximum(max)
#define LogicalRange16(min, max) LogicalMinimum16(min) LogicalMaximum16(max)
#define LogicalRange32(min, max) LogicalMinimum32(min) LogicalMaximum32(max)
#define PhysicalMinimum(v)	 0x35, (v) & 0xff,
#define PhysicalMinimum16(v)	 0x36, HS_LE16(v),
#define PhysicalMaximum(v)	 0x45, (v) & 0xff,
#define PhysicalMaximum16(v)	 0x46, HS_LE16(v),
#define PhysicalMaximum32(v)	 0x47, HS_LE32(v),
#define UnitExponent(v)		 0x55, (v) & 0x0f,
#define Unit(unit)		 0x65, HID_UNIT_##unit,
#define ReportSize(bits)	 0x75, bits,
#define ReportCount(n)		 0x95, n,
#define ReportId(id)		 0x85, id,
#define Push			 0xa4,
#define Pop			 0xb4,

#define HID_UNIT_None		 0x00
#define HID_UNIT_Centimetre	 0x11
#define HID_UNIT_Inch		 0x13
#define HID_UNIT_Degree		 0x14

#define HID_PAGE_GenericDesktop	 0x01
#define HID_PAGE_GenericDevice	 0x06
#define HID_PAGE_Keyboard	 0x07
#define HID_PAGE_Led		 0x08
#define HID_PAGE_Button		 0x09
#define HID_PAGE_Consumer	 0x0c
#define HID_PAGE_Digitizers	 0x0d
#define HID_PAGE_Haptics	 0x0e
#define HID_PAGE_Power		 0x84
#define HID_PAGE_Battery	 0x85
#define HID_PAGE_BarCodeScanner	 0x8c

/* Local items */
#define Usage(usage)		 0x09, HID_USAGE_##usage,
#define Usage16(usage)		 0x0a, HS_LE16(HID_USAGE_##usage),
#define UsageId(id)		 0x09, id,
#define UsageMinimum(id)	 0x19, id,
#define UsageMaximum(id)	 0x29, id,
#define UsageRange(min, max)	 UsageMinimum(min) UsageMaximum(max)
#define UsageMaximum16(id)	 0x2a, HS_LE16(id),

/* Generic Desktop */
#define HID_USAGE_Pointer		0x01
#define HID_USAGE_Mouse			0x02
#define HID_USAGE_Joystick		0x04
#define HID_USAGE_GamePad		0x05
#define HID_USAGE_Keyboard		0x06
#define HID_USAGE_Keypad		0x07
#define HID_USAGE_MultiAxis		0x08
#define HID_USAGE_SystemMultiAxis	0x0e
#define HID_USAGE_X			0x30
#define HID_USAGE_Y			0x31
#define HID_USAGE_Z			0x32
#define HID_USAGE_Rx			0x33
#define HID_USAGE_Ry			0x34
#define HID_USAGE_Rz			0x35
#define HID_USAGE_Dial			0x37
#define HID_USAGE_Wheel			0x38
#define HID_USAGE_HatSwitch		0x39
#define HID_USAGE_ResolutionMultiplier	0x48
/* Digitizers */
#define HID_USAGE_Digitizer		0x01
#define HID_USAGE_Pen			0x02
#define HID_USAGE_Stylus		0x20
#define HID_USAGE_TipPressure		0x30
#define HID_USAGE_InRange		0x32
#define HID_USAGE_TabletFunctionKeys	0x39
#define HID_USAGE_Invert		0x3c
#define HID_USAGE_XTilt			0x3d
#define HID_USAGE_YTilt			0x3e
#define HID_USAGE_TipSwitch		0x42
#define HID_USAGE_BarrelSwitch		0x44
#define HID_USAGE_Eraser		0x45
#define HID_USAGE_SecondaryBarrelSwitch 0x5a
/* Generic Device Controls, Battery System, Consumer */
#define HID_USAGE_BatteryStrength	0x20
#define HID_USAGE_Charging		0x44
#define HID_USAGE_AbsoluteStateOfCharge 0x65
#define HID_USAGE_ConsumerControl	0x01
#define HID_USAGE_AcPan			0x0238
/* Bar Code Scanner */
#define HID_USAGE_BarCodeScanner	0x02

/* clang-format on */

/* Item tags for values known at run time */
enum hs_rdesc_item {
	HS_LOGICAL_MAXIMUM = 0x24,
	HS_PHYSICAL_MAXIMUM = 0x44,
	HS_REPORT_COUNT = 0x94,
	HS_REPORT_ID = 0x84,
	HS_USAGE_MAXIMUM = 0x28,
};

/* @at must be a constant for the compiler: a running sum without branches. */
#define hs_rdesc_add(data, at, bytes) hs_rdesc_add_(data, at, bytes, sizeof(bytes))

static __always_inline int hs_rdesc_add_(__u8 *data, int at, const __u8 *bytes, int size)
{
	for (int i = 0; i < size; i++)
		data[at + i] = bytes[i];
	return at + size;
}

static __always_inline int hs_rdesc_add_item8(__u8 *data, int at, enum hs_rdesc_item item,
					      __u8 value)
{
	data[at] = item | 1;
	data[at + 1] = value;
	return at + 2;
}

static __always_inline int hs_rdesc_add_item32(__u8 *data, int at, enum hs_rdesc_item item,
					       __u32 value)
{
	data[at] = item | 3;
	put_le32(&data[at + 1], value);
	return at + 5;
}

#define hs_rdesc_replace(data, bytes) hs_rdesc_add(data, 0, bytes)

/* What a probe wants to know of a descriptor. */
struct hs_rdesc_facts {
	__u32 max_input; /* bytes of the longest report, report ID included; 0: none */
	__u32 max_output;
	__u32 max_feature;
	__u32 first_usage; /* page << 16 | usage of the first application collection */
	bool has_report; /* the report ID that hs_rdesc_read() was asked for */
};

struct hs_rdesc_walk {
	struct hs_rdesc_facts facts;
	__u32 rdesc_size, at;
	__u32 page, usage, size, count, id;
	__u32 input, output, feature; /* bits so far of this report ID */
	__u32 wanted;
};

/* Not on the stack, where the verifier would follow each value of each member. */
struct hs_rdesc_walk hs_rdesc_walk __weak;

static __always_inline void hs_rdesc_note_size(__u32 *max, __u32 bits, __u32 id)
{
	__u32 bytes = bits ? (bits + 7) / 8 + !!id : 0;

	if (bytes > *max)
		*max = bytes;
}

/* One item; not 0 at the end. */
static long hs_rdesc_step(__u32 i, const __u8 **rdesc)
{
	struct hs_rdesc_walk *w = &hs_rdesc_walk;
	struct hs_rdesc_facts *facts = &w->facts;
	const struct task_struct *bytes;
	__u8 item[5];
	__u32 tag, n, value = 0;

	if (w->at >= w->rdesc_size)
		return 1;
	/* The verifier lets probes read arguments only at constant offsets. */
	bytes = hs_bytes_at(*rdesc + (w->at & (HID_MAX_DESCRIPTOR_SIZE - 1)));
	for (__u32 k = 0; k < sizeof(item); k++)
		item[k] = bytes->comm[k];
	tag = item[0] & 0xfc;
	n = item[0] & 3;
	if (n)
		value = item[1];
	if (n >= 2)
		value |= item[2] << 8;
	if (n == 3)
		value |= item[3] << 16 | (__u32)item[4] << 24;
	w->at += n == 3 ? 5 : n + 1;

	switch (tag) {
	case 0x04:
		w->page = value;
		break;
	case 0x08:
		w->usage = value;
		break;
	case 0x74:
		w->size = value;
		break;
	case 0x94:
		w->count = value;
		break;
	case 0x84:
		w->id = value;
		w->input = 0;
		w->output = 0;
		w->feature = 0;
		if (value == w->wanted)
			facts->has_report = true;
		break;
	case 0xa0:
		if (value == 1 && !facts->first_usage)
			facts->first_usage = w->page << 16 | w->usage;
		break;
	case 0x80:
		w->input += w->size * w->count;
		hs_rdesc_note_size(&facts->max_input, w->input, w->id);
		break;
	case 0x90:
		w->output += w->size * w->count;
		hs_rdesc_note_size(&facts->max_output, w->output, w->id);
		break;
	case 0xb0:
		w->feature += w->size * w->count;
		hs_rdesc_note_size(&facts->max_feature, w->feature, w->id);
		break;
	}
	return 0;
}

/*
 * In a probe: read the device's descriptor as far as sizes go, and look for a
 * report ID (0: none). Good for the descriptors of devices that need a fixup:
 * reports of one ID must follow each other, and there is no Push.
 *
 * 0, or -EINVAL when there is no application collection.
 */
static __always_inline int hs_rdesc_read(const struct hid_bpf_probe_args *args, __u8 report_id,
					 struct hs_rdesc_facts *facts)
{
	const __u8 *rdesc = args->rdesc;

	__builtin_memset(&hs_rdesc_walk, 0, sizeof(hs_rdesc_walk));
	hs_rdesc_walk.rdesc_size = args->rdesc_size;
	hs_rdesc_walk.wanted = report_id;
	bpf_loop(HID_MAX_DESCRIPTOR_SIZE, hs_rdesc_step, &rdesc, 0);
	*facts = hs_rdesc_walk.facts;
	return facts->first_usage ? 0 : -EINVAL;
}

#endif /* HIDSMITH_RDESC_BPF_H */
