// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/* From an object to a running fixup, and back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "core/base/util.h"
#include "core/fixup/config.h"
#include "core/fixup/fixup-int.h"
#include "core/fixup/io-stop.h"
#include "core/fixup/libbpf-log.h"
#include "core/fixup/pins.h"
#include "core/fixup/settings.h"

#define KERNEL_BTF     "/sys/kernel/btf/vmlinux"
#define LOCKDOWN       "/sys/kernel/security/lockdown"
#define VERIFIER_LINES 12
#define LINKS_MAX      64 /* the kernel's limit of programs for one device */

/* The argument of the `probe` program; its layout is shared with udev-hid-bpf. */
struct probe_args {
	__u32 hid;
	__u32 rdesc_size;
	__u8 rdesc[HS_RDESC_MAX];
	__s32 retval;
};

/*
 * What retval holds before the program has run: one that never sets it does not
 * take the device. udev-hid-bpf has the same.
 */
#define PROBE_SILENT (-1)

/* One attach on its way. */
struct job {
	const struct hs_fixup *fixup;
	const char *sysname;
	const struct hs_attach_opts *opts;
	char dir_name[HS_PIN_NAME_SIZE];
	uint32_t hid_id;
	struct hs_hid_id id; /* as far as the sysname has it */
	uint8_t rdesc[HS_RDESC_MAX];
	size_t rdesc_size;
	int root; /* of all pins */
	int device; /* the device's pins, locked */
	struct bpf_object *obj;
	struct {
		struct bpf_link *link;
		const char *name;
	} links[LINKS_MAX];
	size_t n_links;
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Every error of an attach names device and fixup. */
#define fail(job, err, code, ...)              \
	(hs_error_set(err, code, __VA_ARGS__), \
	 hs_error_prefix(err, "%s: %s", (job)->sysname, (job)->fixup->name), (code))

static bool kernel_has_hid_bpf(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && btf__find_by_name_kind(btf, "hid_bpf_ops", BTF_KIND_STRUCT) > 0;

	btf__free(btf);
	return has;
}

static int read_rdesc(struct job *job, struct hs_error *err)
{
	char path[512];
	hs_autoclose int fd = -1;

	snprintf(path, sizeof(path), HS_HID_DEVICES "/%s/report_descriptor", job->sysname);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return hs_error_set(err, -ENODEV,
				    "%s: no such HID device; 'hidsmith list' shows what is there",
				    job->sysname);
	if (fd < 0)
		return hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
	job->rdesc_size = 0;
	while (job->rdesc_size < sizeof(job->rdesc)) {
		ssize_t n = read(fd, job->rdesc + job->rdesc_size,
				 sizeof(job->rdesc) - job->rdesc_size);

		/* The device can go at any time. */
		if (n < 0)
			return hs_error_set(err, errno == ENODEV ? -ENODEV : -errno, "%s: %s",
					    job->sysname, strerror(errno));
		if (!n)
			break;
		job->rdesc_size += (size_t)n;
	}
	return 0;
}

/* Take the lock, and see what is there under the fixup's name. */
static int open_pins(struct job *job, struct hs_error *err)
{
	const char *root = job->opts->pin_root ? job->opts->pin_root : HS_PIN_ROOT;
	struct stat st;
	int rc;

	rc = hs_pin_object_name(job->fixup->name, job->dir_name);
	if (rc < 0)
		return fail(job, err, rc, "%s", strerror(-rc));
	job->root = hs_pins_open_root(root, true, err);
	if (job->root < 0)
		return hs_error_prefix(err, "%s", job->sysname), job->root;
	job->device = hs_pins_open_device(job->root, job->sysname, true, err);
	if (job->device < 0)
		return job->device;

	if (fstatat(job->device, job->dir_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	/* An object that only probes leaves no link to be alive. */
	if (!job->opts->replace && (job->fixup->info.interface == HS_INTERFACE_PROBE_ONLY ||
				    hs_pins_alive(job->device, job->dir_name)))
		return fail(job, err, -EEXIST,
			    "already attached; use --replace, or 'hidsmith detach' first");
	/* To be replaced, or left by an attach that was killed half way. */
	rc = hs_pins_remove(job->device, job->dir_name, err);
	if (rc < 0)
		return hs_error_prefix(err, "%s", job->sysname), rc;
	/* What is gone now may have changed the descriptor. */
	return read_rdesc(job, err);
}

static const char *property_value(const struct job *job, const char *name)
{
	for (size_t i = 0; i < job->opts->n_properties; i++)
		if (!strcmp(job->opts->properties[i].name, name))
			return job->opts->properties[i].value;
	if (job->opts->config) {
		const char *value =
			hs_config_property(job->opts->config, job->fixup->name, &job->id, name);

		if (value)
			return value;
	}
	return job->opts->property ? job->opts->property(name, job->opts->property_data) : NULL;
}

struct property_search {
	struct job *job;
	struct hs_error *err;
};

static int set_property(const struct hs_property_var *var, void *data)
{
	struct property_search *search = data;
	struct job *job = search->job;
	const char *value = property_value(job, var->name);
	struct bpf_map *map;
	size_t size = 0;
	char *init;

	if (!value)
		return 0;
	if (strlen(value) >= var->size)
		return fail(job, search->err, -EINVAL,
			    "property %s: '%s' is too long, the object takes %zu characters",
			    var->name, value, var->size - 1);
	map = bpf_object__find_map_by_name(job->obj, var->section);
	init = map ? bpf_map__initial_value(map, &size) : NULL;
	if (!init || var->offset > size || var->size > size - var->offset)
		return fail(job, search->err, -EINVAL, "property %s: lies outside of %s", var->name,
			    var->section);
	memset(init + var->offset, 0, var->size);
	memcpy(init + var->offset, value, strlen(value));
	return 0;
}

static int given_setting(struct job *job, const struct hs_setting_info *setting, bool *given,
			 int32_t *value, struct hs_error *err)
{
	*given = false;
	for (size_t i = 0; i < job->opts->n_settings; i++) {
		const struct hs_property *p = &job->opts->settings[i];
		int rc;

		if (strcmp(p->name, setting->name))
			continue;
		rc = hs_setting_parse(setting, p->value, value, err);
		if (rc < 0)
			return hs_error_prefix(err, "%s: %s: setting %s", job->sysname,
					       job->fixup->name, setting->name),
			       rc;
		*given = true;
	}
	return 0;
}

/* Nobody is there to correct what is configured: say so, and go on. */
static void configured_setting(struct job *job, const struct hs_setting_info *setting,
			       int32_t *value)
{
	const char *text = NULL, *from = HS_CONFIG_PATH;
	struct hs_error err = { 0 };
	char property[64];

	if (job->opts->config)
		text = hs_config_setting(job->opts->config, job->fixup->name, &job->id,
					 setting->name);
	if (!text) {
		from = hs_setting_property(setting->name, property, sizeof(property));
		text = property_value(job, from);
	}
	if (!text || !hs_setting_parse(setting, text, value, &err) || !job->opts->warn)
		return;
	hs_error_prefix(&err, "%s: %s: setting %s, from %s", job->sysname, job->fixup->name,
			setting->name, from);
	snprintf(err.text + strlen(err.text), sizeof(err.text) - strlen(err.text),
		 "; the default %d is used", setting->value);
	job->opts->warn(err.text, job->opts->warn_data);
}

static const struct hs_setting_info *find_setting(const struct hs_fixup *fixup, const char *name)
{
	for (size_t i = 0; i < fixup->info.n_settings; i++)
		if (!strcmp(fixup->info.settings[i].name, name))
			return &fixup->info.settings[i];
	return NULL;
}

int hs_fixup_check_setting(const struct hs_fixup *fixup, const struct hs_property *setting,
			   struct hs_error *err)
{
	const struct hs_setting_info *info = find_setting(fixup, setting->name);
	int32_t value;
	int rc;

	if (!info)
		return hs_error_set(err, -ENOENT,
				    "%s: it has no setting '%s'; 'hidsmith inspect' shows those it "
				    "has",
				    fixup->name, setting->name);
	rc = hs_setting_parse(info, setting->value, &value, err);
	if (rc < 0)
		hs_error_prefix(err, "%s: setting %s", fixup->name, setting->name);
	return rc;
}

static int set_settings(struct job *job, struct hs_error *err)
{
	const struct hs_fixup_info *info = &job->fixup->info;
	struct bpf_map *map = bpf_object__find_map_by_name(job->obj, HS_SETTINGS_MAP);
	size_t size = 0;
	void *section = map ? bpf_map__initial_value(map, &size) : NULL;

	for (size_t i = 0; i < job->opts->n_settings && !job->opts->skip_unknown_settings; i++)
		if (!find_setting(job->fixup, job->opts->settings[i].name))
			return fail(job, err, -EINVAL,
				    "it has no setting '%s'; 'hidsmith inspect' shows those it has",
				    job->opts->settings[i].name);
	for (size_t i = 0; section && i < info->n_settings; i++) {
		int32_t value = info->settings[i].value;
		bool given;
		int rc;

		rc = given_setting(job, &info->settings[i], &given, &value, err);
		if (rc < 0)
			return rc;
		if (!given)
			configured_setting(job, &info->settings[i], &value);
		hs_setting_write(section, i, value);
	}
	return 0;
}

static int set_hid_id(struct job *job, struct hs_error *err)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, job->obj)
	{
		size_t size = 0;
		void *init;

		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		if (!(bpf_map__map_flags(map) & BPF_F_LINK))
			return fail(job, err, -EINVAL,
				    "'%s' is not in section .struct_ops.link and cannot be pinned",
				    bpf_map__name(map));
		init = bpf_map__initial_value(map, &size);
		if (!init || size < sizeof(__s32))
			return fail(job, err, -EINVAL, "'%s' has no hid_id", bpf_map__name(map));
		/* hid_id is the first member of struct hid_bpf_ops. */
		memcpy(init, &(__s32){ (__s32)job->hid_id }, sizeof(__s32));
	}
	return 0;
}

/* Does the kernel let no BPF program read its memory? */
static bool kernel_is_confidential(void)
{
	hs_autofclose FILE *f = fopen(LOCKDOWN, "re");
	char modes[128];

	return f && fgets(modes, sizeof(modes), f) && strstr(modes, "[confidentiality]");
}

/* Say why the kernel did not take the object. */
static int load_error(struct job *job, int rc, const struct hs_libbpf_log *log,
		      struct hs_error *err)
{
	char reason[512], verifier[3072];

