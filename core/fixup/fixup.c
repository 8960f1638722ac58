// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/* Reading object files: everything about a fixup that needs no kernel. */
#include "core/fixup/fixup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <elf.h>
#include <gelf.h>
#include <libelf.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/fixup/file.h"
#include "core/fixup/fixup-int.h"
#include "core/fixup/libbpf-log.h"
#include "core/fixup/settings.h"

/* The largest object known has 70 kB. */
#define OBJECT_MAX (16u << 20)

#define SUFFIX ".bpf.o"

struct elf {
	Elf *elf;
	Elf_Data *btf;
	Elf_Data *license;
};

static int invalid(struct hs_error *err, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int invalid(struct hs_error *err, const char *path, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return hs_error_set(err, -EINVAL, "%s: %s", path, text);
}

/* What an object calls its parts is data, and goes to terminals. */
static const char *keep(struct hs_fixup *fixup, const char *s)
{
	size_t size = HS_ESCAPE_SIZE(strlen(s));
	hs_autofree char *shown = malloc(size);

	return shown ? hs_strings_keep(&fixup->strings, hs_escape(s, shown, size)) : NULL;
}

/* "0010-ugee__tablets": priority 10, group "ugee__tablets". */
static int parse_name(struct hs_fixup *fixup, struct hs_error *err)
{
	const char *base = strrchr(fixup->path, '/');
	size_t len, digits;

	base = base ? base + 1 : fixup->path;
	len = strlen(base);
	if (len <= strlen(SUFFIX) || strcmp(base + len - strlen(SUFFIX), SUFFIX))
		return invalid(err, fixup->path, "the name of a fixup ends in '%s'", SUFFIX);
	len -= strlen(SUFFIX);

	fixup->name = strndup(base, len);
	if (!fixup->name)
		return hs_error_set(err, -ENOMEM, "%s: %s", fixup->path, strerror(ENOMEM));
	/* The name goes into bpffs, the hwdb and messages. */
	for (const char *s = fixup->name; *s; s++)
		if (!isgraph((unsigned char)*s))
			return invalid(err, fixup->path,
				       "a fixup's name has no spaces, control or non-ASCII "
				       "characters");

	fixup->group = fixup->name;
	digits = strspn(fixup->name, "0123456789");
	if (digits && digits < 9 && fixup->name[digits] == '-' && fixup->name[digits + 1]) {
		fixup->priority = (unsigned int)strtoul(fixup->name, NULL, 10);
		fixup->group = fixup->name + digits + 1;
	}
	return 0;
}

/* Says what is wrong in the user's words, before libbpf says it in its own. */
static int open_elf(const struct hs_fixup *fixup, struct elf *out, struct hs_error *err)
{
	const unsigned char *ident = fixup->image;
	const unsigned char order =
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	Elf_Scn *section = NULL;
	GElf_Ehdr header;
	size_t names;

	if (fixup->image_size < EI_NIDENT || memcmp(ident, ELFMAG, SELFMAG))
		return invalid(err, fixup->path,
			       "not an ELF file; an object is what 'clang "
			       "-target bpf' makes");

	elf_version(EV_CURRENT);
	out->elf = elf_memory(fixup->image, fixup->image_size);
	if (!out->elf || !gelf_getehdr(out->elf, &header))
		return invalid(err, fixup->path, "damaged ELF file: %s", elf_errmsg(-1));
	/* Sections are described at a file's end: what is cut off has lost them. */
	if (header.e_shoff > fixup->image_size ||
	    (size_t)header.e_shnum * header.e_shentsize > fixup->image_size - header.e_shoff)
		return invalid(err, fixup->path, "damaged ELF file: it ends too early");
	if (header.e_machine != EM_BPF || header.e_type != ET_REL)
		return invalid(err, fixup->path, "an ELF file, but not a BPF object");
	if (ident[EI_DATA] != order)
		return invalid(err, fixup->path, "compiled for the other byte order");
	if (elf_getshdrstrndx(out->elf, &names) < 0)
		return invalid(err, fixup->path, "damaged ELF file: %s", elf_errmsg(-1));

	while ((section = elf_nextscn(out->elf, section))) {
		GElf_Shdr shdr;
		const char *name;

		if (!gelf_getshdr(section, &shdr))
			return invalid(err, fixup->path, "damaged ELF file: %s", elf_errmsg(-1));
		name = elf_strptr(out->elf, names, shdr.sh_name);
		if (name && !strcmp(name, BTF_ELF_SEC))
			out->btf = elf_getdata(section, NULL);
		else if (name && !strcmp(name, "license"))
			out->license = elf_getdata(section, NULL);
	}
	if (!out->btf || !out->btf->d_size)
		return invalid(err, fixup->path, "no BTF; compile with -g");
	return 0;
}

/* A number as match data have it: a pointer to an array of that many elements. */
static int read_number(const struct btf *btf, __u32 type_id, __u32 *out)
{
	const struct btf_type *t = btf__type_by_id(btf, (__u32)btf__resolve_type(btf, type_id));

	if (!t || !btf_is_ptr(t))
		return -EINVAL;
	t = btf__type_by_id(btf, (__u32)btf__resolve_type(btf, t->type));
	if (!t || !btf_is_array(t))
		return -EINVAL;
	*out = btf_array(t)->nelems;
	return 0;
}

static int read_match(struct hs_fixup *fixup, const struct btf *btf, const struct btf_type *t,
		      struct hs_error *err)
{
	struct hs_match *match;
	const struct btf_member *m = btf_members(t);

	match = hs_grow(&fixup->info.matches, &fixup->info.n_matches, sizeof(*match));
	if (!match)
		return hs_error_set(err, -ENOMEM, "%s: %s", fixup->path, strerror(ENOMEM));

	for (int i = 0; i < btf_vlen(t); i++, m++) {
		const char *name = btf__name_by_offset(btf, m->name_off);
		bool bus = !strcmp(name, "bus"), group = !strcmp(name, "group");
		bool vid = !strcmp(name, "vid"), pid = !strcmp(name, "pid");
		__u32 n;

		if (!bus && !group && !vid && !pid)
			continue;
		if (read_number(btf, m->type, &n) < 0 || ((bus || group) && n > UINT16_MAX))
			return invalid(err, fixup->path, "match data: device %zu: bad '%s'",
				       fixup->info.n_matches, name);
		if (bus)
			match->bus = (uint16_t)n;
		else if (group)
			match->group = (uint16_t)n;
		else if (vid)
			match->vendor = n;
		else
			match->product = n;
	}
	return 0;
}

static int read_matches(struct hs_fixup *fixup, const struct btf *btf, struct hs_error *err)
{
	const struct btf_type *section, *t;
	const struct btf_var_secinfo *var;
	const struct btf_member *m;
	int id, rc;

	id = btf__find_by_name_kind(btf, ".hid_bpf_config", BTF_KIND_DATASEC);
	if (id < 0)
		return invalid(err, fixup->path,
			       "no match data; declare the devices with HID_BPF_CONFIG()");

	section = btf__type_by_id(btf, (__u32)id);
	var = btf_var_secinfos(section);
	for (int i = 0; i < btf_vlen(section); i++, var++) {
		t = btf__type_by_id(btf, var->type);
		if (!t || strcmp(btf__name_by_offset(btf, t->name_off), "_device_ids"))
			continue;
		t = btf__type_by_id(btf, (__u32)btf__resolve_type(btf, var->type));
		if (!t || !btf_is_composite(t))
			return invalid(err, fixup->path, "match data: not a union of devices");
		m = btf_members(t);
		for (int k = 0; k < btf_vlen(t); k++, m++) {
			const struct btf_type *entry =
				btf__type_by_id(btf, (__u32)btf__resolve_type(btf, m->type));

			if (!entry || !btf_is_composite(entry))
				return invalid(err, fixup->path,
					       "match data: device %d is not a struct", k + 1);
			rc = read_match(fixup, btf, entry, err);
			if (rc < 0)
				return rc;
		}
	}
	if (!fixup->info.n_matches)
		return invalid(err, fixup->path, "match data without a device");
	return 0;
}

static int read_kfuncs(struct hs_fixup *fixup, const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, ".ksyms", BTF_KIND_DATASEC);
	const struct btf_var_secinfo *var;
	const struct btf_type *section;

	if (id < 0)
		return 0;
	section = btf__type_by_id(btf, (__u32)id);
	var = btf_var_secinfos(section);
	for (int i = 0; i < btf_vlen(section); i++, var++) {
		const struct btf_type *t = btf__type_by_id(btf, var->type);
		const char **kfunc;

		if (!t || !btf_is_func(t))
			continue;
		kfunc = hs_grow(&fixup->info.kfuncs, &fixup->info.n_kfuncs, sizeof(*kfunc));
		if (!kfunc || !(*kfunc = keep(fixup, btf__name_by_offset(btf, t->name_off))))
			return -ENOMEM;
	}
	return 0;
}

