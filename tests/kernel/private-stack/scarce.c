// SPDX-License-Identifier: MIT
/*
 * One allocation of a load fails, then the next one, and so on until a load needs fewer.
 * Programs of all kinds of private frames must load with them, or do without, or be
 * refused; whoever watches the kernel sees nothing wrong. For the debug kernel, which can
 * make allocations fail, and can run programs without the JIT.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../ktap.h"
#include "generated.h"
#include "private-stack.h"

/* More allocations than any load here needs. */
#define MANY 1000000

/* Private frames and the JIT come last; before them the verifier is at work, as ever. */
#define LAST_ALLOCATIONS 150
#define MAX_PASSES       40

static char log_buf[1 << 16];

/* What a load came to. */
enum outcome {
	WITH_FRAMES, /* as with enough memory */
	FEWER_FRAMES, /* what fits it on the kernel stack */
	WITHOUT_FRAMES, /* all of it there */
	NO_FRAMES, /* refused: too deep for the kernel stack alone */
	INTERPRETED, /* the JIT had no memory */
	NOT_INTERPRETED, /* neither had it, and the interpreter can't run the program */
	NO_MEMORY, /* refused for something else */
	NR_OUTCOMES, /* none of these */
};

static const char *const outcome_names[NR_OUTCOMES] = {
	"with frames", "with fewer",      "without",   "refused for frames",
	"interpreted", "not interpreted", "no memory",
};

/* The instructions of a program of an object, to be loaded by one system call. */
struct copy {
	struct bpf_object *obj;
	struct bpf_program *prog;
	struct bpf_func_info functions[MAX_FUNCS];
	struct bpf_prog_load_opts opts;
};

struct subject {
	const char *name;
	struct generated generated; /* with one function at least, or ... */
	const char *object, *program, *maps; /* ... this; maps: of struct_ops, by prefix */
	enum outcome no_frames, no_jit; /* what comes of it if there is no memory for those */
	int bytes; /* of its private stack */
	struct copy copy;
};

static const struct generated_func small[] = { { 128, CALLS(1), false }, { 128, NO_CALLS, false } };
static const struct generated_func large[] = { { 400, CALLS(1), false }, { 400, NO_CALLS, false } };
static const struct generated_func timer[] = { { 0, NO_CALLS, false }, { 400, NO_CALLS, true } };
static const struct generated_func timers[] = {
	{ 0, NO_CALLS, false },
	{ 400, CALLS(2), true },
	{ 400, NO_CALLS, false },
	{ 200, NO_CALLS, true },
};

#define GENERATED(prog_type, f) \
	.generated = { .funcs = (f), .count = sizeof(f) / sizeof(*(f)), .type = (prog_type) }

static struct subject subjects[] = {
	{ "two small functions", GENERATED(BPF_PROG_TYPE_TRACEPOINT, small),
	  .no_frames = WITHOUT_FRAMES, .no_jit = INTERPRETED },
	{ "two large ones", GENERATED(BPF_PROG_TYPE_RAW_TRACEPOINT, large), .no_frames = NO_FRAMES,
	  .no_jit = NOT_INTERPRETED },
	{ "a timer's callback", GENERATED(BPF_PROG_TYPE_SCHED_CLS, timer),
	  .no_frames = WITHOUT_FRAMES, .no_jit = NOT_INTERPRETED },
	{ "a small and a large one", GENERATED(BPF_PROG_TYPE_SCHED_CLS, timers),
	  .no_frames = FEWER_FRAMES, .no_jit = NOT_INTERPRETED },
	{ "an event handler", .object = "hid", .program = "large_event", .maps = "heavy",
	  .no_frames = NO_FRAMES, .no_jit = NOT_INTERPRETED },
	{ "tail calls", .object = "tail-call", .program = "with_frames_raw", .no_frames = NO_FRAMES,
	  .no_jit = NOT_INTERPRETED },
};

/* What must come of @subject's loads, each at least once, and nothing else. */
static bool wanted(const struct subject *s, enum outcome outcome)
{
	return outcome == WITH_FRAMES || outcome == NO_MEMORY || outcome == s->no_frames ||
	       outcome == s->no_jit;
}

/* Also allocations that could wait for memory, and of single pages; without a word. */
static int let_allocations_fail(void)
{
	static const char slab[] = "/sys/kernel/debug/failslab";
	static const char pages[] = "/sys/kernel/debug/fail_page_alloc";
	static const char *const settings[][3] = {
		{ slab, "ignore-gfp-wait", "N" },     { slab, "verbose", "0" },
		{ pages, "ignore-gfp-wait", "N" },    { pages, "verbose", "0" },
		{ pages, "ignore-gfp-highmem", "N" }, { pages, "min-order", "0" },
	};
	int err = 0;
	size_t i;

	if (mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL) && errno != EBUSY)
		return -errno;
	for (i = 0; i < sizeof(settings) / sizeof(*settings) && !err; i++) {
		err = write_file(settings[i][0], settings[i][1], settings[i][2]);
		if (err)
			ktap_note("%s/%s: %s (run it on the debug kernel)", settings[i][0],
				  settings[i][1], strerror(-err));
	}
	/* Only the load itself shall be short of memory. */
	if (!err && mlockall(MCL_CURRENT | MCL_FUTURE))
		err = -errno;
	return err;
}