	hs_libbpf_log_reason(log, reason, sizeof(reason));
	hs_libbpf_log_verifier(log, VERIFIER_LINES, verifier, sizeof(verifier));
	if (strstr(verifier, "bpf_probe_read") && kernel_is_confidential())
		return fail(job, err, -ENOTSUP,
			    "the kernel is locked down (confidentiality) and lets no BPF program "
			    "read its memory, which this one does; see hidsmith-kernel(7)");
	if (verifier[0])
		return fail(job, err, -ENOEXEC, "the kernel's verifier refused it: %s\n%s", reason,
			    verifier);
	if (rc == -EPERM || rc == -EACCES)
		return fail(job, err, -EPERM,
			    "not allowed to load BPF programs; attach as root, and see "
			    "hidsmith-kernel(7) if you are");
	if (access(KERNEL_BTF, R_OK) < 0)
		return fail(job, err, -ENOTSUP,
			    "kernel has no BTF (CONFIG_DEBUG_INFO_BTF); see hidsmith-kernel(7)");
	if (!kernel_has_hid_bpf())
		return fail(job, err, -ENOTSUP,
			    "kernel has no HID-BPF (CONFIG_HID_BPF); see hidsmith-kernel(7)");
	if (strstr(reason, "extern (func ksym)"))
		return fail(job, err, -ENOTSUP,
			    "this kernel lacks a function that the object needs: %s; see "
			    "hidsmith-kernel(7)",
			    reason);
	return fail(job, err, -ENOEXEC, "the kernel refused it: %s",
		    reason[0] ? reason : strerror(-rc));
}

static int load(struct job *job, struct hs_error *err)
{
	struct property_search search = { .job = job, .err = err };
	struct hs_libbpf_log log;
	int rc;

	hs_libbpf_log_begin(&log);
	job->obj = hs_fixup_object(job->fixup);
	if (!job->obj) {
		rc = fail(job, err, -EINVAL, "%s", strerror(errno));
		goto out;
	}
	rc = hs_property_vars(bpf_object__btf(job->obj), set_property, &search);
	if (rc < 0)
		goto out;
	rc = set_settings(job, err);
	if (rc < 0)
		goto out;
	rc = set_hid_id(job, err);
	if (rc < 0)
		goto out;
	rc = bpf_object__load(job->obj);
	if (rc < 0)
		rc = load_error(job, rc, &log, err);
out:
	hs_libbpf_log_end(&log);
	hs_libbpf_log_free(&log);
	return rc;
}

/* Ask the object whether this device, and not only its id, is the right one. */
static int probe(struct job *job, struct hs_error *err)
{
	struct probe_args args = { .hid = job->hid_id,
				   .rdesc_size = (__u32)job->rdesc_size,
				   .retval = PROBE_SILENT };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &args, .ctx_size_in = sizeof(args));
	struct bpf_program *prog;
	int rc;

