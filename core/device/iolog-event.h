/* SPDX-License-Identifier: MIT */
/* What core/device/iolog.bpf.c tells core/device/iolog.c; private to these two. */
#ifndef HS_DEVICE_IOLOG_EVENT_H
#define HS_DEVICE_IOLOG_EVENT_H

#define IOLOG_DATA_MAX 4096

enum iolog_kind {
	IOLOG_INPUT, /* a report from the device, or one that a BPF program injects */
	IOLOG_FIXED, /* the same after HID-BPF; error is set if it was dropped */
	IOLOG_REQUEST, /* GET_REPORT or SET_REPORT on its way to the device */
	IOLOG_OUTPUT, /* an output report on its way */
	IOLOG_ANSWER, /* the end of an IOLOG_REQUEST or IOLOG_OUTPUT of the same seq */
};

enum iolog_origin {
	IOLOG_KERNEL, /* or the device itself, for input */
	IOLOG_HIDRAW,
	IOLOG_BPF,
};

struct iolog_event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 seq;
	__u32 device; /* value that user space gave the hid id */
	__u32 kind;
	__u32 origin;
	__s32 result; /* of the answer: bytes or a negative errno */
	__u8 report_type;
	__u8 request; /* HID_REQ_* */
	__u8 report_id;
	__u8 pad;
	__u32 size; /* of data that follow */
	__u8 data[];
};

/* Where arguments of traced kernel functions are; kernels differ. */
struct iolog_args {
	__u8 event_data, event_size, event_source, event_from_bpf;
};

/* The program original_rdesc() takes this and leaves its answer in the map `rdesc`. */
struct iolog_rdesc_args {
	__u32 hid;
};

struct iolog_rdesc {
	__u32 size; /* 0 if it could not be read */
	__u8 data[IOLOG_DATA_MAX];
};

#endif /* HS_DEVICE_IOLOG_EVENT_H */
