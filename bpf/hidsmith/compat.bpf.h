/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel differences, one small function each. Nothing else in the headers or in
 * a fixup asks which kernel it runs on.
 *
 * A kernel function that may be missing is declared weak: its calls are behind
 * bpf_ksym_exists(), which is a constant when the verifier sees it, and the dead
 * branch is removed. One whose prototype changed is declared once for each
 * shape; libbpf ignores what follows `___` and takes the shape that fits.
 */
#ifndef HIDSMITH_COMPAT_BPF_H
#define HIDSMITH_COMPAT_BPF_H

#include "hid.bpf.h"

typedef int (*hs_async_cb)(void *map, int *key, void *value);

extern int bpf_wq_init(struct bpf_wq *wq, void *p__map, unsigned int flags) __weak __ksym;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __weak __ksym;

/* 6.10 to 6.x: the last argument is the verifier's to fill in. */
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq,
				    int(callback_fn)(void *map, int *key, void *value),
				    unsigned int flags, void *aux__ign) __weak __ksym;
/* 7.x: it has become implicit, and _impl has another prototype. */
extern int bpf_wq_set_callback(struct bpf_wq *wq,
			       int(callback_fn)(void *map, int *key, void *value),
			       unsigned int flags) __weak __ksym;

/* Kernels with sleepable timers. */
extern int bpf_timer_set_sleepable_cb(struct bpf_timer *timer,
				      int(callback_fn)(void *map, int *key,
						       void *value)) __weak __ksym;

/* A constant for the verifier: the other kind of kernel's code costs nothing. */
static __always_inline bool hs_has_sleepable_timer(void)
{
	return bpf_ksym_exists(bpf_timer_set_sleepable_cb);
}

/* A macro, not a function: the callback must be a name where the call stands. */
#define hs_wq_set_callback(wq, fn)                                         \
	({                                                                 \
		int __err = -ENOSYS;                                       \
                                                                           \
		if (bpf_ksym_exists(bpf_wq_set_callback))                  \
			__err = bpf_wq_set_callback(wq, fn, 0);            \
		else if (bpf_ksym_exists(bpf_wq_set_callback_impl))        \
			__err = bpf_wq_set_callback_impl(wq, fn, 0, NULL); \
		__err;                                                     \
	})

#endif /* HIDSMITH_COMPAT_BPF_H */