	if (!job->fixup->info.has_probe)
		return 0;
	prog = bpf_object__find_program_by_name(job->obj, "probe");
	memcpy(args.rdesc, job->rdesc, job->rdesc_size);
	rc = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
	if (rc < 0)
		return fail(job, err, rc, "its probe program cannot be run: %s", strerror(-rc));
	if (args.retval)
		return fail(job, err, -ECANCELED,
			    "its probe program says that it is not for this device (%d)",
			    args.retval);
	return 0;
}

/* A device has one such program at a time, which explains an -EINVAL. */
static bool has_rdesc_program(const struct hs_fixup *fixup)
{
	for (size_t i = 0; i < fixup->info.n_programs; i++) {
		const char *hook = fixup->info.programs[i].hook;

		if (hook && !strcmp(hook, "hid_rdesc_fixup"))
			return true;
	}
	return false;
}

/* What else is pinned for this device, for an error text. */
static const char *others(const struct job *job, char *buf, size_t size)
{
	struct hs_pin_names names;
	size_t used = 0;

	buf[0] = 0;
	if (hs_pin_names_read(job->device, &names) < 0)
		return buf;
	for (size_t i = 0; i < names.n && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? ", " : "",
					 names.names[i]);
	hs_pin_names_free(&names);
	return buf;
}