static int read_license(struct hs_fixup *fixup, const Elf_Data *section)
{
	char text[64] = "";

	if (section && section->d_buf)
		snprintf(text, sizeof(text), "%.*s", (int)section->d_size,
			 (const char *)section->d_buf);
	fixup->info.license = keep(fixup, text);
	return fixup->info.license ? 0 : -ENOMEM;
}

static bool is_data_section(const char *name)
{
	return !strncmp(name, ".data", 5) || !strncmp(name, ".bss", 4) ||
	       !strncmp(name, ".rodata", 7);
}

int hs_property_vars(const struct btf *btf,
		     int (*found)(const struct hs_property_var *var, void *data), void *data)
{
	__u32 n = btf__type_cnt(btf);

	for (__u32 id = 1; id < n; id++) {
		const struct btf_type *section = btf__type_by_id(btf, id);
		const struct btf_var_secinfo *v;
		const char *name;

		if (!btf_is_datasec(section))
			continue;
		name = btf__name_by_offset(btf, section->name_off);
		if (!is_data_section(name))
			continue;
		v = btf_var_secinfos(section);
		for (int i = 0; i < btf_vlen(section); i++, v++) {
			const struct btf_type *t = btf__type_by_id(btf, v->type);
			struct hs_property_var var = { .section = name };
			int rc;

			if (!t || !btf_is_var(t))
				continue;
			var.name = btf__name_by_offset(btf, t->name_off);
			if (strncmp(var.name, HS_PROPERTY_PREFIX, strlen(HS_PROPERTY_PREFIX)))
				continue;
			var.name += strlen(HS_PROPERTY_PREFIX);
			t = btf__type_by_id(btf, (__u32)btf__resolve_type(btf, v->type));
			if (!t || !btf_is_array(t) ||
			    btf__resolve_size(btf, btf_array(t)->type) != 1)
				continue;
			var.offset = v->offset;
			var.size = btf_array(t)->nelems;
			rc = found(&var, data);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int add_property(const struct hs_property_var *var, void *data)
{
	struct hs_fixup *fixup = data;
	struct hs_property_info *p =
		hs_grow(&fixup->info.properties, &fixup->info.n_properties, sizeof(*p));

	if (!p || !(p->name = keep(fixup, var->name)))
		return -ENOMEM;
	p->size = var->size;
	return 0;
}

static int read_btf(struct hs_fixup *fixup, struct hs_error *err)
{
	struct elf elf = { 0 };
	struct hs_libbpf_log log;
	struct btf *btf = NULL;
	char reason[256];
	int rc;

	hs_libbpf_log_begin(&log);
	rc = open_elf(fixup, &elf, err);
	if (rc < 0)
		goto out;
	btf = btf__new(elf.btf->d_buf, (__u32)elf.btf->d_size);
	if (!btf) {
		rc = invalid(err, fixup->path, "damaged BTF: %s",
			     hs_libbpf_log_reason(&log, reason, sizeof(reason)));
		goto out;
	}
	rc = read_matches(fixup, btf, err);
	if (rc < 0)
		goto out;
	rc = read_license(fixup, elf.license);
	if (!rc)
		rc = read_kfuncs(fixup, btf);
	if (!rc)
		rc = hs_property_vars(btf, add_property, fixup);
	if (rc < 0)
		hs_error_set(err, rc, "%s: %s", fixup->path, strerror(-rc));
out:
	hs_libbpf_log_end(&log);
	hs_libbpf_log_free(&log);
	btf__free(btf);
	if (elf.elf)
		elf_end(elf.elf);
	return rc;
}

struct bpf_object *hs_fixup_object(const struct hs_fixup *fixup)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = fixup->group);

	return bpf_object__open_mem(fixup->image, fixup->image_size, &opts);
}

/* What comes after the last '/' of "struct_ops.s/hid_rdesc_fixup", else NULL. */
static const char *section_hook(const char *section)
{
	const char *slash = strchr(section, '/');

	if (*section == '?') /* optional: loaded only on demand */
		section++;
	if (strncmp(section, "struct_ops", strlen("struct_ops")) || !slash)
		return NULL;
	return slash + 1;
}

static int add_program(struct hs_fixup *fixup, const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog);
	const char *hook = section_hook(section);
	struct hs_program_info *p;

	p = hs_grow(&fixup->info.programs, &fixup->info.n_programs, sizeof(*p));
	if (!p || !(p->name = keep(fixup, bpf_program__name(prog))) ||
	    !(p->section = keep(fixup, section)) || (hook && !(p->hook = keep(fixup, hook))))
		return -ENOMEM;
	p->sleepable = strstr(section, ".s/") || !strcmp(section, "syscall") ||
		       (strlen(section) > 2 && !strcmp(section + strlen(section) - 2, ".s"));
	if (!strcmp(section, "syscall") && !strcmp(p->name, "probe"))
		fixup->info.has_probe = true;
	return 0;
}