static int open_copy(struct subject *s)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	struct copy *c = &s->copy;
	int err, functions, btf;

	if (s->maps) {
		c->obj = open_hid(s->program, s->maps);
		err = c->obj ? bpf_object__load(c->obj) : -ENOENT;
	} else {
		c->obj = load_programs(s->object, s->program, NULL);
		err = c->obj ? 0 : -errno;
	}
	if (err)
		return err;
	c->prog = bpf_object__find_program_by_name(c->obj, s->program);
	if (bpf_prog_get_info_by_fd(bpf_program__fd(c->prog), &info, &size))
		return -errno;
	functions = describe_functions(bpf_program__insns(c->prog), bpf_program__insn_cnt(c->prog),
				       c->functions, &btf);
	if (functions < 0)
		return functions;
	c->opts = (struct bpf_prog_load_opts){
		.sz = sizeof(c->opts),
		.expected_attach_type = bpf_program__expected_attach_type(c->prog),
		.attach_btf_id = info.attach_btf_id,
		.prog_btf_fd = (__u32)btf,
		.func_info = c->functions,
		.func_info_cnt = (__u32)functions,
		.func_info_rec_size = sizeof(c->functions[0]),
		.log_buf = log_buf,
		.log_size = sizeof(log_buf),
		.log_level = 4,
	};
	return 0;
}

/* A descriptor or a negative errno. */
static int load(struct subject *s)
{
	if (s->generated.count)
		return load_generated(&s->generated, log_buf, sizeof(log_buf));
	log_buf[0] = 0;
	return bpf_prog_load(bpf_program__type(s->copy.prog), "copy", "GPL",
			     bpf_program__insns(s->copy.prog), bpf_program__insn_cnt(s->copy.prog),
			     &s->copy.opts);
}

/* The verifier, too, says -EFAULT or -EINVAL in places; but not for a reason of its own. */
static enum outcome outcome_of_failure(int err)
{
	static const char *const wrong[] = { "verifier bug", "stack size", "too large" };
	size_t i;

	if (strstr(log_buf, "cannot allocate private stack"))
		return NO_FRAMES;
	if (strstr(log_buf, "not allowed in non-JITed"))
		return NOT_INTERPRETED;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (strstr(log_buf, wrong[i]))
			return NR_OUTCOMES;
	return err == -ENOMEM || err == -EFAULT || err == -EINVAL ? NO_MEMORY : NR_OUTCOMES;
}

static enum outcome outcome_of(const struct subject *s, int fd)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int bytes;

	if (fd < 0)
		return outcome_of_failure(fd);
	if (bpf_prog_get_info_by_fd(fd, &info, &size))
		return NR_OUTCOMES;
	bytes = fdinfo(fd, "priv_stack");
	if (bytes <= 0)
		return info.jited_prog_len ? WITHOUT_FRAMES : INTERPRETED;
	/* The interpreter does not know them. */
	if (!info.jited_prog_len)
		return NR_OUTCOMES;
	return bytes == s->bytes ? WITH_FRAMES : FEWER_FRAMES;
}

/* On a system call, which is then made. Returns how often the program ran. */
static int run_tracepoint(int prog)
{
	static const char path[] = "/sys/kernel/tracing/events/syscalls/sys_enter_getpgid/id";
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr) };
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int event, link;
	FILE *f;

	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%llu", &attr.config) != 1)
		ktap_note("%s: %s", path, strerror(errno));
	if (f)
		fclose(f);
	event = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	link = bpf_link_create(prog, event, BPF_PERF_EVENT, NULL);
	getpgid(0);
	bpf_prog_get_info_by_fd(prog, &info, &size);
	close(link);
	close(event);
	return (int)info.run_cnt;
}

/* Returns 0 if it did, or if there is no simple way to run one of its kind. */
static int run(const struct subject *s, int fd)
{
	int runs, err, retval = 0;

	switch (s->generated.type) {
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
		err = test_run(fd, &retval);
		if (err || retval)
			ktap_note("%s: runs with error %d, and returns %d", s->name, err, retval);
		return err ?: retval;
	case BPF_PROG_TYPE_TRACEPOINT:
		runs = run_tracepoint(fd);
		if (runs < 1)
			ktap_note("%s: does not run", s->name);
		return runs < 1;
	default:
		return 0;
	}
}

/*
 * Loads it while allocation number @nth fails. @left is how many it did not come to, 0 if
 * one failed. Returns 0 or a negative errno; @fd is a descriptor, or what the load gave.
 */
