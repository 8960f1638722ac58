// SPDX-License-Identifier: GPL-2.0-only
/* Replacements for the functions of contexts.bpf.c's program 'targets'. */
#include "kernel.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, long);
} storage SEC(".maps");

SEC("?freplace")
int sleeps(int n)
{
	char s[8];

	return bpf_copy_from_user_str(s, sizeof(s), NULL, 0) + n;
}

SEC("?freplace")
int neutral(int n)
{
	return n + 1;
}

SEC("?freplace")
int trusts_rcu(int n)
{
	struct task_struct *task = bpf_get_current_task_btf();
	long *v = bpf_task_storage_get(&storage, task->real_parent, NULL, 0);

	return v ? n : 0;
}

char LICENSE[] SEC("license") = "GPL";
