/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every fixup includes: the kernel's types and functions for HID-BPF, and
 * the macros that declare a fixup's programs.
 *
 * The smallest fixup has three parts:
 *
 *	#include <hidsmith/hid.bpf.h>
 *	#include <hidsmith/match.bpf.h>
 *
 *	HID_BPF_CONFIG(HID_DEVICE(BUS_USB, HID_GROUP_GENERIC, 0x1234, 0x5678));
 *
 *	HS_DEVICE_EVENT(swap_buttons, 4)	// 4: bytes of the report we look at
 *	{
 *		data[1] = (data[1] & ~3) | (data[1] & 1) << 1 | (data[1] & 2) >> 1;
 *		return 0;
 *	}
 *
 *	HID_BPF_OPS(swap) = {
 *		.hid_device_event = (void *)swap_buttons,
 *	};
 *
 *	char LICENSE[] SEC("license") = "GPL";
 *
 * The structures below are a small part of the kernel's. Their members are
 * found by name when the object is loaded (CO-RE), so neither order nor offset
 * matters, and no generated vmlinux.h is needed. A fixup that needs another
 * member adds it here.
 *
 * Other headers: match.bpf.h (which devices), rdesc.bpf.h (report descriptors),
 * io.bpf.h (talking to the device), setting.bpf.h (what the user may set).
 */
#ifndef HIDSMITH_HID_BPF_H
#define HIDSMITH_HID_BPF_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef unsigned long size_t;
typedef _Bool bool;

#define true 1
#define false 0
#define NULL ((void *)0)

/* From <linux/bpf.h>, which is older than struct bpf_wq on many systems. */
#define BPF_MAP_TYPE_ARRAY 2
#define BPF_F_MMAPABLE     (1U << 10)
#define BPF_F_BEFORE       (1U << 3)

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/*
 * `static const __u8 t[16] HS_TABLE = ...`: constants of 4, 8, 16 or 32 bytes that are
 * read at a variable index go to a section of their own otherwise, and libbpf does
 * not find them there ("Invalid offset" when the BTF is loaded).
 */
#define HS_TABLE SEC(".rodata")

#define READ_ONCE(x)         (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))

/* The errno values that HID-BPF functions and jobs return, negative. */
#define EPERM     1
#define EIO       5
#define EAGAIN    11
#define ENOMEM    12
#define EBUSY     16
#define ENODEV    19
#define EINVAL    22
#define ENOSPC    28
#define ENOSYS    38
#define EPROTO    71
#define ESHUTDOWN 108
#define ETIMEDOUT 110

enum hid_report_type {
	HID_INPUT_REPORT = 0,
	HID_OUTPUT_REPORT = 1,
	HID_FEATURE_REPORT = 2,
};

enum hid_class_request {
	HID_REQ_GET_REPORT = 0x01,
	HID_REQ_SET_REPORT = 0x09,
};

struct bpf_timer {
	__u64 __opaque[2];
} __attribute__((aligned(8)));

struct bpf_wq {
	__u64 __opaque[2];
} __attribute__((aligned(8)));

