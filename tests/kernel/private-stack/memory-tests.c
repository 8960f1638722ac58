// SPDX-License-Identifier: MIT
/*
 * No memory for private frames: trees that fit the kernel stack go back to it, others
 * are refused with -ENOMEM, and nothing is lost. There are two ways to be out of
 * memory: more than the per-CPU allocator gives in one piece, and the limit of a
 * memory cgroup.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../ktap.h"
#include "generated.h"
#include "private-stack.h"

static char log_buf[1 << 16];

/* The most that the per-CPU allocator gives, PCPU_MIN_UNIT_SIZE. */
#define MOST_BYTES 32768

/* Two timers' callbacks: one fits the kernel stack, one with its callee does not. */
#define FRAME_BYTES  400
#define SINGLE_BYTES (FRAME_BYTES + 2 * 8)
#define PAIR_BYTES   (2 * FRAME_BYTES + 3 * 8)

static int fail(const char *what, long long is, long long want)
{
	snprintf(ctx.why, sizeof(ctx.why), "%s: %lld, expected %lld", what, is, want);
	return 1;
}

/* A program of so many such callbacks. */
static void make_tree(struct generated *g, struct generated_func *funcs, int singles, int pairs)
{
	static const struct generated_func main_func = { 0, NO_CALLS, false };
	static const struct generated_func single = { FRAME_BYTES, NO_CALLS, true };
	static const struct generated_func callee = { FRAME_BYTES, NO_CALLS, false };
	int i;

	*g = (struct generated){ .funcs = funcs, .count = 1, .type = BPF_PROG_TYPE_SCHED_CLS };
	funcs[0] = main_func;
	for (i = 0; i < singles; i++)
		funcs[g->count++] = single;
	for (i = 0; i < pairs; i++) {
		funcs[g->count] = (struct generated_func){ FRAME_BYTES, CALLS(g->count + 1), true };
		funcs[g->count + 1] = callee;
		g->count += 2;
	}
}

/* Loads it. Returns the size of its private stack or a negative errno. */
static int private_bytes(const struct generated *g)
{
	int size, fd = load_generated(g, log_buf, sizeof(log_buf));

	if (fd < 0)
		return fd;
	size = fdinfo(fd, "priv_stack");
	close(fd);
	return size < 0 ? 0 : size; /* The base does not have the line. */
}

static int check_tree(int singles, int pairs, int on_series, int on_base)
{
	int want = ctx.base ? on_base : on_series, is;
	static struct generated_func funcs[MAX_FUNCS];
	struct generated g;

	make_tree(&g, funcs, singles, pairs);
	is = private_bytes(&g);
	if (is == want && want == -EACCES && !strstr(log_buf, "combined stack size"))
		ktap_note("%.2000s", log_buf);
	else if (is == want && want == -ENOMEM && !strstr(log_buf, "cannot allocate private stack"))
		ktap_note("%.2000s", log_buf);
	else if (is == want)
		return 0;
	snprintf(ctx.why, sizeof(ctx.why), "%d small and %d large trees: %d, expected %d", singles,
		 pairs, is, want);
	return 1;
}

/* As many trees as there is room for, and one more. */
static int too_much(const struct test *t)
{
	const int singles = MOST_BYTES / SINGLE_BYTES, pairs = MOST_BYTES / PAIR_BYTES;

	(void)t;
	if (check_tree(singles, 0, singles * SINGLE_BYTES, 0) || check_tree(singles + 1, 0, 0, 0) ||
	    check_tree(singles, 1, PAIR_BYTES, -EACCES) ||
	    check_tree(0, pairs, pairs * PAIR_BYTES, -EACCES) ||
	    check_tree(0, pairs + 1, -ENOMEM, -EACCES))
		return 1;
	snprintf(ctx.why, sizeof(ctx.why),
		 ctx.base ? "accepted what fits the kernel stack"
			  : "back to the kernel stack; %d bytes: refused, -ENOMEM",
		 (pairs + 1) * PAIR_BYTES);
	return 0;
}

/* Kilobytes of per-CPU memory that the kernel has, used or not; or a negative errno. */
static long long percpu_kilobytes(void)
{
	long long value = -ENOENT;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Percpu: %lld", &value) == 1)
			break;
	if (f)
		fclose(f);
	return value;
}

#define LOADS 300

/*
 * Loads it many times. Each second load fails when all is done, for want of a file
 * descriptor. Returns the error of the last load that should not have it.
 */
static int load_many(const struct generated *g)
{
	struct rlimit old, none;
	int i, fd, err = 0;

	if (getrlimit(RLIMIT_NOFILE, &old))
		return -errno;
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = old.rlim_max };
	for (i = 0; i < LOADS && !err; i++) {
		setrlimit(RLIMIT_NOFILE, i % 2 ? &none : &old);
		fd = load_generated(g, log_buf, sizeof(log_buf));
		if (fd >= 0)
			close(fd);
		if (i % 2)
			err = fd == -EMFILE ? 0 : fd < 0 ? fd : -EEXIST;
		else
			err = fd < 0 ? fd : 0;
		/* Programs are freed a little later. */
		if (i % 8 == 0)
			usleep(20000);
	}
	setrlimit(RLIMIT_NOFILE, &old);
	return err;
}

