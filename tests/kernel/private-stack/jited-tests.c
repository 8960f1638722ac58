// SPDX-License-Identifier: MIT
/*
 * The machine code of functions with and without private frames, instruction by
 * instruction: where r9 is loaded, saved and loaded again, and where there is no r9.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine-code.h"
#include "private-stack.h"

/* sub rsp, bytes: a frame on the kernel stack */
#define STACK_FRAME(bytes) "48 81 ec " bytes " 00 00 00 "
/* mov edi, 7 */
#define ARGUMENT "bf 07 00 00 00 "

/* mov [rbp - 128], rdi; mov rax, [rbp - 128] */
static const char leaf_on_stack[] = ENTRY STACK_FRAME("80") "48 89 7d 80 48 8b 45 80 " RETURN;
/* mov [r9 - 128], rdi; mov rax, [r9 - 128] */
static const char leaf_private[] = ENTRY PRIVATE_FRAME "49 89 79 80 49 8b 41 80 " RETURN;

/* mov [rbp - 64], rdi; calls; mov rax, [rbp - 64] */
static const char calls_on_stack[] =
	ENTRY STACK_FRAME("40") "48 89 7d c0 " ARGUMENT
				"call:leaf call:bpf_ktime_get_ns 48 8b 45 c0 " RETURN;
/* mov [r9 - 64], rdi; calls; mov rax, [r9 - 64] */
static const char calls_private[] =
	ENTRY PRIVATE_FRAME SAVE "49 89 79 c0 " ARGUMENT "call:leaf " RELOAD
				 "call:bpf_ktime_get_ns " RELOAD "49 8b 41 c0 " RETURN;

/*
 * push rbx; mov rbx, rdi; mov [frame - 64], rbx; call; mov rax, [frame - 64];
 * add rax, rbx; pop rbx. What is saved of r9 is above what is saved of rbx.
 */
static const char r6_on_stack[] =
	ENTRY STACK_FRAME("40") "53 48 89 fb 48 89 5d c0 " ARGUMENT
				"call:leaf 48 8b 45 c0 48 01 d8 5b " RETURN;
static const char r6_private[] = ENTRY PRIVATE_FRAME SAVE
	"53 48 89 fb 49 89 59 c0 " ARGUMENT "call:leaf " RELOAD "49 8b 41 c0 48 01 d8 5b " RETURN;

/* mov [rbp - 48], rdi; call */
static const char small_on_stack[] =
	ENTRY STACK_FRAME("30") "48 89 7d d0 " ARGUMENT "call:leaf " RETURN;

/* mov [rbp - 32], rdi; calls; xor eax, eax */
static const char main_on_stack[] =
	ENTRY STACK_FRAME("20") "48 89 7d e0 " ARGUMENT "call:calls " ARGUMENT
				"call:uses_r6 " ARGUMENT "call:small 31 c0 " RETURN;

/* push rax, twice: the tail call counter and the pointer to it */
static const char tail_calls_on_stack[] = ENTRY STACK_FRAME("40") "50 50 48 89 7d c0 ...";

static const struct {
	const char *program, *function, *on_series, *on_base;
} expected[] = {
	{ "frames", "frames", main_on_stack, main_on_stack },
	{ "frames", "calls", calls_private, calls_on_stack },
	{ "frames", "uses_r6", r6_private, r6_on_stack },
	{ "frames", "small", small_on_stack, small_on_stack },
	{ "frames", "leaf", leaf_private, leaf_on_stack },
	{ "sleepable", "calls", calls_on_stack, calls_on_stack },
	{ "sleepable", "leaf", leaf_on_stack, leaf_on_stack },
	{ "work_queue", "calls", calls_on_stack, calls_on_stack },
	{ "work_queue", "leaf", leaf_on_stack, leaf_on_stack },
	{ "two_timers", "uses_r6", r6_private, r6_on_stack },
	{ "two_timers", "leaf", leaf_on_stack, leaf_on_stack },
	{ "tail_call", "calls", calls_private, calls_on_stack },
	{ "tail_call", "leaf", leaf_private, leaf_on_stack },
	{ "tail_call", "tail_calls", tail_calls_on_stack, tail_calls_on_stack },
};

