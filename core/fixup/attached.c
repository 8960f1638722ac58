// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/fixup/attached.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/fixup/fixup-int.h"
#include "core/fixup/libbpf-log.h"
#include "core/fixup/io-stop.h"
#include "core/fixup/pins.h"
#include "core/fixup/settings.h"
#include "core/fixup/strings.h"

#include "bpf/hidsmith/io_status.h"

struct hs_attached_list {
	char *sysname; /* of one device only, or NULL */
	char *pin_root;
	struct hs_attached *all;
	size_t n;
	struct hs_strings strings;
	struct btf *vmlinux; /* the kernel's types, when a link needs them */
	bool exports_only;
};

static const char *keep(struct hs_attached_list *list, const char *s)
{
	return hs_strings_keep(&list->strings, s);
}

/* bpf_prog_info has 15 characters of a name; BTF has all of it. */
static void full_name(int fd, const struct bpf_prog_info *info, char *buf, size_t size)
{
	struct bpf_func_info func = { 0 };
	struct bpf_prog_info more = { .nr_func_info = 1,
				      .func_info = (__u64)(uintptr_t)&func,
				      .func_info_rec_size = sizeof(func) };
	__u32 more_size = sizeof(more);
	const struct btf_type *t;
	struct btf *btf;

	snprintf(buf, size, "%s", info->name);
	if (!info->btf_id || bpf_prog_get_info_by_fd(fd, &more, &more_size) < 0)
		return;
	btf = btf__load_from_kernel_by_id(info->btf_id);
	t = btf ? btf__type_by_id(btf, func.type_id) : NULL;
	if (t && btf_is_func(t))
		snprintf(buf, size, "%s", btf__name_by_offset(btf, t->name_off));
	btf__free(btf);
}

static int add_program(struct hs_attached_list *list, struct hs_attached *attached, uint32_t id,
		       const char *hook)
{
	hs_autoclose int fd = bpf_prog_get_fd_by_id(id);
	struct hs_attached_program *prog;
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	char name[256];

	/* It may have been detached since we read its number. */
	if (fd < 0 || bpf_prog_get_info_by_fd(fd, &info, &size) < 0)
		return 0;
	full_name(fd, &info, name, sizeof(name));
	prog = hs_grow(&attached->programs, &attached->n_programs, sizeof(*prog));
	if (!prog || !(prog->name = keep(list, name)) || !(prog->hook = keep(list, hook)))
		return -ENOMEM;
	prog->id = id;
	prog->run_count = info.run_cnt;
	prog->run_time_ns = info.run_time_ns;
	prog->missed = info.recursion_misses;
	prog->instructions = info.verified_insns;
	return 0;
}

/*
 * The value of a struct_ops map, read back, has the number of a program where the
 * kernel's struct hid_bpf_ops has a function pointer.
 */
