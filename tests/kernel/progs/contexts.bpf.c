// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that the verifier must take or refuse for what they do where they
 * may sleep and where they may not. contexts.c loads them one at a time and
 * knows what must come out; a program's name says what it is about.
 */
#include "request.bpf.h"

struct elem {
	struct bpf_timer timer;
	struct bpf_wq wq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, struct elem);
} elems SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, long);
} storage SEC(".maps");

struct lpm_key {
	__u32 prefixlen;
	__u32 data;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct lpm_key);
	__type(value, long);
} trie SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, long);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, long);
} array SEC(".maps");

long counter;

static __always_inline struct elem *elem(int key)
{
	return bpf_map_lookup_elem(&elems, &key);
}

#define ARM_WQ(cb)                                            \
	do {                                                  \
		struct elem *e_ = elem(0);                    \
		if (e_ && !bpf_wq_init(&e_->wq, &elems, 0)) { \
			bpf_wq_set_callback(&e_->wq, cb);     \
			bpf_wq_start(&e_->wq, 0);             \
		}                                             \
	} while (0)

#define ARM_TIMER(cb)                                                             \
	do {                                                                      \
		struct elem *e_ = elem(1);                                        \
		if (e_ && !bpf_timer_init(&e_->timer, &elems, CLOCK_MONOTONIC)) { \
			bpf_timer_set_callback(&e_->timer, cb);                   \
			bpf_timer_start(&e_->timer, 0, 0);                        \
		}                                                                 \
	} while (0)

#define ARM_SLEEPABLE(cb)                                                         \
	do {                                                                      \
		struct elem *e_ = elem(1);                                        \
		if (e_ && !bpf_timer_init(&e_->timer, &elems, CLOCK_MONOTONIC)) { \
			set_sleepable_cb(&e_->timer, cb);                         \
			bpf_timer_start(&e_->timer, 0, 0);                        \
		}                                                                 \
	} while (0)

static __always_inline int sleep_helper(void)
{
	long value;

	return bpf_copy_from_user(&value, sizeof(value), NULL);
}

static __always_inline int sleep_kfunc(void)
{
	char s[8];

	return bpf_copy_from_user_str(s, sizeof(s), NULL, 0);
}

/* Global subprograms. */

__noinline int g_neutral(int n)
{
	counter += n;
	return counter & 1;
}

__noinline int g_sleeps(int n)
{
	counter += n;
	return sleep_kfunc();
}

__noinline int g_calls_sleeps(int n)
{
	return g_sleeps(n + 1);
}

__noinline int g_calls_calls_sleeps(int n)
{
	return g_calls_sleeps(n + 1);
}

__noinline int g_sleeps_calls_neutral(int n)
{
	return sleep_kfunc() + g_neutral(n);
}

