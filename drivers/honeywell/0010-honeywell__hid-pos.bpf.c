// SPDX-License-Identifier: GPL-2.0-only
/*
 * Honeywell bar code scanners in USB HID POS mode, 0c2e: they type what they read.
 *
 * What is wrong
 * -------------
 * In this mode ("USB HID Bar Code Scanner" in the manuals) a scanner has the usages
 * of the HID Point of Sale page, which no driver of the kernel knows: nothing comes
 * out but hidraw. A reading is one or more of
 *
 *	02 LL 5d AA BB DD ... DD ss 00 CC
 *	|  |  |  |     |         |     `- bit 0: goes on in the next report
 *	|  |  |  |     |         `- the maker's symbology
 *	|  |  |  |     `- 56 bytes, LL of them used
 *	|  |  `- "]" and two characters of AIM's symbology
 *	|  `- length
 *	`- report ID
 *
 * What we do
 * ----------
 * Add a keyboard to the descriptor, and type the bytes, as UTF-8, on a US layout.
 * A control character is what terminals have for it, Control with a letter or with
 * one of @ [ \ ] ^ _ (RS is Control-^); what no key has is typed as Control-Shift-U
 * with hexadecimal digits, if `unicode` says so, else as "?". The scanner's own
 * report stays as it is for programs that read hidraw.
 *
 * The keys are pressed by a job, one at a time: a reader of the event device has room
 * for 64 events, a key is 6 to 14 of them, and one reading is up to 140 keys. It is
 * queued all or not at all.
 *
 * A kernel with private stacks is needed
 * --------------------------------------
 * The event has the reading as 56 characters (224 bytes), then as 140 strokes (280
 * bytes), both on the stack, since a reading can come while an injected key is on
 * its way through this same program on the same CPU. That is more than the 512
 * bytes that all functions of a program share on other kernels, which refuse it:
 *
 *	combined stack size of 3 calls is 736. Too large
 *
 * Source: appendix "HID reports" of Access-IS's LSR118 and ATR110 manuals, which have
 * such an engine; HID Point of Sale Usage Tables 1.02.
 */
#include <hidsmith/hid.bpf.h>
#include <hidsmith/io.bpf.h>
#include <hidsmith/match.bpf.h>
#include <hidsmith/rdesc.bpf.h>
#include <hidsmith/setting.bpf.h>

HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x0c2e, HID_PID_ANY));

HS_SETTING_BOOL(enter, true, "press Enter after each reading");
HS_SETTING_BOOL(unicode, false, "type what no key has as Control-Shift-U and its number");

#define REPORT_SCAN    0x02
#define REPORT_KEYS    0x4b
#define REPORT_COMMAND 0xfd
#define SCAN_SIZE      64
#define SCAN_DATA      5
#define SCAN_DATA_MAX  56
#define SCAN_CONTINUED 63

/* A stroke is the usage of a key and, above it, the modifiers. */
#define CONTROL   0x0100
#define SHIFT     0x0200
#define KEY_A     0x04
#define KEY_1     0x1e
#define KEY_0     0x27
#define KEY_U     0x18
#define KEY_ENTER 0x28
#define KEY_TAB   0x2b
#define KEY_SLASH 0x38
/* A character of two bytes takes five: u, three digits, Enter. Then the last Enter. */
#define STROKES_MAX (SCAN_DATA_MAX / 2 * 5 + 1)
#define PACE_MS     8 /* as fast as a keyboard at full speed */

/* Constant fields: nobody shall make axes of them. */
static const __u8 rdesc[] HS_TABLE = {
	/* clang-format off */
	UsagePage(BarCodeScanner)
	Usage(BarCodeScanner)
	Collection(Application,
		ReportSize(8)
		ReportId(REPORT_SCAN) ReportCount(63) Input(Const)
		ReportId(REPORT_COMMAND) ReportCount(63) Output(Const)
	)
	UsagePage(GenericDesktop)
	Usage(Keyboard)
	Collection(Application,
		ReportId(REPORT_KEYS)
		UsagePage(Keyboard)
		UsageRange(0xe0, 0xe7)
		LogicalRange(0, 1)
		ReportSize(1) ReportCount(8) Input(Var)
		UsageRange(0, 0x65)
		LogicalRange(0, 0x65)
		ReportSize(8) ReportCount(1) Input(Array)
	)
	/* clang-format on */
};