/* Memory of private stacks comes back, also from programs whose load fails late. */
static int freed(const struct test *t)
{
	static struct generated_func funcs[8];
	const struct generated g = { .funcs = funcs, .count = 8, .type = BPF_PROG_TYPE_TRACEPOINT };
	const int bytes = 8 * 496 + 9 * 8;
	long long before, after;
	int i, is, err;

	(void)t;
	for (i = 0; i < 8; i++)
		funcs[i] = (struct generated_func){ 496, CALLS(i < 7 ? i + 1 : NO_CALL), false };
	is = private_bytes(&g);
	if (ctx.base) {
		snprintf(ctx.why, sizeof(ctx.why), "refused for its stack");
		return is != -EACCES || !strstr(log_buf, "combined stack size");
	}
	if (is != bytes)
		return fail("private bytes", is, bytes);
	before = percpu_kilobytes();
	err = load_many(&g);
	if (err)
		return fail("loading again", err, 0);
	after = percpu_kilobytes();
	/* Lost would be 600 kB for each CPU, or twice that; some is always in use. */
	if (before <= 0 || after - before > LOADS * bytes / 1024 / 4)
		return fail("kB of per-CPU memory, more than before", after - before, 0);
	snprintf(ctx.why, sizeof(ctx.why), "%d loads of %d bytes, nothing leaked", LOADS, bytes);
	return 0;
}

static const char cgroups[] = "/sys/fs/cgroup";
static const char group[] = "/sys/fs/cgroup/private-stack";

/* A number of the group's memory.stat, or a negative errno. */
static long long memory_stat(const char *key)
{
	char path[128], name[64];
	long long value, found = -ENOENT;
	FILE *f;

	snprintf(path, sizeof(path), "%s/memory.stat", group);
	f = fopen(path, "re");
	while (f && fscanf(f, "%63s %lld", name, &value) == 2)
		if (!strcmp(name, key))
			found = value;
	if (f)
		fclose(f);
	return found;
}

/* What loads came to; shared with the child. */
struct outcomes {
	int with_frames, without_frames, no_frames, no_memory, other;
	char message[400];
};

/* Enough for the program, and for some hundred bytes at a time until that is used up. */
#define LIMIT     (48 * 1024)
#define MAX_STEPS 1000

static int limit(int fd, long long bytes)
{
	char text[32];

	if (bytes < 0)
		snprintf(text, sizeof(text), "max");
	else
		snprintf(text, sizeof(text), "%lld", bytes);
	return pwrite(fd, text, strlen(text), 0) < 0 ? -errno : 0;
}

static void count(struct outcomes *out, int loaded, bool has, bool frames)
{
	if (loaded >= 0 && has == frames)
		out->with_frames++;
	else if (loaded >= 0 && !has)
		out->without_frames++;
	else if (loaded == -ENOMEM && strstr(log_buf, "cannot allocate private stack"))
		out->no_frames++;
	/* -EINVAL is what the kernel says if it can't allocate the program itself. */
	else if (loaded == -ENOMEM || (loaded == -EINVAL && !*log_buf))
		out->no_memory++;
	else if (!out->other++)
		snprintf(out->message, sizeof(out->message), "%d, frames %d: %.300s", loaded, has,
			 log_buf);
}

/* Has the program, of one function or several, a frame register? Takes no memory. */
static bool has_frames(int fd)
{
	static unsigned char image[4096];
	static const unsigned char movabs_r9[] = { 0x49, 0xb9 };
	struct bpf_prog_info info = { .jited_prog_insns = (uintptr_t)image,
				      .jited_prog_len = sizeof(image) };
	__u32 size = sizeof(info);

	return !bpf_prog_get_info_by_fd(fd, &info, &size) &&
	       memmem(image, info.jited_prog_len, movabs_r9, sizeof(movabs_r9));
}

/* Loads it once more and counts what comes of it. */
static bool load_once(const struct generated *g, bool frames, struct outcomes *out)
{
	int fd = load_generated(g, log_buf, sizeof(log_buf));

	count(out, fd, fd >= 0 && has_frames(fd), frames);
	if (fd >= 0)
		close(fd);
	/* The kernel frees it a little later; the next load shall have that memory. */
	if (fd >= 0 || *log_buf)
		usleep(20000);
	return fd >= 0;
}

/*
 * Loads the program again and again while other things use up the memory of the group,
 * a few hundred bytes at a time, until not even the bare program can be allocated.
 */