static int attach_error(struct job *job, const char *map, int rc, struct hs_error *err)
{
	char path[512], names[256];

	snprintf(path, sizeof(path), HS_HID_DEVICES "/%s", job->sysname);
	if (access(path, F_OK) < 0)
		return hs_error_set(err, -ENODEV, "%s: the device has gone", job->sysname);
	if (rc == -EINVAL && has_rdesc_program(job->fixup)) {
		others(job, names, sizeof(names));
		return fail(job, err, -EBUSY,
			    "a device has one fixup for its report descriptor, and another one "
			    "has it (%s); detach that first",
			    names[0] ? names : "not pinned; 'bpftool link' shows it");
	}
	if (rc == -E2BIG)
		return fail(job, err, rc, "this device has as many programs as the kernel allows");
	return fail(job, err, rc, "attaching '%s': %s", map, strerror(-rc));
}

static int attach(struct job *job, struct hs_error *err)
{
	struct hs_libbpf_log log;
	struct bpf_map *map;
	int rc = 0;

	hs_libbpf_log_begin(&log);
	bpf_object__for_each_map(map, job->obj)
	{
		struct bpf_link *link;

		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS || !bpf_map__autocreate(map))
			continue;
		link = job->n_links < LINKS_MAX ? bpf_map__attach_struct_ops(map) : NULL;
		if (!link) {
			rc = attach_error(job, bpf_map__name(map),
					  job->n_links < LINKS_MAX ? -errno : -E2BIG, err);
			break;
		}
		job->links[job->n_links].name = bpf_map__name(map);
		job->links[job->n_links++].link = link;
	}
	hs_libbpf_log_end(&log);
	hs_libbpf_log_free(&log);
	return rc;
}