static int fail(const char *what, long long is, long long want)
{
	snprintf(ctx.why, sizeof(ctx.why), "%s: %lld, expected %lld", what, is, want);
	return 1;
}

static int no_function(const char *name)
{
	snprintf(ctx.why, sizeof(ctx.why), "no function %s", name);
	return 1;
}

/* A callee's frame is below its caller's, with a guard word between them. */
static int check_places(unsigned long long calls, unsigned long long r6, unsigned long long leaf)
{
	if (calls - leaf != 64 + 8)
		return fail("from the frame of calls() to leaf()'s", (long long)(calls - leaf), 72);
	if (calls != r6)
		return fail("from calls() to uses_r6()", (long long)(r6 - calls), 0);
	return 0;
}

static int check_code(const char *program, const struct machine_code *code)
{
	unsigned long long top, calls = 0, r6 = 0, leaf = 0;
	const struct function *f;
	size_t i, private = 0;

	for (i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		if (strcmp(expected[i].program, program))
			continue;
		f = function_named(code, expected[i].function);
		if (!f)
			return no_function(expected[i].function);
		top = 0;
		if (!code_matches(code, f, ctx.base ? expected[i].on_base : expected[i].on_series,
				  &top))
			return 1;
		private += top != 0;
		if (!strcmp(f->name, "calls"))
			calls = top;
		else if (!strcmp(f->name, "uses_r6"))
			r6 = top;
		else if (!strcmp(f->name, "leaf"))
			leaf = top;
	}
	snprintf(ctx.why, sizeof(ctx.why), "%zu functions load r9", private);
	return calls && r6 && leaf ? check_places(calls, r6, leaf) : 0;
}

static int check_program(const struct test *t)
{
	struct bpf_object *obj = load_programs("jited", t->program, NULL);
	struct machine_code code;
	int err;

	if (!obj) {
		set_reason(errno);
		return 1;
	}
	err = read_machine_code(prog_fd(obj, t->program), &code);
	if (err)
		fail("reading the machine code", err, 0);
	else
		err = check_code(t->program, &code);
	free_machine_code(&code);
	bpf_object__close(obj);
	return err;
}

/* A function of an event handler takes its frame from the slot of the run. */
static int check_slots(const struct test *t)
{
	static const struct {
		const char *name, *pattern;
	} functions[] = {
		{ "injecting", ENTRY SLOT_FRAME SAVE "..." },
		{ "parse_fields", ENTRY SLOT_FRAME SAVE "..." },
		{ "inject", ENTRY SLOT_FRAME SAVE "..." },
		{ "look", ENTRY SLOT_FRAME "..." },
	};
	struct bpf_object *obj = open_hid("injecting", "injector");
	struct machine_code code = {};
	unsigned long long top[4] = {};
	const struct function *f;
	size_t i;
	int err;

	(void)t;
	if (!obj)
		return 1;
	err = bpf_object__load(obj);
	if (err) {
		set_reason(-err);
		bpf_object__close(obj);
		return !ctx.base || !strstr(ctx.why, "combined stack size");
	}
	err = read_machine_code(prog_fd(obj, "injecting"), &code);
	for (i = 0; !err && i < 4; i++) {
		f = function_named(&code, functions[i].name);
		if (!f)
			err = no_function(functions[i].name);
		else
			err = !code_matches(&code, f, functions[i].pattern, &top[i]);
	}
	/* Three callees share the place below the main program's. */
	if (!err && (top[1] != top[2] || top[1] != top[3] || top[0] <= top[1]))
		err = fail("from the main frame to its callee's", (long long)(top[0] - top[1]),
			   248);
	if (!err)
		snprintf(ctx.why, sizeof(ctx.why), "4 functions load r9 from the slot");
	free_machine_code(&code);
	bpf_object__close(obj);
	return err || ctx.base;
}

#define JITED(test, prog)                                            \
	{                                                            \
		.name = test, .program = prog, .run = check_program, \
	}

const struct test jited_tests[] = {
	JITED("jited-frames", "frames"),
	JITED("jited-sleepable", "sleepable"),
	JITED("jited-workqueue", "work_queue"),
	JITED("jited-two-timers-share", "two_timers"),
	JITED("jited-tail-call", "tail_call"),
	{ .name = "jited-slots", .run = check_slots },
	{},
};
