// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "harness.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static char log_buf[1 << 20];
static size_t log_len;
static char object_dir[PATH_MAX];

void fail(const char *fmt, ...)
{
	va_list ap;

	printf("# failed: ");
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

void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	check(!sched_setaffinity(0, sizeof(set), &set), "no CPU %d: kernel/vm --cpus %d", cpu,
	      cpu + 1);
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

	if (!object_dir[0]) {
		ssize_t n = readlink("/proc/self/exe", object_dir, sizeof(object_dir) - 1);
		char *slash = n > 0 ? strrchr(object_dir, '/') : NULL;

		check(slash, "no /proc/self/exe");
		*slash = '\0';
		libbpf_set_print(print_log);
	}

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
	const char *at;
	size_t size;
	char *data;

	bpf_object__for_each_map(map, obj)
	{
		/* "test.rodata", not ".rodata.cst16" */
		at = strstr(bpf_map__name(map), section);
		if (!bpf_map__is_internal(map) || !at || at[strlen(section)])
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

struct bpf_object *open_for_device(const char *name, int id)
{
	struct bpf_object *obj = open_object(name);

	set_const(obj, "hid_id", id);
	set_hid_id(obj, name, id);
	return obj;
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