static int add_map(struct hs_fixup *fixup, const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);
	const char *type = libbpf_bpf_map_type_str(bpf_map__type(map));
	struct hs_property_info *export;
	struct hs_map_info *m;

	/* Those of .data and such carry the object's name, cut to the kernel's limit. */
	if (bpf_map__is_internal(map) && strchr(name, '.'))
		name = strchr(name, '.');

	m = hs_grow(&fixup->info.maps, &fixup->info.n_maps, sizeof(*m));
	if (!m || !(m->name = keep(fixup, name)) || !(m->type = keep(fixup, type ? type : "?")))
		return -ENOMEM;
	m->key_size = bpf_map__key_size(map);
	m->value_size = bpf_map__value_size(map);
	m->max_entries = bpf_map__max_entries(map);

	if (strncmp(name, HS_PROPERTY_PREFIX, strlen(HS_PROPERTY_PREFIX)))
		return 0;
	export = hs_grow(&fixup->info.exports, &fixup->info.n_exports, sizeof(*export));
	if (!export || !(export->name = keep(fixup, name + strlen(HS_PROPERTY_PREFIX))))
		return -ENOMEM;
	export->size = m->value_size;
	return 0;
}

static int read_settings(struct hs_fixup *fixup, const struct bpf_object *obj)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(obj, HS_SETTINGS_MAP);
	const void *section;
	size_t size;

	if (!map)
		return 0;
	section = bpf_map__initial_value(map, &size);
	if (!section)
		return -EINVAL;
	return hs_settings_read(section, size, &fixup->strings, &fixup->info.settings,
				&fixup->info.n_settings);
}