static int load_nth(struct subject *s, int fail_nth, int nth, int *fd, int *left)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", nth);
	if (pwrite(fail_nth, text, strlen(text), 0) < 0)
		return -errno;
	*fd = load(s);
	memset(text, 0, sizeof(text));
	if (pread(fail_nth, text, sizeof(text) - 1, 0) < 0 || pwrite(fail_nth, "0", 1, 0) < 0)
		return -errno;
	*left = atoi(text);
	return 0;
}

/* Returns whether it came to allocation number @nth, or a negative errno. */
static int load_failing(struct subject *s, int fail_nth, int nth, enum outcome *outcome)
{
	int fd, left, err;

	err = load_nth(s, fail_nth, nth, &fd, &left);
	if (err)
		return err;
	*outcome = outcome_of(s, fd);
	if (*outcome == NR_OUTCOMES)
		ktap_note("%s, allocation %d: %s: %.1000s", s->name, nth,
			  fd < 0 ? strerror(-fd) : "private frames without the JIT", log_buf);
	if (fd >= 0) {
		err = run(s, fd);
		close(fd);
	}
	return err || *outcome == NR_OUTCOMES ? -EBADE : !left;
}

/*
 * Loads it with all the memory that there is. Returns how many allocations that took, or
 * a negative errno.
 */
static int count_allocations(struct subject *s, int fail_nth)
{
	int fd, left, err;

	err = load_nth(s, fail_nth, MANY, &fd, &left);
	if (err)
		return err;
	if (fd < 0)
		return fd;
	s->bytes = fdinfo(fd, "priv_stack");
	close(fd);
	return s->bytes > 0 ? MANY - left : -ENOMSG;
}

static bool complete(const struct subject *s, const int *counts)
{
	int o;

	for (o = 0; o < NR_OUTCOMES; o++)
		if (!counts[o] && wanted(s, o))
			return false;
	return true;
}

static int check_counts(const struct subject *s, const int *counts)
{
	int o, err = 0;

	for (o = 0; o < NR_OUTCOMES; o++) {
		if (!counts[o] != wanted(s, o))
			continue;
		ktap_note("%s: '%s' %s", s->name, outcome_names[o],
			  counts[o] ? "must not be" : "is missing");
		err = -ENOMSG;
	}
	return err;
}

/* From allocation @nth on, until a load does not come to it. */
static int starve_from(struct subject *s, int fail_nth, int nth, int *counts)
{
	enum outcome outcome = NR_OUTCOMES;
	int reached;

	do {
		reached = load_failing(s, fail_nth, nth++, &outcome);
		if (reached < 0)
			return reached;
		counts[outcome]++;
	} while (reached);
	if (outcome == WITH_FRAMES)
		return 0;
	ktap_note("%s: with enough memory: %s", s->name, outcome_names[outcome]);
	return -EINVAL;
}

static int starve(struct subject *s, int fail_nth)
{
	int from, counts[NR_OUTCOMES] = {}, allocations, err, o, pass = 0;
	char line[256] = "";
	size_t len = 0;

	err = s->generated.count ? 0 : open_copy(s);
	/* What libbpf and the kernel do only once is done in the first of the two. */
	allocations = err ?: count_allocations(s, fail_nth);
	if (allocations > 0)
		allocations = count_allocations(s, fail_nth);
	if (allocations <= 0) {
		ktap_note("%s does not load: %s: %.2000s", s->name, strerror(-allocations),
			  log_buf);
		return -EINVAL;
	}
	/*
	 * The checkers allocate, too, one time more than another, so that a pass may miss
	 * an allocation.
	 */
	from = allocations > LAST_ALLOCATIONS ? allocations - LAST_ALLOCATIONS : 1;
	do {
		err = starve_from(s, fail_nth, from, counts);
	} while (!err && ++pass < MAX_PASSES && !complete(s, counts));
	bpf_object__close(s->copy.obj);
	for (o = 0; o < NR_OUTCOMES; o++)
		if (counts[o])
			len += (size_t)snprintf(line + len, sizeof(line) - len, ", %s %d",
						outcome_names[o], counts[o]);
	ktap_note("%s: %d bytes, %d allocations, %d times%s", s->name, s->bytes, allocations, pass,
		  line);
	return err ?: check_counts(s, counts);
}

int scarce(void)
{
	int fail_nth, err, failed = 0, stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	size_t i;

	err = stats < 0 ? stats : let_allocations_fail();
	if (err)
		return err;
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0) {
		ktap_note("/proc/thread-self/fail-nth: %s", strerror(errno));
		return -errno;
	}
	for (i = 0; i < sizeof(subjects) / sizeof(*subjects); i++) {
		err = starve(&subjects[i], fail_nth);
		failed = failed ?: err;
	}
	close(fail_nth);
	close(stats);
	return failed;
}