/* From the space on: the key of each character on a US layout, with the high bit for Shift. */
static const __u8 keys[] = {
	0x2c, 0x9e, 0xb4, 0xa0, 0xa1, 0xa2, 0xa4, 0x34, 0xa6, 0xa7, 0xa5, 0xae, 0x36, 0x2d,
	0x37, 0x38, 0x27, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0xb3, 0x33,
	0xb6, 0x2e, 0xb7, 0xb8, 0x9f, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c,
	0x8d, 0x8e, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a,
	0x9b, 0x9c, 0x9d, 0x2f, 0x31, 0x30, 0xa3, 0xad, 0x35, 0x04, 0x05, 0x06, 0x07, 0x08,
	0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
	0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0xaf, 0xb1, 0xb0, 0xb5,
};

/* Written by the event, emptied by the job; both count up. */
#define QUEUE_SIZE 1024
__u16 queue[QUEUE_SIZE];
__u32 queued, typed;
/* Of a character that goes on in the next report: its bits so far, bytes to come. */
__u32 begun, missing;

HS_JOBS(type);

HS_JOB(type)
{
	__u16 stroke = queue[typed % QUEUE_SIZE];
	int ret;

	if (typed == READ_ONCE(queued))
		return 0;
	ret = hs_input(io, REPORT_KEYS, stroke >> 8, stroke) ?: hs_input(io, REPORT_KEYS, 0, 0);
	WRITE_ONCE(typed, typed + 1);
	if (typed != READ_ONCE(queued))
		hs_job_run_after(type, PACE_MS);
	return ret;
}

/* A number that the verifier does not know: else it follows each length there can be. */
volatile __u32 zero;

struct reading {
	__u32 n;
	__u32 c[SCAN_DATA_MAX]; /* the characters */
	__u32 size;
	__u8 byte[SCAN_DATA_MAX];
	__u32 begun; /* of the character whose bytes we are in */
	__u32 missing; /* bytes of it */
};

static __always_inline void add_char(struct reading *r, __u32 c)
{
	__u32 n = r->n;

	if (n >= SCAN_DATA_MAX)
		return;
	r->c[n] = c;
	r->n = n + 1;
}

/* What is no UTF-8 becomes "?". */
static long read_byte(__u32 i, struct reading *r)
{
	__u8 b;

	if (i >= SCAN_DATA_MAX || i >= r->size)
		return 1;
	b = r->byte[i];
	if ((b & 0xc0) == 0x80 && r->missing) {
		r->begun = r->begun << 6 | (b & 0x3f);
		if (!--r->missing)
			add_char(r, r->begun);
		return 0;
	}
	if (r->missing)
		add_char(r, '?');
	r->missing = b < 0xc2 || b > 0xf4 ? 0 : b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
	r->begun = b & (0x3f >> r->missing);
	if (!r->missing)
		add_char(r, b < 0x80 ? b : '?');
	return 0;
}

struct strokes {
	const struct reading *reading;
	__u32 n;
	__u16 stroke[STROKES_MAX];
};

static __always_inline void add_stroke(struct strokes *s, __u16 stroke)
{
	__u32 n = s->n;

	if (n >= STROKES_MAX)
		return;
	s->stroke[n] = stroke;
	s->n = n + 1;
}

static __always_inline void add_number(struct strokes *s, __u32 c)
{
	bool begun = false;
	int shift;

	add_stroke(s, CONTROL | SHIFT | KEY_U);
	for (shift = 20; shift >= 0; shift -= 4) {
		__u32 digit = c >> shift & 0xf;

		begun |= digit != 0;
		if (!begun)
			continue;
		if (digit > 9)
			add_stroke(s, KEY_A + digit - 10);
		else
			add_stroke(s, digit ? KEY_1 + digit - 1 : KEY_0);
	}
	add_stroke(s, KEY_ENTER);
}