static int read_object(struct hs_fixup *fixup, struct hs_error *err)
{
	struct hs_libbpf_log log;
	struct bpf_program *prog;
	struct bpf_object *obj;
	struct bpf_map *map;
	bool struct_ops = false, fmod_ret = false;
	char reason[256];
	int rc = 0;

	hs_libbpf_log_begin(&log);
	obj = hs_fixup_object(fixup);
	hs_libbpf_log_end(&log);
	if (!obj) {
		hs_libbpf_log_reason(&log, reason, sizeof(reason));
		rc = invalid(err, fixup->path, "libbpf cannot read it: %s",
			     *reason ? reason : strerror(errno));
		hs_libbpf_log_free(&log);
		return rc;
	}
	hs_libbpf_log_free(&log);

	bpf_object__for_each_program(prog, obj)
	{
		rc = add_program(fixup, prog);
		if (rc < 0)
			goto out;
		if (!strncmp(bpf_program__section_name(prog), "fmod_ret/hid_bpf_", 17))
			fmod_ret = true;
	}
	bpf_object__for_each_map(map, obj)
	{
		rc = add_map(fixup, map);
		if (rc < 0)
			goto out;
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			struct_ops = true;
	}
	rc = read_settings(fixup, obj);
	if (rc == -EINVAL) {
		bpf_object__close(obj);
		return invalid(err, fixup->path, "section %s is not an array of settings",
			       HS_SETTINGS_MAP);
	}
out:
	bpf_object__close(obj);
	if (rc < 0)
		return hs_error_set(err, rc, "%s: %s", fixup->path, strerror(-rc));

	if (struct_ops)
		fixup->info.interface = HS_INTERFACE_STRUCT_OPS;
	else if (fmod_ret)
		fixup->info.interface = HS_INTERFACE_FMOD_RET;
	else if (fixup->info.has_probe)
		fixup->info.interface = HS_INTERFACE_PROBE_ONLY;
	else
		return invalid(err, fixup->path,
			       "no program for HID devices; declare one with HID_BPF_OPS()");
	return 0;
}

