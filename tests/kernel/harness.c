// SPDX-License-Identifier: MIT
#include "harness.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct test *const groups[] = {
	lifetime_tests, timer_tests, context_tests, input_tests, stress_tests,
};

static const char usage[] =
	"usage: kernel-tests [OPTION]... [NAME]...\n"
	"\n"
	"Runs the kernel tests whose names start with one of NAME (default: all but\n"
	"stress), as root, on the running kernel. Prints KTAP.\n"
	"\n"
	"  --list          print the names and what each test shows\n"
	"  --after NAME    only those that come after NAME in the list\n"
	"  --seconds N     how long each stress test runs (default 60)\n"
	"  --help\n";

unsigned int stress_seconds = 60;
static char log_buf[1 << 20];
static size_t log_len;
static char object_dir[PATH_MAX];

void fail(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (log_len) {
		/* what the verifier said last says most */
		size_t from = log_len > 3000 ? log_len - 3000 : 0;

		printf("# log: ");
		for (size_t i = from; i < log_len; i++) {
			putchar(log_buf[i]);
			if (log_buf[i] == '\n' && i + 1 < log_len)
				printf("# log: ");
		}
		printf("\n");
	}
	fflush(stdout);
	/* The test is a process of its own: what it opened goes with it. */
	_exit(1);
}

void note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void sleep_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

static int print_log(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	int n;

	if (level == LIBBPF_DEBUG)
		return 0;
	n = vsnprintf(log_buf + log_len, sizeof(log_buf) - log_len, fmt, ap);
	if (n > 0)
		log_len += (size_t)n < sizeof(log_buf) - log_len ? (size_t)n
								 : sizeof(log_buf) - log_len - 1;
	return n;
}

const char *log_text(void)
{
	return log_buf;
}

void log_clear(void)
{
	log_len = 0;
	log_buf[0] = '\0';
}

struct bpf_object *open_object(const char *name)
{
	char path[PATH_MAX + 64];
	struct bpf_object *obj;

	snprintf(path, sizeof(path), "%s/%s.bpf.o", object_dir, name);
	obj = bpf_object__open_file(path, NULL);
	check(obj, "%s: %s", path, strerror(errno));
	return obj;
}

void load_object(struct bpf_object *obj)
{
	int err = bpf_object__load(obj);

	check(!err, "%s does not load: %s", bpf_object__name(obj), strerror(-err));
	log_clear();
}

/* The memory of a section of variables: what libbpf fills the map from, and once
 * it is loaded the map itself.
 */
static char *section_memory(struct bpf_object *obj, const char *section)
{
	struct bpf_map *map;
	size_t size;
	char *data;

	bpf_object__for_each_map(map, obj)
	{
		if (!bpf_map__is_internal(map) || !strstr(bpf_map__name(map), section))
			continue;
		data = bpf_map__initial_value(map, &size);
		if (bpf_map__fd(map) < 0)
			return data;
		data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
		check(data != MAP_FAILED, "mmap of %s: %s", bpf_map__name(map), strerror(errno));
		return data;
	}
	return NULL;
}

static void *var_in(struct bpf_object *obj, const char *section, const char *name)
{
	const struct btf *btf = bpf_object__btf(obj);
	int id = btf__find_by_name_kind(btf, section, BTF_KIND_DATASEC);

	if (id < 0)
		return NULL;

	const struct btf_type *sec = btf__type_by_id(btf, id);
	const struct btf_var_secinfo *var = btf_var_secinfos(sec);

	for (int i = 0; i < btf_vlen(sec); i++, var++) {
		const struct btf_type *t = btf__type_by_id(btf, var->type);
		char *data;

		if (strcmp(btf__name_by_offset(btf, t->name_off), name))
			continue;
		data = section_memory(obj, section);
		return data ? data + var->offset : NULL;
	}
	return NULL;
}

void set_const(struct bpf_object *obj, const char *name, int value)
{
	int *var = var_in(obj, ".rodata", name);

	check(var, "no constant %s in %s", name, bpf_object__name(obj));
	*var = value;
}

void *find_var(struct bpf_object *obj, const char *name)
{
	void *var = var_in(obj, ".bss", name);

	var = var ? var : var_in(obj, ".data", name);
	check(var, "no variable %s in %s", name, bpf_object__name(obj));
	return var;
}

