// SPDX-License-Identifier: MIT
/*
 * Measures what private stacks cost. Under kernel/vm --icount a nanosecond is an
 * instruction, so that differences are exact.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "private-stack.h"

#define CALLS 20000 /* as in bench.bpf.c */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Bytes of all functions of the program. */
static unsigned int jited_size(int fd)
{
	struct bpf_prog_info info = {};
	unsigned int len = sizeof(info);

	return bpf_prog_get_info_by_fd(fd, &info, &len) ? 0 : info.jited_prog_len;
}

/* Time for each call, the least of several runs; negative if it does not load. */
static double time_calls(const char *program, unsigned int *size)
{
	struct bpf_object *obj = load_programs("bench", program, NULL);
	struct bpf_link *link;
	double t, best = -1;
	int i;

	if (!obj)
		return -1;
	*size = jited_size(prog_fd(obj, program));
	link = bpf_program__attach(bpf_object__find_program_by_name(obj, program));
	for (i = 0; link && i < 5; i++) {
		t = now();
		(void)getpgid(0);
		t = now() - t;
		if (best < 0 || t < best)
			best = t;
	}
	bpf_link__destroy(link);
	bpf_object__close(obj);
	return best / CALLS;
}

static void calls(const char *prefix)
{
	static const char *const sizes[] = { "32", "64", "256", "496" };
	unsigned int jited, jited_none;
	char name[32];
	double none, t;
	size_t i;

	none = time_calls("call_none", &jited_none);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		snprintf(name, sizeof(name), "%s_%s", prefix, sizes[i]);
		t = time_calls(name, &jited);
		if (t < 0)
			printf("%-16s refused\n", name);
		else
			printf("%-16s %6.2f more than a call without frame (%.2f), image %u bytes\n",
			       name, t - none, none, jited);
	}
}

/* Kernel stack that is taken by a chain, main program included. */
static void chain(const char *program)
{
	struct bpf_object *obj = load_programs("bench", program, "look", NULL);
	unsigned long long *first, *eighth;
	struct bpf_link *link;
	size_t size;
	int ret, err;

	if (!obj) {
		printf("%-16s refused\n", program);
		return;
	}
	link = bpf_program__attach(bpf_object__find_program_by_name(obj, "look"));
	err = link ? test_run(prog_fd(obj, program), &ret) : -errno;
	first = data_of(obj, "sp_at_first", &size);
	eighth = data_of(obj, "sp_at_eighth", &size);
	if (err || !first || !eighth)
		printf("%-16s error %d\n", program, err);
	else
		printf("%-16s %lld bytes between the first level and the eighth, %d bytes private, image %u bytes\n",
		       program, (long long)(*first - *eighth),
		       fdinfo(prog_fd(obj, program), "priv_stack"),
		       jited_size(prog_fd(obj, program)));
	bpf_link__destroy(link);
	bpf_object__close(obj);
}

/* The least time that a report takes from the write to uhid until it is handled. */
static double report_time(struct device *dev)
{
	double t, best = -1;
	int i;

	for (i = 0; i < 300; i++) {
		t = now();
		if (send_report(dev, 0x11))
			return -1;
		t = now() - t;
		if (best < 0 || t < best)
			best = t;
	}
	return best;
}

/* A report's way with the handler @program, as @ops, of which the kernel may have none. */
static void event(const char *program, const char *ops)
{
	struct bpf_object *obj = open_hid(program, ops);
	struct bpf_link *link = NULL;
	struct device dev;
	double none, t;
	int fd;

	if (!obj || open_device(&dev))
		goto out;
	/* Nobody reads. */
	close(dev.hidraw);
	dev.hidraw = -1;
	none = report_time(&dev);
	set_device(obj, ops, &dev);
	if (bpf_object__load(obj)) {
		printf("%-16s refused\n", program);
		goto close;
	}
	link = attach_ops(obj, ops);
	if (!link)
		goto close;
	fd = prog_fd(obj, program);
	t = report_time(&dev);
	printf("%-16s %6.0f more than a report without handler (%.0f), %d bytes private, image %u bytes\n",
	       program, t - none, none, fdinfo(fd, "priv_stack"), jited_size(fd));
	bpf_link__destroy(link);
close:
	close_device(&dev);
out:
	bpf_object__close(obj);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bench-private-stack OBJECT-DIRECTORY\n");
		return 2;
	}
	ctx.dir = argv[1];
	calls("call");
	calls("with_helper");
	chain("chain_64");
	chain("chain_400");
	event("small_event", "light");
	event("large_event", "heavy");
	return 0;
}
