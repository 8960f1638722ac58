// SPDX-License-Identifier: MIT
/*
 * Private stacks and tail calls: which programs the verifier takes, and what they
 * do when they run. Each test says what is expected on the series and on the
 * unpatched kernel, and fails if either differs from that.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../ktap.h"
#include "../reports.h"
#include "private-stack.h"

static const char help[] =
	"usage: private-stack [--base] [--table] [--only NAME] OBJECT-DIRECTORY\n"
	"       private-stack --stress SECONDS | --scarce OBJECT-DIRECTORY\n"
	"\n"
	"Runs the tests of private stacks and tail calls; as root, in the VM.\n"
	"\n"
	"  --base       expect what the unpatched kernel does\n"
	"  --table      print test and result as two columns instead of KTAP\n"
	"  --only NAME  run one test\n"
	"  --stress SEC use all kinds of private frames on all processors for SEC seconds\n"
	"  --scarce     load programs of all kinds while each allocation fails in turn\n";

/* libbpf's own messages matter only where a test does not expect a failure. */
static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

/* Loads one program and compares the verdict, and the reason, with what should be. */
static int run_load(const struct test *t)
{
	const struct verdict *want = ctx.base ? &t->on_base : &t->on_series;
	struct bpf_object *obj = load_programs(t->object, t->program, NULL);
	int err = obj ? 0 : errno, size;
	bool ok;

	if (!obj) {
		set_reason(err);
		ok = !want->accept && strstr(ctx.why, want->message ?: "");
		if (!ok)
			ktap_note("%.4000s", verifier_log());
		return !ok;
	}
	size = fdinfo(prog_fd(obj, t->program), "priv_stack");
	snprintf(ctx.why, sizeof(ctx.why), "accepted");
	if (size > 0)
		snprintf(ctx.why, sizeof(ctx.why), "accepted, %d bytes on each CPU", size);
	ok = want->accept && (ctx.base || !want->private_bytes == (size <= 0));
	/* The compiler may save a few registers in a frame. */
	if (ok && want->private_bytes > 0 &&
	    (size < want->private_bytes || size >= want->private_bytes + 64)) {
		ktap_note("private stack of %d bytes, expected %d", size, want->private_bytes);
		ok = false;
	}
	bpf_object__close(obj);
	return !ok;
}

static int run_one(const struct test *t)
{
	int err;

	ctx.why[0] = 0;
	err = t->run ? t->run(t) : run_load(t);
	if (ctx.table)
		printf("%-28s %s%s\n", t->name, ctx.why, err ? "   (not as expected)" : "");
	else if (!ktap_result(!err, t->name) || ctx.why[0])
		ktap_note("%s", ctx.why);
	return err;
}

/* What the kernel had to say to all that, also to the end of the last programs. */
static int run_kernel_log(const struct test *t)
{
	unsigned int n;

	(void)t;
	usleep(500000);
	n = reports_read(NULL, NULL);
	snprintf(ctx.why, sizeof(ctx.why), n ? "%u reports" : "no report", n);
	return n != 0;
}

static const struct test log_tests[] = {
	{ .name = "kernel-log", .run = run_kernel_log },
	{},
};

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "base", no_argument, NULL, 'b' },
		{ "table", no_argument, NULL, 't' },
		{ "only", required_argument, NULL, 'o' },
		{ "stress", required_argument, NULL, 's' },
		{ "scarce", no_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	const struct test *const tables[] = { load_tests,  run_tests,       jited_tests,
					      order_tests, memory_tests,    arena_tests,
					      forms_tests, tail_call_tests, hid_tests,
					      log_tests };
	const char *only = NULL;
	const struct test *t;
	bool no_memory = false;
	int c, n = 0, failed = 0, seconds = 0;
	size_t i;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'b':
			ctx.base = true;
			break;
		case 't':
			ctx.table = true;
			break;
		case 'o':
			only = optarg;
			break;
		case 's':
			seconds = atoi(optarg);
			break;
		case 'm':
			no_memory = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			fputs(help, stderr);
			return 2;
		}
	}
	if (optind + 1 != argc) {
		fputs(help, stderr);
		return 2;
	}
	ctx.dir = argv[optind];
	libbpf_set_print(print_nothing);
	if (!reports_open())
		return 1;

	if (seconds > 0 || no_memory) {
		ktap_start(1);
		if (no_memory)
			ktap_result(!scarce(), "scarce");
		else
			ktap_result(!stress(seconds), "stress");
		return ktap_end();
	}
	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (t = tables[i]; t->name; t++)
			n += !only || !strcmp(only, t->name);
	if (!n) {
		fprintf(stderr, "private-stack: no test '%s'\n", only);
		return 2;
	}
	if (!ctx.table)
		ktap_start(n);
	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (t = tables[i]; t->name; t++)
			if (!only || !strcmp(only, t->name))
				failed += !!run_one(t);
	return ctx.table ? !!failed : ktap_end();
}