int hs_fixup_open(const char *path, unsigned int flags, struct hs_fixup **out, struct hs_error *err)
{
	struct hs_fixup *fixup = NULL;
	hs_autoclose int fd = -1;
	int rc;

	if (flags & HS_OPEN_TRUSTED_ONLY) {
		fd = hs_file_open_trusted(path, O_RDONLY, err);
		if (fd < 0)
			return hs_steal_fd(fd);
	} else {
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
	}

	fixup = calloc(1, sizeof(*fixup));
	if (!fixup || !(fixup->path = strdup(path))) {
		rc = hs_error_set(err, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
		goto fail;
	}
	rc = parse_name(fixup, err);
	if (rc < 0)
		goto fail;
	rc = hs_file_read(fd, path, OBJECT_MAX, &fixup->image, &fixup->image_size, err);
	if (rc < 0)
		goto fail;
	rc = read_btf(fixup, err);
	if (rc < 0)
		goto fail;
	rc = read_object(fixup, err);
	if (rc < 0)
		goto fail;
	*out = fixup;
	return 0;
fail:
	hs_fixup_free(fixup);
	return rc;
}

void hs_fixup_free(struct hs_fixup *fixup)
{
	if (!fixup)
		return;
	hs_strings_free(&fixup->strings);
	hs_free_const(fixup->info.matches);
	hs_free_const(fixup->info.programs);
	hs_free_const(fixup->info.maps);
	hs_free_const(fixup->info.properties);
	hs_free_const(fixup->info.exports);
	hs_free_const(fixup->info.settings);
	hs_free_const(fixup->info.kfuncs);
	free(fixup->image);
	free(fixup->name);
	free(fixup->path);
	free(fixup);
}

const char *hs_fixup_name(const struct hs_fixup *fixup)
{
	return fixup->name;
}

const char *hs_fixup_path(const struct hs_fixup *fixup)
{
	return fixup->path;
}

unsigned int hs_fixup_priority(const struct hs_fixup *fixup)
{
	return fixup->priority;
}

const char *hs_fixup_group(const struct hs_fixup *fixup)
{
	return fixup->group;
}

/* FNV-1a: no protection against somebody who wants two objects to look the same. */
uint64_t hs_fixup_digest(const struct hs_fixup *fixup)
{
	const uint8_t *bytes = fixup->image;
	uint64_t digest = 0xcbf29ce484222325;

	for (size_t i = 0; i < fixup->image_size; i++)
		digest = (digest ^ bytes[i]) * 0x100000001b3;
	return digest;
}

const void *hs_fixup_image(const struct hs_fixup *fixup, size_t *size)
{
	*size = fixup->image_size;
	return fixup->image;
}

const struct hs_fixup_info *hs_fixup_info(const struct hs_fixup *fixup)
{
	return &fixup->info;
}

bool hs_fixup_matches(const struct hs_fixup *fixup, const struct hs_hid_id *id)
{
	for (size_t i = 0; i < fixup->info.n_matches; i++) {
		const struct hs_match *m = &fixup->info.matches[i];

		if ((!m->bus || m->bus == id->bus) &&
		    (!m->group || !id->group || m->group == id->group) &&
		    (!m->vendor || m->vendor == id->vendor) &&
		    (!m->product || m->product == id->product))
			return true;
	}
	return false;
}
