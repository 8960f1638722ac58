// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets, starts and cancels a sleepable timer in hard irq: the context of
 * HID-BPF's device_event for a device whose driver reports in its interrupt.
 */
#include "kernel.bpf.h"
#include "timer-map.bpf.h"
#include "hardirq.h"

struct hardirq_state state = { .todo = HARDIRQ_NOTHING };

__u64 last_storm[HARDIRQ_CPUS];

static int callback(void *map, int *key, struct elem *e)
{
	char s[8];

	bpf_copy_from_user_str(s, sizeof(s), NULL, 0);
	state.runs++;
	return 0;
}

SEC("tp_btf/irq_handler_entry")
int BPF_PROG(in_hard_irq, int irq)
{
	struct elem *e;
	int key = 0;

	if (state.todo == HARDIRQ_NOTHING)
		return 0;
	e = bpf_map_lookup_elem(&elems, &key);
	if (!e)
		return 0;
	if (state.todo == HARDIRQ_START) {
		bpf_timer_init(&e->timer, &elems, CLOCK_MONOTONIC);
		state.set = set_sleepable_cb(&e->timer, callback);
		state.start = bpf_timer_start(&e->timer, state.nsecs, 0);
	} else {
		state.cancel = bpf_timer_cancel(&e->timer);
	}
	state.todo = HARDIRQ_NOTHING;
	state.done++;
	return 0;
}

/*
 * For the stress: in the timer interrupt of each CPU, which comes between any two
 * instructions of a callback and of what calls it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HARDIRQ_ELEMS);
	__type(key, int);
	__type(value, struct elem);
} storm SEC(".maps");

static int storm_sleepable(void *map, int *key, struct elem *e)
{
	char s[8];

	bpf_copy_from_user_str(s, sizeof(s), NULL, 0);
	__sync_fetch_and_add(&state.runs, 1);
	return 0;
}

static int storm_plain(void *map, int *key, struct elem *e)
{
	__sync_fetch_and_add(&state.plain_runs, 1);
	bpf_timer_start(&e->timer, STORM_PAUSE, 0);
	return 0;
}

static void arm(struct elem *e, __u32 random)
{
	bpf_timer_init(&e->timer, &storm, CLOCK_MONOTONIC);
	if (random & 1)
		set_sleepable_cb(&e->timer, storm_sleepable);
	else
		bpf_timer_set_callback(&e->timer, storm_plain);
	bpf_timer_start(&e->timer, random % 4 ? (random >> 8) % STORM_PAUSE : 0, 0);
}

/* A timer makes an interrupt, in which one is armed: without a pause nothing else
 * would run.
 */
static bool time_for_storm(void)
{
	__u32 cpu = bpf_get_smp_processor_id() % HARDIRQ_CPUS;
	__u64 now = bpf_ktime_get_ns();

	if (now - last_storm[cpu] < STORM_PAUSE)
		return false;
	last_storm[cpu] = now;
	return true;
}

SEC("tp_btf/local_timer_entry")
int BPF_PROG(in_timer_irq, int vector)
{
	__u32 random = bpf_get_prandom_u32();
	int key = (random >> 4) % HARDIRQ_ELEMS;
	struct elem *e, new = {};

	if (!time_for_storm())
		return 0;
	e = bpf_map_lookup_elem(&storm, &key);
	if (!e)
		bpf_map_update_elem(&storm, &key, &new, BPF_NOEXIST);
	else if (random % 8 == 0)
		bpf_map_delete_elem(&storm, &key);
	else if (random % 8 < 3)
		bpf_timer_cancel(&e->timer);
	else
		arm(e, random >> 8);
	__sync_fetch_and_add(&state.done, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
