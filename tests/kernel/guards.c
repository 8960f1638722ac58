// SPDX-License-Identifier: MIT
/*
 * Guard words of private stack frames. The kernel looks at them when it frees the
 * program, and says what it found and whose they are.
 */
#include "guards.h"

#include "checkers.h"
#include "device.h"
#include "harness.h"
#include "progs/guards.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char sign[] = "BPF private stack of program ";

/* The kernel's log from here on. */
static int log_from_now(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	check(fd >= 0 && lseek(fd, 0, SEEK_END) >= 0, "/dev/kmsg: %s", strerror(errno));
	return fd;
}

/* Copies the log's next line about a guard word, from 'sign' on. */
static bool next_line(int log, char *text, size_t size)
{
	char line[1024], *at;
	ssize_t n;

	while ((n = read(log, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		at = strstr(line, sign);
		if (!at)
			continue;
		snprintf(text, size, "%.*s", (int)strcspn(at, "\n"), at);
		return true;
	}
	return false;
}

/* The program's bytes on each CPU. */
static int private_bytes(struct bpf_object *obj, const char *program)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, program);
	char path[64], line[128];
	int bytes = 0;
	FILE *f;

	check(prog, "no program %s", program);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_program__fd(prog));
	f = fopen(path, "r");
	check(f, "%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "priv_stack: %d", &bytes) == 1)
			break;
	fclose(f);
	check(bytes, "%s has no private frames", program);
	return bytes;
}

/* The helper writes so many bytes before and after the frame. */
static void load_overrun(unsigned int before, unsigned int after)
{
	char params[64];

	snprintf(params, sizeof(params), "size=%d before=%u after=%u", FRAME_BYTES, before, after);
	check_int("overrun.ko", load_module("overrun", params), 0);
}

static struct bpf_object *open_program(const char *program)
{
	struct bpf_object *obj = open_object("guards");
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), program));
	return obj;
}

/* Two frames below one another, of which the helper fills the lower one. */
#define CALLS_FILL_BYTES (2 * FRAME_BYTES + 3 * GUARD_BYTES)

static struct bpf_object *run_calls_fill(unsigned int before, unsigned int after)
{
	struct bpf_object *obj = open_program("calls_fill");

	bpf_map__set_autocreate(bpf_object__find_map_by_name(obj, "slots"), false);
	load_object(obj);
	check_int("bytes on each CPU", private_bytes(obj, "calls_fill"), CALLS_FILL_BYTES);
	load_overrun(before, after);
	run_prog(obj, "calls_fill", NULL, 0);
	unload_module("overrun");
	return obj;
}

/* Waits until the kernel frees a program and reports that guard word, and no other. */
static void check_guard(int log, const char *program, int offset, int bytes)
{
	char want[256], line[512] = "";

	snprintf(want, sizeof(want), "%s%s: guard word at %d of %d on CPU 0 is ", sign, program,
		 offset, bytes);
	check(wait_for(next_line(log, line, sizeof(line)), 20000), "the kernel reports nothing");
	check(!strncmp(line, want, strlen(want)), "the kernel reports \"%s\", not \"%s...\"", line,
	      want);
	/* all that there is to say about one program comes at one time */
	sleep_ms(100);
	check(!next_line(log, line, sizeof(line)), "the kernel reports \"%s\", too", line);
	close(log);
}

/* One program that stays in its frames, and one that does not. */
static void guard_of_two(unsigned int before, unsigned int after, int offset)
{
	int log = log_from_now();

	on_cpu(0);
	bpf_object__close(run_calls_fill(0, 0));
	bpf_object__close(run_calls_fill(before, after));
	check_guard(log, "calls_fill", offset, CALLS_FILL_BYTES);
}

void guards_above(void)
{
	guard_of_two(0, GUARD_BYTES, GUARD_BYTES + FRAME_BYTES);
}

/* One byte is enough. */
void guards_below(void)
{
	guard_of_two(1, 0, 0);
}

/* The same in a frame that the program has once more, for an event in another one. */
void guards_slot(void)
{
	struct bpf_object *obj = open_program("in_slots");
	struct device *dev = device_new();
	int bytes, slot, log = log_from_now();
	struct bpf_link *link;

	on_cpu(0);
	set_hid_id(obj, "slots", dev->id);
	load_object(obj);
	bytes = private_bytes(obj, "in_slots");
	link = bpf_map__attach_struct_ops(bpf_object__find_map_by_name(obj, "slots"));
	check(link, "the program does not attach: %s", strerror(errno));
	load_overrun(0, GUARD_BYTES);
	device_send(dev, 1);
	unload_module("overrun");
	check_int("events", *(int *)find_var(obj, "events"), 1);
	check_int("injected events", *(int *)find_var(obj, "injected"), 1);
	check_int("damaged words above the guard", *(int *)find_var(obj, "changed"), 0);
	bpf_link__destroy(link);
	bpf_object__close(obj);
	device_free(dev);
	/* one word says which are taken; the four are of one size */
	slot = (bytes - (int)sizeof(long)) / NR_SLOTS;
	check_guard(log, "in_slots", sizeof(long) + slot + GUARD_BYTES + FRAME_BYTES, bytes);
}