struct bpf_spin_lock {
	__u32 val;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct semaphore {
	unsigned int count;
};

struct hid_driver {
	const char *name;
};

struct kernfs_node {
	__u64 id;
};

struct kobject {
	struct kernfs_node *sd;
};

struct device {
	struct kobject kobj;
	struct device *parent;
};

struct task_struct {
	char comm[16];
};

struct hidraw {
	struct device *dev;
};

struct hid_device {
	__u16 bus;
	__u16 group;
	__u32 vendor;
	__u32 product;
	__u32 version;
	struct semaphore driver_input_lock;
	struct hid_driver *driver;
	unsigned int ll_open_count;
	unsigned int claimed;
	bool io_started;
	void *hidraw;
	char name[128];
	char phys[64];
	char uniq[64];
	unsigned int id;
};

struct hid_bpf_ctx {
	struct hid_device *hid;
	__u32 allocated_size;
	union {
		__s32 retval;
		__s32 size;
	};
};

#pragma clang attribute pop

/*
 * Only what a fixup fills in. libbpf copies the members by name, so the
 * kernel's private ones may be missing; loaders rely on hid_id being first.
 */
struct hid_bpf_ops {
	int hid_id;
	__u32 flags;
	int (*hid_device_event)(struct hid_bpf_ctx *ctx, enum hid_report_type type, __u64 source);
	int (*hid_rdesc_fixup)(struct hid_bpf_ctx *ctx);
	int (*hid_hw_request)(struct hid_bpf_ctx *ctx, unsigned char reportnum,
			      enum hid_report_type rtype, enum hid_class_request reqtype,
			      __u64 source);
	int (*hid_hw_output_report)(struct hid_bpf_ctx *ctx, __u64 source);
};

struct hid_bpf_probe_args {
	__u32 hid; /* the number in the device's sysfs name */
	__u32 rdesc_size;
	__u8 rdesc[4096];
	__s32 retval;
};

/* The data of an event or a descriptor; NULL when it is shorter than @size. */
extern __u8 *hid_bpf_get_data(struct hid_bpf_ctx *ctx, unsigned int offset,
			      const size_t size) __ksym;
/* The rest may sleep; io.bpf.h wraps them for jobs. */
extern struct hid_bpf_ctx *hid_bpf_allocate_context(unsigned int hid_id) __ksym;
extern void hid_bpf_release_context(struct hid_bpf_ctx *ctx) __ksym;
extern int hid_bpf_hw_request(struct hid_bpf_ctx *ctx, __u8 *data, size_t buf__sz,
			      enum hid_report_type type, enum hid_class_request reqtype) __ksym;
extern int hid_bpf_hw_output_report(struct hid_bpf_ctx *ctx, __u8 *buf, size_t buf__sz) __ksym;
extern int hid_bpf_input_report(struct hid_bpf_ctx *ctx, enum hid_report_type type, __u8 *data,
				size_t buf__sz) __ksym;

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;

/*
 * 16 bytes of the kernel's memory, from any address, as ->comm[0] to [15]. The kernel
 * checks loads through a pointer that was cast when they run: what is not there is 0.
 * bpf_probe_read_kernel() does the same, but where the kernel is locked down to
 * confidentiality it lets no program load. A cast takes types that are not a module's,
 * as those of HID may be.
 */
static __always_inline const struct task_struct *hs_bytes_at(const void *p)
{
	return bpf_rdonly_cast(p - bpf_core_field_offset(struct task_struct, comm),
			       bpf_core_type_id_kernel(struct task_struct));
}

/*
 * HS_YIELDS_TO("nintendo");
 *
 * The name of a driver of the kernel that repairs the device itself; before the
 * programs. The fixup does not take a device that it has. Where it comes later (its
 * module is loaded, and the kernel gives it the device), the fixup stands aside at
 * once: descriptor and reports pass as they are, and no job runs, so that the two
 * do not talk to the device at the same time. Kernels from 6.13 on keep a
 * descriptor that was changed before until the fixup is detached, which udev's rule
 * sees to.
 */
#define HS_DRIVER_NAME_SIZE 24
static const char hs_yields_to[HS_DRIVER_NAME_SIZE] __attribute__((unused));
#define HS_YIELDS_TO(name) static const char hs_yields_to[HS_DRIVER_NAME_SIZE] = name

/* The driver that has this name, and the last one that has another: so the name is
 * read once for each, and the other events compare two pointers.
 */
static volatile __u64 hs_its_driver __attribute__((unused));
static volatile __u64 hs_other_driver __attribute__((unused));

/* Has the driver that we yield to got the device? */
static __always_inline bool hs_stands_aside(struct hid_bpf_ctx *hctx)
{
	struct hid_driver *driver;
	__u8 differs = 0;

	if (!hs_yields_to[0])
		return false;
	driver = hctx->hid->driver;
	if (!driver || (__u64)driver == hs_other_driver)
		return false;
	if ((__u64)driver == hs_its_driver)
		return true;
	for (int i = 0; i < HS_DRIVER_NAME_SIZE; i++) {
		differs |= hs_bytes_at(driver->name + (i & ~15))->comm[i & 15] ^ hs_yields_to[i];
		if (!hs_yields_to[i])
			break;
	}
	if (differs)
		hs_other_driver = (__u64)driver;
	else
		hs_its_driver = (__u64)driver;
	return !differs;
}

/* Before the fixup is attached: the same for the device with this number. */
static __always_inline int hs_ask_driver(__u32 hid)
{
	struct hid_bpf_ctx *hctx;
	bool aside;

	if (!hs_yields_to[0])
		return 0;
	hctx = hid_bpf_allocate_context(hid);
	if (!hctx)
		return -ENODEV;
	aside = hs_stands_aside(hctx);
	hid_bpf_release_context(hctx);
	return aside ? -EBUSY : 0;
}

/*
 * HS_DEVICE_EVENT(name, bytes) { ... }
 *
 * A program that sees each input report on its way in, in interrupt context. (The
 * kernel shows it feature reports, too, when a driver has asked for one; they may
 * have the same report IDs, and pass.) Its body has
 *	hctx	struct hid_bpf_ctx *; hctx->hid is the device
 *	data	__u8 *, the report (report ID first, if there are any); @bytes of it
 *		may be read and written, zeros behind the report's end. A device
 *		whose longest report, rounded up to 64, is shorter never gets here
 *	size	int, the report's length
 *	source	0 from the device, else an injected report
 * and returns 0 (go on), a new length, or HS_DROP.
 */
#define HS_DROP (-1)
#define HS_DEVICE_EVENT(name, bytes)                                                           \
	static __always_inline int name##_body(struct hid_bpf_ctx *hctx, __u8 *data, int size, \
					       __u64 source);                                  \
	SEC("struct_ops/hid_device_event")                                                     \
	int BPF_PROG(name, struct hid_bpf_ctx *hctx, enum hid_report_type type, __u64 source)  \
	{                                                                                      \
		__u8 *data = hid_bpf_get_data(hctx, 0, bytes);                                 \
                                                                                               \
		if (!data || type != HID_INPUT_REPORT || hs_stands_aside(hctx))                \
			return 0;                                                              \
		return name##_body(hctx, data, hctx->size, source);                            \
	}                                                                                      \
	static __always_inline int name##_body(struct hid_bpf_ctx *hctx, __u8 *data, int size, \
					       __u64 source)