static int add_programs(struct hs_attached_list *list, struct hs_attached *attached,
			const struct bpf_map_info *map, const char *value)
{
	const struct btf_type *t, *ops = NULL;
	const struct btf_member *m;
	size_t base = 0;

	t = btf__type_by_id(list->vmlinux, map->btf_vmlinux_value_type_id);
	if (!t || !btf_is_struct(t))
		return 0;
	m = btf_members(t);
	for (int i = 0; i < btf_vlen(t); i++, m++) {
		if (strcmp(btf__name_by_offset(list->vmlinux, m->name_off), "data"))
			continue;
		ops = btf__type_by_id(list->vmlinux,
				      (__u32)btf__resolve_type(list->vmlinux, m->type));
		base = btf_member_bit_offset(t, (__u32)i) / 8;
	}
	if (!ops || !btf_is_struct(ops))
		return 0;

	m = btf_members(ops);
	for (int i = 0; i < btf_vlen(ops); i++, m++) {
		size_t offset = base + btf_member_bit_offset(ops, (__u32)i) / 8;
		const struct btf_type *type;
		uint64_t id;
		int rc;

		type = btf__type_by_id(list->vmlinux,
				       (__u32)btf__resolve_type(list->vmlinux, m->type));
		if (!type || !btf_is_ptr(type) || offset + sizeof(id) > map->value_size)
			continue;
		type = btf__type_by_id(list->vmlinux,
				       (__u32)btf__resolve_type(list->vmlinux, type->type));
		if (!type || !btf_is_func_proto(type))
			continue;
		memcpy(&id, value + offset, sizeof(id));
		if (!id || id > UINT32_MAX)
			continue;
		rc = add_program(list, attached, (uint32_t)id,
				 btf__name_by_offset(list->vmlinux, m->name_off));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_link_programs(struct hs_attached_list *list, struct hs_attached *attached,
			     uint32_t map_id)
{
	hs_autoclose int fd = bpf_map_get_fd_by_id(map_id);
	hs_autofree char *value = NULL;
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info), zero = 0;

	if (fd < 0 || bpf_map_get_info_by_fd(fd, &info, &size) < 0)
		return 0;
	if (!list->vmlinux)
		list->vmlinux = btf__load_vmlinux_btf();
	value = calloc(1, info.value_size ? info.value_size : 1);
	if (!value)
		return -ENOMEM;
	if (!list->vmlinux || bpf_map_lookup_elem(fd, &zero, value) < 0)
		return 0;
	return add_programs(list, attached, &info, value);
}

static int add_link(struct hs_attached_list *list, struct hs_attached *attached, int fd,
		    const char *name, bool device_there)
{
	struct bpf_link_info info = { 0 };
	struct hs_attached_link *link;
	__u32 size = sizeof(info);

	if (bpf_link_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	link = hs_grow(&attached->links, &attached->n_links, sizeof(*link));
	if (!link || !(link->name = keep(list, name)))
		return -ENOMEM;
	link->id = info.id;
	if (info.type != BPF_LINK_TYPE_STRUCT_OPS || !info.struct_ops.map_id)
		return 0;
	link->alive = device_there;
	return add_link_programs(list, attached, info.struct_ops.map_id);
}

static int add_export(struct hs_attached_list *list, struct hs_attached *attached, int fd,
		      const char *name, const struct bpf_map_info *info)
{
	hs_autofree char *value = calloc(1, info->value_size + 1);
	struct hs_property *export;
	__u32 zero = 0;

	if (!value)
		return -ENOMEM;
	/* An empty one was not set. */
	if (bpf_map_lookup_elem(fd, &zero, value) < 0 || !value[0])
		return 0;
	export = hs_grow(&attached->exports, &attached->n_exports, sizeof(*export));
	if (!export || !(export->name = keep(list, name)) || !(export->value = keep(list, value)))
		return -ENOMEM;
	return 0;
}

static int add_settings(struct hs_attached_list *list, struct hs_attached *attached, int fd,
			const struct bpf_map_info *info)
{
	hs_autofree char *value = calloc(1, info->value_size + 1);
	__u32 zero = 0;
	int rc;

	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, value) < 0)
		return 0;
	rc = hs_settings_read(value, info->value_size, &list->strings, &attached->settings,
			      &attached->n_settings);
	/* A map of that name with something else in it is not ours to complain about. */
	return rc == -EINVAL ? 0 : rc;
}

static int add_job(struct hs_attached_list *list, struct hs_attached_io *io,
		   const struct hs_io_job_status *s)
{
	struct hs_attached_job *job = hs_grow(&io->jobs, &io->n_jobs, sizeof(*job));
	char name[HS_IO_NAME_SIZE + 1], shown[HS_ESCAPE_SIZE(HS_IO_NAME_SIZE)];

	/* The program chooses it, and it goes to terminals. */
	snprintf(name, sizeof(name), "%.*s", HS_IO_NAME_SIZE, s->name);
	hs_escape(name, shown, sizeof(shown));
	if (!job || !(job->name = keep(list, shown)))
		return -ENOMEM;
	job->runs = s->runs;
	job->failures = s->failures;
	job->timeouts = s->timeouts;
	job->given_up = s->given_up;
	job->coalesced = s->coalesced;
	job->missed = s->missed;
	job->last_start_ns = s->last_start_ns;
	job->busy_ns = s->busy_ns;
	_Static_assert(HS_LATENCIES == HS_IO_LATENCIES, "the public header has other classes");
	memcpy(job->latency, s->latency, sizeof(job->latency));
	job->last_errno = s->last_errno;
	job->period_ms = s->period_ms;
	return 0;
}

/*
 * Newer layouts are longer, at the end of the head and of each job; an older one
 * leaves what it lacks at 0.
 */