/* Internal maps are called like the object, which says nothing: "bss", "data". */
static int map_pin_name(const struct bpf_map *map, char buf[HS_PIN_NAME_SIZE])
{
	const char *name = bpf_map__name(map), *dot = strchr(name, '.');

	return hs_pin_name(bpf_map__is_internal(map) && dot ? dot + 1 : name, buf);
}

/* What programs only read need not be kept, but status shows the settings. */
static bool is_settings(const struct bpf_map *map)
{
	return !strcmp(bpf_map__name(map), HS_SETTINGS_MAP);
}

static int pin_all(struct job *job, int dir, struct hs_error *err)
{
	char name[HS_PIN_NAME_SIZE];
	struct bpf_map *map;
	int rc;

	/*
	 * Maps first: one that has a timer or a work item needs a user's reference
	 * as long as programs run. A directory without a link is a half made one.
	 */
	bpf_object__for_each_map(map, job->obj)
	{
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS || bpf_map__fd(map) < 0 ||
		    (bpf_map__map_flags(map) & BPF_F_RDONLY_PROG && !is_settings(map)))
			continue;
		rc = map_pin_name(map, name);
		if (!rc)
			rc = hs_pin(bpf_map__fd(map), dir, name);
		if (rc < 0)
			return fail(job, err, rc, "pinning map '%s': %s", bpf_map__name(map),
				    strerror(-rc));
	}
	for (size_t i = 0; i < job->n_links; i++) {
		rc = hs_pin_name(job->links[i].name, name);
		if (!rc)
			rc = hs_pin(bpf_link__fd(job->links[i].link), dir, name);
		if (rc < 0)
			return fail(job, err, rc, "pinning link '%s': %s", job->links[i].name,
				    strerror(-rc));
	}
	return 0;
}

