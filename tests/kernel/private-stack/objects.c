// SPDX-License-Identifier: MIT
/* Loading the objects, and looking at what they left behind. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../ktap.h"
#include "private-stack.h"

struct ctx ctx;

static char log_buf[1 << 20];

struct bpf_object *open_object(const char *name)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log_buf,
		    .kernel_log_size = sizeof(log_buf), .kernel_log_level = 0);
	struct bpf_program *prog;
	struct bpf_object *obj;
	char path[512];

	log_buf[0] = 0;
	snprintf(path, sizeof(path), "%s/%s.bpf.o", ctx.dir, name);
	obj = bpf_object__open_file(path, &opts);
	if (!obj) {
		ktap_note("%s: %s", path, strerror(errno));
		return NULL;
	}
	bpf_object__for_each_program(prog, obj) bpf_program__set_autoload(prog, false);
	return obj;
}

struct bpf_object *load_programs(const char *object, const char *first, ...)
{
	struct bpf_object *obj = open_object(object);
	struct bpf_program *prog;
	const char *name;
	va_list ap;
	int err;

	if (!obj)
		return NULL;
	va_start(ap, first);
	for (name = first; name; name = va_arg(ap, const char *)) {
		prog = bpf_object__find_program_by_name(obj, name);
		if (!prog) {
			ktap_note("no program %s in %s", name, object);
			goto fail;
		}
		bpf_program__set_autoload(prog, true);
	}
	va_end(ap);
	err = bpf_object__load(obj);
	if (!err)
		return obj;
	snprintf(ctx.why, sizeof(ctx.why), "%s", strerror(-err));
	bpf_object__close(obj);
	errno = -err;
	return NULL;
fail:
	va_end(ap);
	bpf_object__close(obj);
	errno = ENOENT;
	return NULL;
}

int prog_fd(struct bpf_object *obj, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(obj, name));
}

const char *verifier_log(void)
{
	return log_buf;
}

void set_reason(int err)
{
	static const char *const words[] = { "oo large", "not allowed", "verifier bug",
					     "unknown func", "no valid" };
	char *line, *rest = log_buf;
	size_t i;

	snprintf(ctx.why, sizeof(ctx.why), "%s (-%d)", strerror(err), err);
	while ((line = strsep(&rest, "\n"))) {
		for (i = 0; i < sizeof(words) / sizeof(*words); i++)
			if (strstr(line, words[i]))
				snprintf(ctx.why, sizeof(ctx.why), "%s", line);
		/* strsep() has cut the log, which others want to see. */
		if (rest)
			rest[-1] = '\n';
	}
}

int fdinfo(int fd, const char *key)
{
	char path[64], line[256];
	int value = -ENOENT;
	size_t len = strlen(key);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, len) && line[len] == ':')
			value = atoi(line + len + 1);
	fclose(f);
	return value;
}

/* The mapping stays until the program ends; there are few. */
void *data_of(struct bpf_object *obj, const char *variable, size_t *size)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_var_secinfo *var;
	const struct btf_type *t;
	struct bpf_map *map;
	const char *name;
	char *mem;
	int i, id;

	map = bpf_object__find_map_by_name(obj, ".bss");
	id = btf__find_by_name_kind(btf, ".bss", BTF_KIND_DATASEC);
	if (!map || id < 0)
		return NULL;
	mem = mmap(NULL, bpf_map__value_size(map), PROT_READ | PROT_WRITE, MAP_SHARED,
		   bpf_map__fd(map), 0);
	if (mem == MAP_FAILED)
		return NULL;
	t = btf__type_by_id(btf, id);
	var = btf_var_secinfos(t);
	for (i = 0; i < btf_vlen(t); i++, var++) {
		name = btf__name_by_offset(btf, btf__type_by_id(btf, var->type)->name_off);
		if (strcmp(name, variable))
			continue;
		*size = var->size;
		return mem + var->offset;
	}
	return NULL;
}

int get_int(struct bpf_object *obj, const char *variable)
{
	size_t size;
	int *value = data_of(obj, variable, &size);

	if (value && size == sizeof(int))
		return *(volatile int *)value;
	ktap_note("no int '%s' in the object's .bss", variable);
	return -1;
}

void set_int(struct bpf_object *obj, const char *variable, int value)
{
	size_t size;
	int *p = data_of(obj, variable, &size);

	if (p && size == sizeof(int))
		*(volatile int *)p = value;
	else
		ktap_note("no int '%s' in the object's .bss", variable);
}

/*
 * Is this the function @want of the kernel, or if it begins with '_' that of a program?
 * A program's are called bpf_prog_TAG_FUNCTION, the tag being 16 digits.
 */
static bool is_function(const char *symbol, const char *want)
{
	if (want[0] != '_')
		return !strncmp(symbol, want, strlen(want));
	return !strncmp(symbol, "bpf_prog_", 9) && strlen(symbol) > 25 &&
	       !strcmp(symbol + 25, want);
}

/* The kernel's name for an address: the last symbol that is not above it. */
struct symbol {
	unsigned long long addr, start;
	char name[128];
};

static int find_symbols(struct symbol *symbols, size_t n)
{
	unsigned long long at;
	char line[512], name[256];
	FILE *f = fopen("/proc/kallsyms", "re");
	size_t i;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %*c %255s", &at, name) != 2)
			continue;
		for (i = 0; i < n; i++) {
			if (at > symbols[i].addr || at < symbols[i].start)
				continue;
			symbols[i].start = at;
			snprintf(symbols[i].name, sizeof(symbols[i].name), "%.127s", name);
		}
	}
	fclose(f);
	return 0;
}

int take_trace(struct bpf_object *obj, const char *const *want)
{
	struct symbol symbols[TRACE_MAX] = {};
	unsigned long long *trace;
	char got[sizeof(ctx.why) - 100] = "";
	size_t i, n, size, len = 0;
	int found = 0;

	trace = data_of(obj, "trace", &size);
	if (!trace || size != TRACE_MAX * sizeof(*trace)) {
		snprintf(ctx.why, sizeof(ctx.why), "no trace[%d] in the object's .bss", TRACE_MAX);
		return -ENOENT;
	}
	for (n = 0; n < TRACE_MAX && trace[n]; n++)
		symbols[n].addr = trace[n];
	memset(trace, 0, size);
	if (find_symbols(symbols, n))
		ktap_note("no /proc/kallsyms");
	for (i = 0; i < n; i++) {
		if (want[found] && is_function(symbols[i].name, want[found]))
			found++;
		if (len < sizeof(got))
			len += (size_t)snprintf(got + len, sizeof(got) - len, " %s",
						symbols[i].name);
	}
	if (want[found])
		snprintf(ctx.why, sizeof(ctx.why), "no %s in:%s", want[found], got);
	else
		snprintf(ctx.why, sizeof(ctx.why), "complete");
	return found;
}

int check_trace(struct bpf_object *obj, const char *const *want)
{
	int found = take_trace(obj, want);

	return found < 0 || want[found];
}

int test_run(int fd, int *retval)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err = bpf_prog_test_run_opts(fd, &opts);

	*retval = (int)opts.retval;
	return err;
}

void uprobe_here(void)
{
	__asm__ volatile("");
}

struct bpf_link *attach_uprobe(const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .func_name = "uprobe_here");

	return bpf_program__attach_uprobe_opts(prog, 0, "/proc/self/exe", 0, &opts);
}

int write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}