static int add_io(struct hs_attached_list *list, struct hs_attached *attached, int fd,
		  const struct bpf_map_info *info)
{
	hs_autofree char *value = calloc(1, info->value_size + 1);
	struct hs_io_status status = { 0 };
	struct hs_attached_io *io;
	size_t n = 0, head;
	__u32 zero = 0;

	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, value) < 0 ||
	    info->value_size < offsetof(struct hs_io_status, mode))
		return 0;
	memcpy(&status, value, offsetof(struct hs_io_status, mode));
	if (status.version != HS_IO_VERSION || status.header_size > info->value_size)
		return 0;
	head = status.header_size < offsetof(struct hs_io_status, job)
		       ? status.header_size
		       : offsetof(struct hs_io_status, job);
	memcpy(&status, value, head);

	io = hs_grow(&attached->io, &n, sizeof(*io));
	if (!io)
		return -ENOMEM;
	io->kind = status.mode == HS_IO_SLEEPABLE_TIMER  ? HS_IO_KIND_SLEEPABLE_TIMER
		   : status.mode == HS_IO_TIMER_AND_WORK ? HS_IO_KIND_TIMER_AND_WORK
							 : HS_IO_KIND_NOT_STARTED;
	io->busy = status.busy;
	io->stopped = status.stop;
	io->probes = status.probes;
	io->resumes = status.resumes;
	io->requests = status.requests;
	io->request_errors = status.request_errors;
	io->answers = status.answers;
	io->queue_full = status.queue_full;
	io->last_errno = status.last_errno;

	for (size_t i = 0; i < status.n_jobs; i++) {
		size_t offset = status.header_size + i * status.job_size;
		size_t size = status.job_size < sizeof(struct hs_io_job_status)
				      ? status.job_size
				      : sizeof(struct hs_io_job_status);
		struct hs_io_job_status job = { 0 };
		int rc;

		/* The program wrote these: jobs without size would never end. */
		if (!status.job_size || offset + status.job_size > info->value_size)
			break;
		memcpy(&job, value + offset, size);
		rc = add_job(list, io, &job);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_map(struct hs_attached_list *list, struct hs_attached *attached, int fd,
		   const char *name)
{
	struct bpf_map_info info = { 0 };
	struct hs_attached_map *map;
	__u32 size = sizeof(info);
	bool is_export = !strncmp(name, HS_PROPERTY_PREFIX, strlen(HS_PROPERTY_PREFIX));
	const char *type;

	if (list->exports_only && !is_export)
		return 0;
	if (bpf_map_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	type = libbpf_bpf_map_type_str(info.type);
	map = hs_grow(&attached->maps, &attached->n_maps, sizeof(*map));
	if (!map || !(map->name = keep(list, name)) || !(map->type = keep(list, type ? type : "?")))
		return -ENOMEM;
	map->id = info.id;
	map->key_size = info.key_size;
	map->value_size = info.value_size;
	map->max_entries = info.max_entries;
	if (!strcmp(name, HS_SETTINGS_PIN))
		return add_settings(list, attached, fd, &info);
	if (!strcmp(name, HS_IO_STATUS_MAP) && !attached->io)
		return add_io(list, attached, fd, &info);
	if (!is_export)
		return 0;
	return add_export(list, attached, fd, name + strlen(HS_PROPERTY_PREFIX), &info);
}

static enum hs_attached_state state(const struct hs_attached *attached, bool device_there)
{
	size_t alive = 0;

	for (size_t i = 0; i < attached->n_links; i++)
		alive += attached->links[i].alive;
	if (!device_there)
		return HS_ATTACHED_GONE;
	if (!attached->n_links)
		return HS_ATTACHED_NO_LINK;
	return alive == attached->n_links ? HS_ATTACHED_ALIVE : HS_ATTACHED_DETACHED;
}

static int read_object(struct hs_attached_list *list, int device, const char *dir_name,
		       const char *sysname)
{
	hs_autoclose int dir =
		openat(device, dir_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct hs_attached *attached;
	struct hs_pin_names names;
	char path[512], name[HS_PIN_NAME_SIZE];
	bool there;
	int rc;

	/* Gone meanwhile, or nothing of ours. */
	if (dir < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
	snprintf(path, sizeof(path), HS_HID_DEVICES "/%s", sysname);
	there = !access(path, F_OK);
	hs_pin_fixup_name(dir_name, name);
	attached = hs_grow(&list->all, &list->n, sizeof(*attached));
	if (!attached || !(attached->sysname = keep(list, sysname)) ||
	    !(attached->name = keep(list, name)))
		return -ENOMEM;

	rc = hs_pin_names_read(dir, &names);
	for (size_t i = 0; !rc && i < names.n; i++) {
		enum hs_pin_type type;
		hs_autoclose int fd = hs_pin_open(dir, names.names[i], &type);

		if (fd == -EACCES || fd == -EPERM)
			rc = fd;
		else if (fd >= 0 && type == HS_PIN_LINK && !list->exports_only)
			rc = add_link(list, attached, fd, names.names[i], there);
		else if (fd >= 0 && type == HS_PIN_MAP)
			rc = add_map(list, attached, fd, names.names[i]);
	}
	hs_pin_names_free(&names);
	attached->state = state(attached, there);
	return rc;
}

static int read_device(struct hs_attached_list *list, int root, const char *dir_name,
		       const char *sysname)
{
	hs_autoclose int device =
		openat(root, dir_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct hs_pin_names names;
	int rc;

	if (device < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
	rc = hs_pin_names_read(device, &names);
	for (size_t i = 0; !rc && i < names.n; i++)
		rc = read_object(list, device, names.names[i], sysname);
	hs_pin_names_free(&names);
	return rc;
}

static int read_root(struct hs_attached_list *list, int root, const char *wanted)
{
	struct hs_libbpf_log log;
	struct hs_pin_names names;
	int rc;

	rc = hs_pin_names_read(root, &names);
	if (rc < 0)
		return rc;
	/* Loading the kernel's types can make libbpf talk. */
	hs_libbpf_log_begin(&log);
	for (size_t i = 0; !rc && i < names.n; i++) {
		char sysname[HS_PIN_NAME_SIZE];

		if (hs_pin_sysname(names.names[i], sysname) &&
		    (!wanted || !strcmp(wanted, sysname)))
			rc = read_device(list, root, names.names[i], sysname);
	}
	hs_libbpf_log_end(&log);
	hs_libbpf_log_free(&log);
	hs_pin_names_free(&names);
	return rc;
}

/* All but what stays the same: whom to look at, and the kernel's types. */
static void empty(struct hs_attached_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		hs_free_const(list->all[i].links);
		hs_free_const(list->all[i].programs);
		hs_free_const(list->all[i].maps);
		hs_free_const(list->all[i].exports);
		hs_free_const(list->all[i].settings);
		if (list->all[i].io)
			hs_free_const(list->all[i].io->jobs);
		hs_free_const(list->all[i].io);
	}
	free(list->all);
	list->all = NULL;
	list->n = 0;
	hs_strings_free(&list->strings);
}

int hs_attached_list_update(struct hs_attached_list *list, struct hs_error *err)
{
	hs_autoclose int root = -1;
	int rc = 0;

	empty(list);
	root = hs_pins_open_root(list->pin_root, false, err);
	if (root >= 0)
		rc = read_root(list, root, list->sysname);
	if (rc == -EACCES || rc == -EPERM)
		rc = hs_error_set(err, -EPERM, "%s: %s; what is attached is for root to see",
				  list->pin_root, strerror(-rc));
	else if (rc < 0)
		hs_error_set(err, rc, "%s: %s", list->pin_root, strerror(-rc));
	else if (root < 0 && root != -ENOENT)
		rc = root;
	if (rc < 0)
		empty(list);
	return rc;
}

static int open_list(const char *sysname, const char *pin_root, bool exports_only,
		     struct hs_attached_list **out, struct hs_error *err)
{
	struct hs_attached_list *list = calloc(1, sizeof(*list));
	int rc;

	if (!pin_root)
		pin_root = HS_PIN_ROOT;
	if (list) {
		list->pin_root = strdup(pin_root);
		list->sysname = sysname ? strdup(sysname) : NULL;
	}
	if (!list || !list->pin_root || (sysname && !list->sysname)) {
		hs_attached_list_free(list);
		return hs_error_set(err, -ENOMEM, "%s: %s", pin_root, strerror(ENOMEM));
	}
	list->exports_only = exports_only;
	rc = hs_attached_list_update(list, err);
	if (rc < 0) {
		hs_attached_list_free(list);
		return rc;
	}
	*out = list;
	return 0;
}

int hs_attached_list_open(const char *sysname, const char *pin_root, struct hs_attached_list **out,
			  struct hs_error *err)
{
	return open_list(sysname, pin_root, false, out, err);
}

int hs_attached_exports_open(const char *sysname, struct hs_attached_list **out,
			     struct hs_error *err)
{
	return open_list(sysname, NULL, true, out, err);
}

void hs_attached_list_free(struct hs_attached_list *list)
{
	if (!list)
		return;
	empty(list);
	free(list->sysname);
	free(list->pin_root);
	btf__free(list->vmlinux);
	free(list);
}

size_t hs_attached_list_count(const struct hs_attached_list *list)
{
	return list->n;
}

const struct hs_attached *hs_attached_list_get(const struct hs_attached_list *list, size_t index)
{
	return index < list->n ? &list->all[index] : NULL;
}

bool hs_stats_enabled(void)
{
	hs_autoclose int fd = open("/proc/sys/kernel/bpf_stats_enabled", O_RDONLY | O_CLOEXEC);
	char c = '0';

	return fd >= 0 && read(fd, &c, 1) == 1 && c == '1';
}

int hs_stats_enable(struct hs_error *err)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	if (fd < 0)
		return hs_error_set(err, -errno, "run statistics of BPF programs: %s",
				    strerror(errno));
	return fd;
}