static int load_with_limit(const struct generated *g, bool frames, struct outcomes *out)
{
	int max, i;
	bool room = true;
	char path[128];

	snprintf(path, sizeof(path), "%s/memory.max", group);
	max = open(path, O_WRONLY | O_CLOEXEC);
	if (max < 0)
		return -errno;
	/* The OOM killer finds nobody to kill: allocations fail. */
	if (write_file("/proc/self", "oom_score_adj", "-1000"))
		return -EPERM;
	/* Nothing of the process itself may need memory while there is a limit. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		return -errno;
	if (write_file(group, "cgroup.procs", "0"))
		return -EACCES;
	if (limit(max, LIMIT))
		return -errno;
	for (i = 0; i < MAX_STEPS && room; i++) {
		load_once(g, frames, out);
		room = eventfd(0, EFD_CLOEXEC) >= 0;
	}
	limit(max, -1);
	if (room)
		return -E2BIG;
	/* With memory it is as before. */
	i = out->with_frames;
	if (!load_once(g, frames, out) || out->with_frames != i + 1)
		return -ENOMEM;
	close(max);
	return 0;
}

/*
 * What was charged to the group must be gone when its programs are. Per-CPU memory is
 * seen here only if it is not from the first chunk; see freed().
 */
static int check_leaks(void)
{
	int i;

	/* The kernel brings these numbers up to date every two seconds. */
	sleep(3);
	for (i = 0; i < 100 && (memory_stat("percpu") || memory_stat("vmalloc")); i++)
		usleep(100000);
	if (memory_stat("percpu"))
		return fail("per-CPU bytes that were not freed", memory_stat("percpu"), 0);
	if (memory_stat("vmalloc"))
		return fail("bytes of vmalloc that were not freed", memory_stat("vmalloc"), 0);
	return 0;
}

/* In a child, which alone is in the group. */
static int with_limit(const struct generated *g, bool frames, struct outcomes *out)
{
	struct outcomes *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0, err;
	pid_t pid;

	if (shared == MAP_FAILED)
		return fail("mmap", -errno, 0);
	write_file(cgroups, "cgroup.subtree_control", "+memory");
	if (mkdir(group, 0755))
		return fail(group, -errno, 0);
	pid = fork();
	if (!pid)
		_exit(-load_with_limit(g, frames, shared));
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		err = fail("fork", -errno, 0);
	else if (status)
		err = fail("status of the process with a limit", status, 0);
	else
		err = check_leaks();
	*out = *shared;
	munmap(shared, sizeof(*shared));
	rmdir(group);
	if (!err && out->other)
		err = fail(out->message, out->other, 0);
	return err;
}

/* One function of 496 bytes: in private frames if there is memory, else it does without. */
static int goes_back(const struct test *t)
{
	static const struct generated_func funcs[] = { { 496, NO_CALLS, false } };
	const struct generated g = { .funcs = funcs, .count = 1, .type = BPF_PROG_TYPE_TRACEPOINT };
	struct outcomes out = {};
	int want;

	(void)t;
	/* Also what libbpf does once only. */
	want = private_bytes(&g);
	if (want < 0 || !want != ctx.base)
		return fail("private bytes", want, 496 + 2 * 8);
	if (with_limit(&g, want > 0, &out))
		return 1;
	if (out.no_frames)
		return fail("refused for frames", out.no_frames, 0);
	if (!ctx.base && !out.without_frames)
		return fail("loads without private frames", 0, 1);
	if (ctx.base)
		snprintf(ctx.why, sizeof(ctx.why), "accepted");
	else
		snprintf(ctx.why, sizeof(ctx.why),
			 "accepted, %d times on the kernel stack; nothing leaked",
			 out.without_frames);
	return 0;
}

/* Two functions of 400: refused if there is no memory for frames. */
static int refused(const struct test *t)
{
	static const struct generated_func funcs[] = {
		{ 400, CALLS(1), false },
		{ 400, NO_CALLS, false },
	};
	const struct generated g = { .funcs = funcs, .count = 2, .type = BPF_PROG_TYPE_TRACEPOINT };
	struct outcomes out = {};
	int want;

	(void)t;
	want = private_bytes(&g);
	if (ctx.base) {
		snprintf(ctx.why, sizeof(ctx.why), "refused: 800 bytes in 2 functions");
		return want != -EACCES || !strstr(log_buf, "combined stack size of 2 calls is 800");
	}
	if (want != PAIR_BYTES)
		return fail("private bytes", want, PAIR_BYTES);
	if (with_limit(&g, want > 0, &out))
		return 1;
	if (out.without_frames)
		return fail("loads without private frames", out.without_frames, 0);
	if (!out.no_frames)
		return fail("refused for frames", 0, 1);
	snprintf(ctx.why, sizeof(ctx.why), "refused %d times, -ENOMEM; nothing leaked",
		 out.no_frames);
	return 0;
}

const struct test memory_tests[] = {
	{ .name = "memory-per-program", .run = too_much },
	{ .name = "memory-freed", .run = freed },
	{ .name = "memory-limit-goes-back", .run = goes_back },
	{ .name = "memory-limit-refused", .run = refused },
	{},
};
