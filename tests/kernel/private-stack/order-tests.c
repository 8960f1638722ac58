// SPDX-License-Identifier: MIT
/*
 * Which functions get private frames does not depend on where they are in the
 * program, nor on which of them the verifier comes to first.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../ktap.h"
#include "generated.h"
#include "machine-code.h"
#include "private-stack.h"

enum { MAIN, ONLY_MAIN, TIMER_A, TIMER_B, SHARED, BELOW_SHARED, FUNCS };

static const struct generated_func funcs[FUNCS] = {
	/* More than the kernel stack has, or fentry programs would stay on it. */
	[MAIN] = { 304, CALLS(ONLY_MAIN, SHARED), false },
	[ONLY_MAIN] = { 304, NO_CALLS, false },
	/* One root that calls a function twice, and two that share others. */
	[TIMER_A] = { 80, CALLS(SHARED, SHARED), true },
	[TIMER_B] = { 96, CALLS(BELOW_SHARED), true },
	[SHARED] = { 72, CALLS(BELOW_SHARED), false },
	[BELOW_SHARED] = { 64, NO_CALLS, false },
};

static const bool private[FUNCS] = {
	[MAIN] = true, [ONLY_MAIN] = true, [TIMER_A] = true, [TIMER_B] = true
};

#define PRIVATE_BYTES (304 + 304 + 3 * 8 + 80 + 2 * 8 + 96 + 2 * 8)

static int wrong(const struct generated *g, const char *what, int is, int want)
{
	snprintf(ctx.why, sizeof(ctx.why), "order %d %d %d %d %d, timers %s: %s %d, expected %d",
		 g->order[0], g->order[1], g->order[2], g->order[3], g->order[4],
		 g->callbacks_last ? "last" : "first", what, is, want);
	return 1;
}

static int check_marks(const struct generated *g, int fd)
{
	struct machine_code code;
	unsigned long long top;
	bool is;
	int i, func, err;

	if (fdinfo(fd, "priv_stack") != PRIVATE_BYTES)
		return wrong(g, "bytes", fdinfo(fd, "priv_stack"), PRIVATE_BYTES);
	err = read_machine_code(fd, &code);
	if (err)
		return wrong(g, "reading the machine code", err, 0);
	for (i = 0; i < FUNCS && !err; i++) {
		func = i ? g->order[i - 1] : MAIN;
		is = code_matches(&code, &code.functions[i], ENTRY PRIVATE_FRAME "...", &top);
		if (is != private[func]) {
			err = wrong(g, "function has a private frame", is, private[func]);
			ktap_note("function %d", func);
		}
	}
	free_machine_code(&code);
	return err;
}

static int check_order(struct generated *g)
{
	static char log[1 << 16];
	int fd, err;

	fd = load_generated(g, log, sizeof(log));
	if (fd < 0) {
		err = wrong(g, "load", fd, 0);
		if (!ctx.base || !strstr(log, "combined stack size of 2 calls is 608"))
			ktap_note("%.2000s", log);
		else
			err = 0;
		return err;
	}
	err = ctx.base ? wrong(g, "load", fd, -EACCES) : check_marks(g, fd);
	close(fd);
	return err;
}

/* All orders of @order from @from on. */
static int permute(struct generated *g, int *order, int from, int *done)
{
	int i, err = 0, moved;

	if (from == FUNCS - 1) {
		for (i = 0; i < 2 && !err; i++, ++*done) {
			g->callbacks_last = i;
			err = check_order(g);
		}
		return err;
	}
	for (i = from; i < FUNCS - 1 && !err; i++) {
		moved = order[i];
		order[i] = order[from];
		order[from] = moved;
		err = permute(g, order, from + 1, done);
		order[from] = order[i];
		order[i] = moved;
	}
	return err;
}

static int all_orders(const struct test *t)
{
	int order[] = { ONLY_MAIN, TIMER_A, TIMER_B, SHARED, BELOW_SHARED };
	struct generated g = {
		.funcs = funcs,
		.count = FUNCS,
		.order = order,
		.type = BPF_PROG_TYPE_TRACING,
		.attach_type = BPF_TRACE_FENTRY,
	};
	int done = 0, err;

	(void)t;
	err = libbpf_find_vmlinux_btf_id("bpf_fentry_test1", BPF_TRACE_FENTRY);
	if (err < 0) {
		snprintf(ctx.why, sizeof(ctx.why), "bpf_fentry_test1: %s", strerror(-err));
		return 1;
	}
	g.attach_btf_id = (unsigned int)err;
	err = permute(&g, order, 0, &done);
	if (!err && ctx.base)
		snprintf(ctx.why, sizeof(ctx.why), "refused: 608 bytes in 2 functions, %d times",
			 done);
	else if (!err)
		snprintf(ctx.why, sizeof(ctx.why), "4 private frames of 6 in all of %d orders",
			 done);
	return err;
}

const struct test order_tests[] = {
	{ .name = "order-of-functions", .run = all_orders },
	{},
};
