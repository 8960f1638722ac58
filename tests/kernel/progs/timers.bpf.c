// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers in maps of each kind, under the control of the test: it calls control()
 * with an operation and an element. What a callback does is written in the
 * element's plan, and what it saw is counted in 'seen', which outlives elements.
 */
#include "request.bpf.h"
#include "timers.h"

struct elem {
	struct bpf_timer timer;
	struct plan plan;
};

extern const struct pcpu_hot pcpu_hot __ksym;

struct seen seen[NR_ELEMS];
const volatile int hid_id;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_ELEMS);
	__type(key, int);
	__type(value, struct elem);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, NR_ELEMS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct elem);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, NR_LRU);
	__type(key, int);
	__type(value, struct elem);
} lru SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct elem);
} inner0 SEC(".maps"), inner1 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, int);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { &inner0, &inner1 },
};

static struct seen *seen_of(struct elem *e)
{
	return &seen[e->plan.slot & (NR_ELEMS - 1)];
}

static void enter(struct seen *s, __u32 *inside)
{
	__u64 now = bpf_ktime_get_ns();

	s->time = now;
	s->cpu = bpf_get_smp_processor_id();
	if (__sync_fetch_and_add(inside, 1))
		__sync_fetch_and_add(&s->overlaps, 1);
}

static int cancel_other(struct elem *e)
{
	struct elem *o;
	int key = e->plan.arg & (NR_ELEMS - 1);

	o = bpf_map_lookup_elem(&array, &key);
	return o ? (int)bpf_timer_cancel(&o->timer) : -1;
}

/* The bits of the preemption count that softirq and hard irq have. */
#define IRQ_BITS 0xfff00

static bool in_irq(void)
{
	const struct pcpu_hot *hot = bpf_this_cpu_ptr(&pcpu_hot);

	return hot->preempt_count & IRQ_BITS;
}

static int plain_cb(void *map, int *key, struct elem *e);

static int sleepable_cb(void *map, int *key, struct elem *e)
{
	struct seen *s = seen_of(e);
	__u8 user[8];
	int k;

	enter(s, &s->inside);
	if (in_irq())
		s->wrong_context++;
	/* Something that must not be done where sleeping is a bug; there is no
	 * user behind it in a worker.
	 */
	bpf_copy_from_user_str(user, sizeof(user), NULL, 0);

	switch (e->plan.action) {
	case ACT_BLOCK:
		s->result = send_request(hid_id, e->plan.slot);
		break;
	case ACT_BLOCK_CANCEL:
		s->result = send_request(hid_id, e->plan.slot);
		s->result = cancel_other(e);
		break;
	case ACT_REARM:
		if (s->sleepable_runs + 1 < e->plan.arg)
			s->result = bpf_timer_start(&e->timer, 0, 0);
		break;
	case ACT_CANCEL_SELF:
		bpf_timer_start(&e->timer, 20 * 1000 * 1000, 0);
		s->result = bpf_timer_cancel(&e->timer);
		break;
	case ACT_CANCEL_OTHER:
		s->result = cancel_other(e);
		break;
	case ACT_DELETE_SELF:
		k = e->plan.arg;
		s->result = bpf_map_delete_elem(&hash, &k);
		break;
	case ACT_SET_PLAIN:
		bpf_timer_set_callback(&e->timer, plain_cb);
		s->result = bpf_timer_start(&e->timer, 0, 0);
		break;
	}
	s->sleepable_runs++;
	__sync_fetch_and_add(&s->inside, -1);
	return 0;
}

static int plain_cb(void *map, int *key, struct elem *e)
{
	struct seen *s = seen_of(e);

	enter(s, &s->plain_inside);
	if (!in_irq())
		s->wrong_context++;
	s->plain_runs++;
	if (e->plan.action == ACT_SET_SLEEPABLE && s->plain_runs == 1) {
		set_sleepable_cb(&e->timer, sleepable_cb);
		s->result = bpf_timer_start(&e->timer, 0, 0);
	}
	if (e->plan.action == ACT_CANCEL_OTHER_PLAIN)
		s->result = cancel_other(e);
	__sync_fetch_and_add(&s->plain_inside, -1);
	return 0;
}

/* The operations on an element, whatever map it is in; init differs. */
static int operate(struct args *a, struct elem *e)
{
	int ret;

	switch (a->op) {
	case OP_SET:
		return set_sleepable_cb(&e->timer, sleepable_cb);
	case OP_SET_PLAIN:
		return bpf_timer_set_callback(&e->timer, plain_cb);
	case OP_START:
		return bpf_timer_start(&e->timer, a->nsecs, a->flags);
	case OP_CANCEL:
		return bpf_timer_cancel(&e->timer);
	case OP_ARM:
		e->plan = a->plan;
		ret = set_sleepable_cb(&e->timer, sleepable_cb);
		return ret ? ret : bpf_timer_start(&e->timer, a->nsecs, a->flags);
	case OP_PLAN:
		e->plan = a->plan;
		return 0;
	}
	return -1;
}

SEC("syscall")
int control_array(struct args *a)
{
	int key = a->key;
	struct elem *e = bpf_map_lookup_elem(&array, &key);

	if (!e)
		return -1;
	a->ret = a->op == OP_INIT ? (int)bpf_timer_init(&e->timer, &array, CLOCK_MONOTONIC)
				  : operate(a, e);
	return 0;
}

SEC("syscall")
int control_hash(struct args *a)
{
	int key = a->key;
	struct elem *e = bpf_map_lookup_elem(&hash, &key);

	if (!e)
		return -1;
	a->ret = a->op == OP_INIT ? (int)bpf_timer_init(&e->timer, &hash, CLOCK_MONOTONIC)
				  : operate(a, e);
	return 0;
}

SEC("syscall")
int control_lru(struct args *a)
{
	int key = a->key;
	struct elem *e = bpf_map_lookup_elem(&lru, &key);

	if (!e)
		return -1;
	a->ret = a->op == OP_INIT ? (int)bpf_timer_init(&e->timer, &lru, CLOCK_MONOTONIC)
				  : operate(a, e);
	return 0;
}

SEC("syscall")
int control_inner(struct args *a)
{
	int key = a->key, zero = 0;
	struct elem *e;
	void *map;

	map = bpf_map_lookup_elem(&outer, &key);
	if (!map)
		return -1;
	e = bpf_map_lookup_elem(map, &zero);
	if (!e)
		return -1;
	a->ret = a->op == OP_INIT ? (int)bpf_timer_init(&e->timer, map, CLOCK_MONOTONIC)
				  : operate(a, e);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