static __always_inline __u8 key_of(__u32 c)
{
	return c - ' ' < sizeof(keys) ? keys[c - ' '] : 0;
}

/* The key 64 above it; letters need no Shift with Control. */
static __always_inline __u16 control_stroke(__u32 c)
{
	__u8 key = key_of(c | 0x40);

	return CONTROL | (c - 1 >= 26 && key & 0x80 ? SHIFT : 0) | (key & 0x7f);
}

static long add_strokes(__u32 i, struct strokes *s)
{
	__u32 c;
	__u8 key;

	if (i >= SCAN_DATA_MAX || i >= s->reading->n)
		return 1;
	c = s->reading->c[i];
	if (c == '\r' || c == '\n')
		add_stroke(s, KEY_ENTER);
	else if (c == '\t')
		add_stroke(s, KEY_TAB);
	else if (c < ' ')
		add_stroke(s, control_stroke(c));
	else if ((key = key_of(c)))
		add_stroke(s, (key & 0x80 ? SHIFT : 0) | (key & 0x7f));
	else if (hs_setting(unicode))
		add_number(s, c);
	else
		add_stroke(s, SHIFT | KEY_SLASH);
	return 0;
}

static long copy_stroke(__u32 i, struct strokes *s)
{
	if (i >= STROKES_MAX || i >= s->n)
		return 1;
	queue[(queued + i) % QUEUE_SIZE] = s->stroke[i];
	return 0;
}

/* The strokes of all characters go to the job, or none of them. */
static __noinline int queue_strokes(const struct reading *reading, bool complete)
{
	struct strokes s = { .reading = reading, .n = zero };
	struct hs_io_status *status = hs_get_status();

	bpf_loop(SCAN_DATA_MAX, add_strokes, &s, 0);
	if (complete && hs_setting(enter))
		add_stroke(&s, KEY_ENTER);
	if (queued - READ_ONCE(typed) + s.n > QUEUE_SIZE) {
		if (status)
			__sync_fetch_and_add(&status->queue_full, 1);
		return -ENOSPC;
	}
	bpf_loop(STROKES_MAX, copy_stroke, &s, 0);
	WRITE_ONCE(queued, queued + s.n);
	return hs_job_run(type);
}

static __noinline int read_scan(const __u8 *data)
{
	struct reading r = { .n = zero, .size = data[1], .begun = begun, .missing = missing };
	bool complete = !(data[SCAN_CONTINUED] & 1);

	__builtin_memcpy(r.byte, data + SCAN_DATA, SCAN_DATA_MAX);
	bpf_loop(SCAN_DATA_MAX, read_byte, &r, 0);
	if (complete && r.missing) {
		add_char(&r, '?');
		r.missing = 0;
	}
	begun = r.begun;
	missing = r.missing;
	return queue_strokes(&r, complete);
}

HS_RDESC_FIXUP(keyboard)
{
	return hs_rdesc_replace(data, rdesc);
}

HS_DEVICE_EVENT(scan, SCAN_SIZE)
{
	if (!source && data[0] == REPORT_SCAN && size == SCAN_SIZE)
		read_scan(data);
	return 0;
}

HS_PROBE(args)
{
	struct hs_rdesc_facts facts;

	if (hs_rdesc_read(args, REPORT_SCAN, &facts) || !facts.has_report ||
	    facts.first_usage >> 16 != HID_PAGE_BarCodeScanner || facts.max_input != SCAN_SIZE)
		return -ENODEV;
	return 0;
}

HID_BPF_OPS(hid_pos) = {
	.hid_device_event = (void *)scan,
	.hid_rdesc_fixup = (void *)keyboard,
};

char LICENSE[] SEC("license") = "GPL";