__noinline int g_storage(int n)
{
	long *v = bpf_task_storage_get(&storage, bpf_get_current_task_btf(), NULL,
				       BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (v)
		*v += n;
	return 0;
}

/* Trusts a pointer that only RCU keeps: right where RCU is held. */
__noinline int g_trusts_rcu(int n)
{
	struct task_struct *task = bpf_get_current_task_btf();
	long *v = bpf_task_storage_get(&storage, task->real_parent, NULL, 0);

	return v ? n : 0;
}

/* One loop in a helper call that the verifier inlines, one that it does not. */
static int loop_body(__u32 i, void *ctx)
{
	counter += i;
	return 0;
}

__noinline int g_loops(int n)
{
	bpf_loop(4, loop_body, NULL, 0);
	return counter & n;
}

/* Callbacks. */

static int cb_sleeps_helper(void *map, int *key, struct elem *e)
{
	sleep_helper();
	return 0;
}

static int cb_sleeps_kfunc(void *map, int *key, struct elem *e)
{
	sleep_kfunc();
	return 0;
}

static int cb_requests(void *map, int *key, struct elem *e)
{
	send_request(1, 1);
	return 0;
}

static int cb_g_neutral(void *map, int *key, struct elem *e)
{
	g_neutral(2);
	return 0;
}

static int cb_g_sleeps(void *map, int *key, struct elem *e)
{
	g_sleeps(2);
	return 0;
}

static int cb_g_calls_calls_sleeps(void *map, int *key, struct elem *e)
{
	g_calls_calls_sleeps(2);
	return 0;
}

static int cb_g_sleeps_calls_neutral(void *map, int *key, struct elem *e)
{
	g_sleeps_calls_neutral(2);
	return 0;
}

static int cb_g_storage(void *map, int *key, struct elem *e)
{
	g_storage(2);
	return 0;
}

static int cb_storage(void *map, int *key, struct elem *e)
{
	bpf_task_storage_get(&storage, bpf_get_current_task_btf(), NULL,
			     BPF_LOCAL_STORAGE_GET_F_CREATE);
	return 0;
}

static int cb_g_trusts_rcu(void *map, int *key, struct elem *e)
{
	g_trusts_rcu(2);
	return 0;
}

static int cb_g_loops(void *map, int *key, struct elem *e)
{
	g_loops(2);
	return 0;
}

static int cb_trie(void *map, int *key, struct elem *e)
{
	struct lpm_key k = { 32, 1 };

	bpf_map_lookup_elem(&trie, &k);
	return 0;
}

static int cb_sets_timer_that_sleeps(void *map, int *key, struct elem *e)
{
	bpf_timer_set_callback(&e->timer, cb_sleeps_kfunc);
	return 0;
}

static int cb_sets_sleepable(void *map, int *key, struct elem *e)
{
	set_sleepable_cb(&e->timer, cb_sleeps_kfunc);
	return 0;
}

static long each_sleeps(void *map, int *key, long *value, void *ctx)
{
	sleep_helper();
	return 0;
}

struct vm_area_struct;

static long vma_sleeps(struct task_struct *task, struct vm_area_struct *vma, void *ctx)
{
	sleep_helper();
	return 0;
}

/* Sleepable programs. */

SEC("?syscall")
int syscall_timer_sleeps_helper(void *ctx)
{
	ARM_TIMER(cb_sleeps_helper);
	return 0;
}

SEC("?syscall")
int syscall_timer_sleeps_kfunc(void *ctx)
{
	ARM_TIMER(cb_sleeps_kfunc);
	return 0;
}

SEC("?syscall")
int syscall_timer_requests(void *ctx)
{
	ARM_TIMER(cb_requests);
	return 0;
}

SEC("?syscall")
int syscall_timer_g_sleeps(void *ctx)
{
	g_sleeps(1);
	ARM_TIMER(cb_g_sleeps);
	return 0;
}

SEC("?syscall")
int syscall_timer_g_neutral(void *ctx)
{
	g_neutral(1);
	ARM_TIMER(cb_g_neutral);
	return 0;
}

SEC("?syscall")
int syscall_wq_sets_timer_that_sleeps(void *ctx)
{
	ARM_WQ(cb_sets_timer_that_sleeps);
	return 0;
}

SEC("?syscall")
int syscall_rcu_g_sleeps(void *ctx)
{
	bpf_rcu_read_lock();
	g_sleeps(1);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("?syscall")
int syscall_rcu_g_neutral(void *ctx)
{
	bpf_rcu_read_lock();
	g_neutral(1);
	bpf_rcu_read_unlock();
	return g_neutral(1) & 0;
}

SEC("?syscall")
int syscall_storage(void *ctx)
{
	bpf_task_storage_get(&storage, bpf_get_current_task_btf(), NULL,
			     BPF_LOCAL_STORAGE_GET_F_CREATE);
	return 0;
}

SEC("?syscall")
int syscall_timer_storage(void *ctx)
{
	ARM_TIMER(cb_storage);
	return 0;
}

SEC("?syscall")
int syscall_timer_g_storage(void *ctx)
{
	g_storage(1);
	ARM_TIMER(cb_g_storage);
	return 0;
}

/* the other order: the context that may not sleep is found first */
SEC("?syscall")
int syscall_rcu_g_storage(void *ctx)
{
	bpf_rcu_read_lock();
	g_storage(1);
	bpf_rcu_read_unlock();
	g_storage(1);
	return 0;
}

/* RCU is held where the elements of a hash are gone through, and not with an array. */
SEC("?syscall")
int syscall_hash_each_sleeps(void *ctx)
{
	bpf_for_each_map_elem(&hash, each_sleeps, NULL, 0);
	return 0;
}

SEC("?syscall")
int syscall_array_each_sleeps(void *ctx)
{
	bpf_for_each_map_elem(&array, each_sleeps, NULL, 0);
	return 0;
}

/* one callback for both */
SEC("?syscall")
int syscall_array_and_hash_each_sleeps(void *ctx)
{
	bpf_for_each_map_elem(&array, each_sleeps, NULL, 0);
	bpf_for_each_map_elem(&hash, each_sleeps, NULL, 0);
	return 0;
}

/* The memory map is locked for the callback. */
SEC("?syscall")
int syscall_find_vma_sleeps(void *ctx)
{
	bpf_find_vma(bpf_get_current_task_btf(), 0, vma_sleeps, NULL, 0);
	return 0;
}

/* Programs that are not sleepable. */

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_wq_g_neutral)
{
	g_neutral(1);
	ARM_WQ(cb_g_neutral);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_g_neutral)
{
	g_neutral(1);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_wq_only_g_neutral)
{
	ARM_WQ(cb_g_neutral);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_g_sleeps)
{
	g_sleeps(1);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_wq_g_sleeps)
{
	ARM_WQ(cb_g_sleeps);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_both_g_sleeps)
{
	g_sleeps(1);
	ARM_WQ(cb_g_sleeps);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_wq_g_calls_calls_sleeps)
{
	ARM_WQ(cb_g_calls_calls_sleeps);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_both_g_calls_calls_sleeps)
{
	g_calls_calls_sleeps(1);
	ARM_WQ(cb_g_calls_calls_sleeps);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_recursion_of_contexts)
{
	g_neutral(1);
	ARM_WQ(cb_g_sleeps_calls_neutral);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_wq_g_storage)
{
	g_storage(1);
	ARM_WQ(cb_g_storage);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_wq_only_storage)
{
	ARM_WQ(cb_storage);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_g_trusts_rcu)
{
	g_trusts_rcu(1);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_wq_g_trusts_rcu)
{
	g_trusts_rcu(1);
	ARM_WQ(cb_g_trusts_rcu);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_wq_g_loops)
{
	g_loops(1);
	ARM_WQ(cb_g_loops);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_wq_trie)
{
	ARM_WQ(cb_trie);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_trie_wq_else)
{
	struct lpm_key k = { 32, 1 };

	bpf_map_lookup_elem(&trie, &k);
	ARM_WQ(cb_sleeps_kfunc);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_timer_sleeps)
{
	ARM_TIMER(cb_sleeps_kfunc);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_sleepable_sleeps)
{
	ARM_SLEEPABLE(cb_sleeps_kfunc);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_same_cb_both_ways)
{
	ARM_TIMER(cb_sleeps_kfunc);
	ARM_SLEEPABLE(cb_sleeps_kfunc);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_timer_sets_sleepable)
{
	ARM_TIMER(cb_sets_sleepable);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_sleepable_g_sleeps)
{
	ARM_SLEEPABLE(cb_g_sleeps);
	return 0;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(plain_not_a_timer)
{
	struct elem *e = elem(1);

	if (e)
		set_sleepable_cb((struct bpf_timer *)&e->wq, cb_sleeps_kfunc);
	return 0;
}

/* Targets of extension programs. */

__noinline int t_sleepable_only(int n)
{
	volatile int ret = n;

	return ret;
}

__noinline int t_both(int n)
{
	volatile int ret = n;

	return ret;
}

__noinline int t_plain_only(int n)
{
	volatile int ret = n;

	return ret;
}

static int cb_targets(void *map, int *key, struct elem *e)
{
	t_sleepable_only(1);
	t_both(1);
	return 0;
}

SEC("?lsm/bpf")
int BPF_PROG(targets)
{
	t_both(1);
	t_plain_only(1);
	ARM_WQ(cb_targets);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
