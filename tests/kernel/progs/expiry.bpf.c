// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cancels a timer between its callback and the moment when the kernel says that it is
 * not running any more.
 */
#include "kernel.bpf.h"
#include "timer-map.bpf.h"
#include "expiry.h"

struct expiry expiry;

static int callback(void *map, int *key, struct elem *e)
{
	expiry.cpu = bpf_get_smp_processor_id();
	expiry.runs++;
	return 0;
}

SEC("syscall")
int start(void *ctx)
{
	int key = 0;
	struct elem *e = bpf_map_lookup_elem(&elems, &key);

	if (!e)
		return 1;
	bpf_timer_init(&e->timer, &elems, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&e->timer, callback);
	return bpf_timer_start(&e->timer, 1000 * 1000, BPF_F_TIMER_CPU_PIN);
}

/* The first timer that ends there after the callback is, but for an interrupt, its own. */
SEC("tp_btf/hrtimer_expire_exit")
int BPF_PROG(on_exit, void *hrtimer)
{
	struct elem *e;
	int key = 0;

	if (expiry.runs == expiry.cancelled || expiry.cpu != bpf_get_smp_processor_id())
		return 0;
	e = bpf_map_lookup_elem(&elems, &key);
	if (!e)
		return 0;
	expiry.result = bpf_timer_cancel(&e->timer);
	expiry.cancelled++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
