/* SPDX-License-Identifier: MIT */
/* What set-report.c and set-report.bpf.c share. */
#ifndef HS_DEVICE_SET_REPORT_ARGS_H
#define HS_DEVICE_SET_REPORT_ARGS_H

#define SET_REPORT_MAX 4096

struct set_report_args {
	__u32 hid;
	__s32 result; /* bytes or a negative errno */
};

/* The one element of the map `report`. */
struct set_report {
	__u32 size;
	__u8 data[SET_REPORT_MAX];
};

#endif /* HS_DEVICE_SET_REPORT_ARGS_H */