static int pin(struct job *job, struct hs_error *err)
{
	hs_autoclose int dir = -1;
	int rc;

	if (mkdirat(job->device, job->dir_name, 0755) < 0)
		return fail(job, err, -errno, "pinning: %s", strerror(errno));
	dir = openat(job->device, job->dir_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	rc = dir < 0 ? fail(job, err, -errno, "pinning: %s", strerror(errno))
		     : pin_all(job, dir, err);
	if (rc < 0)
		hs_pins_remove(job->device, job->dir_name, NULL);
	return rc;
}

/* A probe program has set jobs going; without links nobody could end them. */
static void stop_jobs(struct job *job)
{
	struct bpf_map *map =
		job->obj ? bpf_object__find_map_by_name(job->obj, HS_IO_STATUS_MAP) : NULL;

	if (map && bpf_map__fd(map) >= 0)
		hs_io_stop(bpf_map__fd(map));
}

static void release(struct job *job, bool failed)
{
	if (failed)
		stop_jobs(job);
	/* What is pinned lives on; on failure nothing is pinned and this detaches. */
	for (size_t i = 0; i < job->n_links; i++)
		bpf_link__destroy(job->links[i].link);
	bpf_object__close(job->obj);
	/* No matter if it is not empty. Before the lock goes, or another may be in it. */
	if (job->device >= 0)
		hs_pins_remove_device(job->root, job->sysname);
	hs_closep(&job->device);
	hs_closep(&job->root);
}

int hs_fixup_attach(struct hs_fixup *fixup, const char *sysname, const struct hs_attach_opts *opts,
		    struct hs_error *err)
{
	static const struct hs_attach_opts defaults = { .size = sizeof(defaults) };
	struct hs_attach_opts all = defaults;
	struct hs_attach_timing time = { 0 };
	struct job job = {
		.fixup = fixup, .sysname = sysname, .opts = &all, .root = -1, .device = -1
	};
	int (*const steps[])(struct job *, struct hs_error *) = { load, probe, attach, pin };
	uint64_t *const spent[] = { &time.load, &time.probe, &time.attach, &time.pin };
	uint64_t start = now_us(), end;
	int rc;

	if (opts)
		memcpy(&all, opts, opts->size < sizeof(all) ? opts->size : sizeof(all));
	if (!hs_sysname_parse(sysname, &job.hid_id))
		return hs_error_set(err, -ENODEV,
				    "%s: not the name of a HID device, such as "
				    "0003:28BD:0914.0004; 'hidsmith list' shows them",
				    sysname);
	sscanf(sysname, "%4hx:%x:%x", &job.id.bus, &job.id.vendor, &job.id.product);
	if (fixup->info.interface == HS_INTERFACE_FMOD_RET)
		return fail(&job, err, -ENOTSUP,
			    "its programs use the fmod_ret interface, which Linux 6.11 removed; "
			    "use a fixup with struct_ops programs");

	rc = read_rdesc(&job, err);
	if (!rc)
		rc = open_pins(&job, err);
	time.prepare = (end = now_us()) - start;
	for (size_t i = 0; !rc && i < HS_ARRAY_SIZE(steps); i++) {
		start = end;
		rc = steps[i](&job, err);
		*spent[i] = (end = now_us()) - start;
	}
	if (!rc && all.timing)
		*all.timing = time;
	release(&job, rc < 0);
	return rc;
}

/* "ugee__tablets" names "0010-ugee__tablets", too. */
static bool name_fits(const char *dir, const char *wanted)
{
	char name[HS_PIN_NAME_SIZE];
	size_t digits;

	hs_pin_fixup_name(dir, name);
	digits = strspn(name, "0123456789");
	return !strcmp(name, wanted) ||
	       (digits && name[digits] == '-' && !strcmp(name + digits + 1, wanted));
}

int hs_fixup_detach(const char *sysname, const char *name, const char *pin_root,
		    struct hs_error *err)
{
	hs_autoclose int root = -1;
	hs_autoclose int device = -1;
	char wanted[HS_PIN_NAME_SIZE];
	struct hs_pin_names names;
	uint32_t hid_id;
	int rc, removed = 0;

	if (!hs_sysname_parse(sysname, &hid_id))
		return hs_error_set(err, -ENODEV,
				    "%s: not the name of a HID device, such as 0003:28BD:0914.0004",
				    sysname);
	if (name && hs_pin_name(name, wanted) < 0)
		return 0;
	root = hs_pins_open_root(pin_root ? pin_root : HS_PIN_ROOT, false, err);
	if (root < 0)
		return root == -ENOENT ? 0 : root;
	device = hs_pins_open_device(root, sysname, false, err);
	if (device < 0)
		return device == -ENOENT ? 0 : device;
	rc = hs_pin_names_read(device, &names);
	if (rc < 0)
		return hs_error_set(err, rc, "%s: %s", sysname, strerror(-rc));

	/* One that cannot be removed must not keep the others. */
	for (size_t i = 0; i < names.n; i++) {
		int r;

		if (name && !name_fits(names.names[i], wanted))
			continue;
		r = hs_pins_remove(device, names.names[i], rc < 0 ? NULL : err);
		if (r < 0 && !rc)
			rc = r;
		if (!r)
			removed++;
	}
	hs_pin_names_free(&names);
	hs_pins_remove_device(root, sysname);
	if (rc < 0)
		return hs_error_prefix(err, "%s", sysname), rc;
	return removed;
}