/*
 * HS_RDESC_FIXUP(name) { ... }
 *
 * A program that may change the report descriptor, in process context, each time
 * a driver is about to parse it. The kernel allows one for each device. Its body
 * has hctx, data (HID_MAX_DESCRIPTOR_SIZE bytes) and size (the descriptor's) and
 * returns 0 (unchanged, or changed in place) or the new size. With io.bpf.h the
 * jobs that run on attach are asked for here.
 */
#define HID_MAX_DESCRIPTOR_SIZE 4096
static void (*const hs_reprobed)(struct hid_bpf_ctx *hctx) __attribute__((unused));
static const bool hs_reprobes __attribute__((unused));
#define HS_RDESC_FIXUP(name)                                                                    \
	static const bool hs_reprobes = true;                                                   \
	static __always_inline int name##_body(struct hid_bpf_ctx *hctx, __u8 *data, int size); \
	SEC("struct_ops.s/hid_rdesc_fixup")                                                     \
	int BPF_PROG(name, struct hid_bpf_ctx *hctx)                                            \
	{                                                                                       \
		__u8 *data = hid_bpf_get_data(hctx, 0, HID_MAX_DESCRIPTOR_SIZE);                \
                                                                                                \
		if (!data || hs_stands_aside(hctx))                                             \
			return 0;                                                               \
		if (hs_reprobed)                                                                \
			hs_reprobed(hctx);                                                      \
		return name##_body(hctx, data, hctx->size);                                     \
	}                                                                                       \
	static __always_inline int name##_body(struct hid_bpf_ctx *hctx, __u8 *data, int size)

/*
 * HS_PROBE(args) { ... }
 *
 * Asked once before the fixup is attached, with args->rdesc (args->rdesc_size bytes)
 * and args->hid: return 0 to take the device or a negative errno. Without it
 * every device that matches is taken. May sleep.
 */
#define HS_PROBE(args)                                                             \
	static __always_inline int hs_probe_body(struct hid_bpf_probe_args *args); \
	SEC("syscall")                                                             \
	int probe(struct hid_bpf_probe_args *args)                                 \
	{                                                                          \
		args->retval = hs_ask_driver(args->hid) ?: hs_probe_body(args);    \
		return 0;                                                          \
	}                                                                          \
	static __always_inline int hs_probe_body(struct hid_bpf_probe_args *args)

/* HID_BPF_OPS(name) = { .hid_device_event = (void *)..., ... }; */
#define HID_BPF_OPS(name) SEC(".struct_ops.link") struct hid_bpf_ops name

static __always_inline __u16 get_le16(const __u8 *p)
{
	return p[0] | p[1] << 8;
}

static __always_inline __u32 get_le24(const __u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16;
}

static __always_inline void put_le16(__u8 *p, __u16 value)
{
	p[0] = value;
	p[1] = value >> 8;
}

static __always_inline void put_le24(__u8 *p, __u32 value)
{
	p[0] = value;
	p[1] = value >> 8;
	p[2] = value >> 16;
}

static __always_inline void put_le32(__u8 *p, __u32 value)
{
	put_le16(p, value);
	put_le16(p + 2, value >> 16);
}

#endif /* HIDSMITH_HID_BPF_H */
