/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel types and functions for the programs in this folder: only what they
 * use, relocated by CO-RE, so that one object serves the kernel with and
 * without the patches.
 */
#ifndef TESTS_KERNEL_PROGS_KERNEL_BPF_H
#define TESTS_KERNEL_PROGS_KERNEL_BPF_H

#include <linux/bpf.h>
#include <linux/version.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#define EIO             5
#define EINVAL          22
#define EDEADLK         35
#define CLOCK_MONOTONIC 1

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hid_device {
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

enum hid_report_type {
	HID_INPUT_REPORT = 0,
	HID_OUTPUT_REPORT = 1,
	HID_FEATURE_REPORT = 2,
};

enum hid_class_request {
	HID_REQ_GET_REPORT = 0x01,
	HID_REQ_GET_IDLE = 0x02,
	HID_REQ_SET_REPORT = 0x09,
};

struct pcpu_hot {
	int preempt_count;
};

struct task_struct {
	int pid;
	struct task_struct *real_parent;
};

#pragma clang attribute pop

/* The loader fills these in by name; no access from a program is relocated. */
struct hid_bpf_ops {
	int hid_id;
	__u32 flags;
	int (*hid_device_event)(struct hid_bpf_ctx *ctx, enum hid_report_type type, __u64 source);
	int (*hid_rdesc_fixup)(struct hid_bpf_ctx *ctx);
};

/* in linux/bpf.h from 6.10 on, which Debian 12 has not */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
struct bpf_wq {
	__u64 opaque[2];
} __attribute__((aligned(8)));
#endif

extern __u8 *hid_bpf_get_data(struct hid_bpf_ctx *ctx, unsigned int offset,
			      const size_t rdwr_buf_size) __ksym;
extern struct hid_bpf_ctx *hid_bpf_allocate_context(unsigned int hid_id) __ksym;
extern void hid_bpf_release_context(struct hid_bpf_ctx *ctx) __ksym;
extern int hid_bpf_hw_request(struct hid_bpf_ctx *ctx, __u8 *buf, size_t buf__sz,
			      enum hid_report_type type, enum hid_class_request req) __ksym;
extern int hid_bpf_hw_output_report(struct hid_bpf_ctx *ctx, __u8 *buf, size_t buf__sz) __ksym;
extern int hid_bpf_input_report(struct hid_bpf_ctx *ctx, enum hid_report_type type, __u8 *buf,
				const size_t buf__sz) __ksym;
extern int hid_bpf_try_input_report(struct hid_bpf_ctx *ctx, enum hid_report_type type, __u8 *buf,
				    const size_t buf__sz) __ksym;

extern int bpf_wq_init(struct bpf_wq *wq, void *p__map, unsigned int flags) __ksym;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __ksym;
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq,
				    int (*callback_fn)(void *map, int *key, void *value),
				    unsigned int flags, void *aux__ign) __ksym;
#define bpf_wq_set_callback(wq, cb) \
	bpf_wq_set_callback_impl(wq, (int (*)(void *, int *, void *))(cb), 0, NULL)

extern int bpf_timer_set_sleepable_cb(struct bpf_timer *timer,
				      int (*callback_fn)(void *map, int *key,
							 void *value)) __ksym __weak;
#define set_sleepable_cb(timer, cb) \
	bpf_timer_set_sleepable_cb(timer, (int (*)(void *, int *, void *))(cb))

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern int bpf_copy_from_user_str(void *dst, __u32 dst__sz, const void *unsafe_ptr__ign,
				  __u64 flags) __ksym;

#endif