void set_hid_id(struct bpf_object *obj, const char *name, int id)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	size_t size;
	int *value;

	check(map, "no map %s", name);
	value = bpf_map__initial_value(map, &size);
	check(value, "map %s has no value", name);
	*value = id;
}

void run_prog(struct bpf_object *obj, const char *name, void *ctx, size_t size)
{
	/* a syscall program's context is written back to where it came from */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx, .ctx_size_in = size);
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, name);
	int err;

	check(prog, "no program %s", name);
	err = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
	check(!err, "%s does not run: %s", name, strerror(-err));
	check_int(name, (int)opts.retval, 0);
}

bool kernel_has_func(const char *name)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;

	btf__free(btf);
	return has;
}

/* What the kernel says when it finds itself in error. */
static bool is_report(const char *line)
{
	static const char *const signs[] = {
		"BUG:",
		"WARNING:",
		"KASAN:",
		"INFO: possible",
		"INFO: task",
		"INFO: rcu",
		"ODEBUG:",
		"possible recursive locking",
		"possible circular locking",
		"inconsistent lock state",
		"suspicious RCU usage",
		"sleeping function called",
		"scheduling while atomic",
		"refcount_t:",
		"Oops",
		"stack-out-of-bounds",
		"lockdep",
		"held lock freed",
		"bad unlock balance",
	};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(line, signs[i]))
			return true;
	return false;
}

static int open_kernel_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* Whether the kernel reported nothing since the log was opened. */
static bool kernel_is_silent(int fd)
{
	char line[8192];
	bool silent = true;
	ssize_t n;

	if (fd < 0) {
		printf("# /dev/kmsg: %s\n", strerror(errno));
		return false;
	}
	/* EPIPE: some lines were overwritten, go on with the next */
	while ((n = read(fd, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n <= 0)
			continue;
		line[n] = '\0';
		if (!is_report(line))
			continue;
		printf("# kernel: %s", strchr(line, ';') ? strchr(line, ';') + 1 : line);
		silent = false;
	}
	return silent;
}

static bool wanted(const struct test *t, char **names, int n)
{
	if (!n)
		return strncmp(t->name, "stress/", 7) != 0;
	for (int i = 0; i < n; i++)
		if (!strncmp(t->name, names[i], strlen(names[i])))
			return true;
	return false;
}

/* Each test in a process of its own: it starts clean, and whatever it leaves
 * open, mapped or running goes away in one moment, as when a program crashes.
 */
static bool run_test(const struct test *t)
{
	int status, kmsg = open_kernel_log();
	bool silent;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		t->run();
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return false;
	if (WIFSIGNALED(status))
		printf("# killed by signal %d\n", WTERMSIG(status));
	silent = kernel_is_silent(kmsg);
	close(kmsg);
	return silent && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "list", no_argument, NULL, 'l' },
		{ "after", required_argument, NULL, 'a' },
		{ "seconds", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	unsigned int total = 0, number = 0, failed = 0;
	const char *after = NULL;
	bool list = false, past = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (opt) {
		case 'l':
			list = true;
			break;
		case 'a':
			after = optarg;
			break;
		case 's':
			stress_seconds = strtoul(optarg, NULL, 10);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return 2;
		}
	}

	ssize_t n = readlink("/proc/self/exe", object_dir, sizeof(object_dir) - 1);
	char *slash = n > 0 ? strrchr(object_dir, '/') : NULL;

	if (slash)
		*slash = '\0';
	libbpf_set_print(print_log);

	/* once to count, once to run */
	for (int pass = 0; pass < 2; pass++) {
		past = !after;
		if (pass && !list)
			printf("KTAP version 1\n1..%u\n", total);
		for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
			for (const struct test *t = groups[g]; t->name; t++) {
				bool run = past && wanted(t, argv + optind, argc - optind);

				if (after && !strcmp(t->name, after))
					past = true;
				if (!run)
					continue;
				if (!pass) {
					total++;
				} else if (list) {
					printf("%s\t%s\n", t->name, t->story);
				} else {
					bool ok;

					/* for the log of a kernel that dies in it */
					printf("# run %s\n", t->name);
					ok = run_test(t);
					failed += !ok;
					printf("%s %u %s\n", ok ? "ok" : "not ok", ++number,
					       t->name);
					fflush(stdout);
				}
			}
		}
	}
	if (!list && !total) {
		fprintf(stderr, "kernel-tests: no test of that name; see --list\n");
		return 2;
	}
	return failed ? 1 : 0;
}
