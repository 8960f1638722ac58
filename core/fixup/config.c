// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/fixup/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/fixup/file.h"
#include "core/fixup/fixup.h"

#define FILE_MAX 65536

/*
 * Less than the five seconds that the kernel waits for one report of a silent
 * device, and ten times what loading and attaching takes on a slow machine.
 */
#define DEADLINE_DEFAULT 4000
#define DEADLINE_MAX     60000

enum kind { KIND_NONE, KIND_GLOBAL, KIND_DEVICE, KIND_FIXUP };

#define ANY UINT32_MAX

struct section {
	enum kind kind;
	char *fixup; /* of KIND_FIXUP */
	uint32_t bus, vendor, product; /* of KIND_DEVICE, or ANY */
	bool disabled;
};

struct setting {
	size_t section;
	bool property; /* of udev's, else a setting of the object's */
	char *name;
	char *value;
};

struct hs_config {
	struct section *sections;
	size_t n_sections;
	struct setting *settings;
	size_t n_settings;
	bool udev_hid_bpf;
	unsigned int deadline;
};

struct parser {
	struct hs_config *config;
	const char *name;
	unsigned int line;
	struct hs_error *err;
};

/* Names and values come from a file: escaped, before a terminal sees them. */
static int bad(struct parser *p, const char *what, const char *text)
{
	char shown[HS_ESCAPE_SIZE(64)];

	hs_escape(text, shown, sizeof(shown));
	return hs_error_set(p->err, -EINVAL, "%s:%u: %s '%s'; see hidsmith.conf(5)", p->name,
			    p->line, what, shown);
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t\r");
	n = strlen(s);
	while (n && strchr(" \t\r", s[n - 1]))
		s[--n] = 0;
	return s;
}

static bool parse_id(const char *s, size_t n, size_t max_digits, uint32_t *out)
{
	char digits[9];

	if (n == 1 && *s == '*') {
		*out = ANY;
		return true;
	}
	if (!n || n > max_digits)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	memcpy(digits, s, n);
	digits[n] = 0;
	*out = (uint32_t)strtoul(digits, NULL, 16);
	return true;
}

/* BUS:VENDOR:PRODUCT or VENDOR:PRODUCT */
static bool parse_device(const char *s, struct section *section)
{
	const char *part[3] = { s };
	size_t len[3], n = 0;

	for (;;) {
		len[n] = strcspn(part[n], ":");
		s = part[n] + len[n];
		n++;
		if (!*s)
			break;
		if (n == HS_ARRAY_SIZE(part))
			return false;
		part[n] = s + 1;
	}
	if (n < 2)
		return false;
	section->bus = ANY;
	return (n == 2 || parse_id(part[0], len[0], 4, &section->bus)) &&
	       parse_id(part[n - 2], len[n - 2], 8, &section->vendor) &&
	       parse_id(part[n - 1], len[n - 1], 8, &section->product);
}

static int add_section(struct parser *p, struct section section)
{
	struct hs_config *config = p->config;
	struct section *grown =
		realloc(config->sections, (config->n_sections + 1) * sizeof(*grown));

	if (!grown)
		return hs_error_set(p->err, -ENOMEM, "%s: %s", p->name, strerror(ENOMEM));
	config->sections = grown;
	grown[config->n_sections++] = section;
	return 0;
}

static int parse_section(struct parser *p, char *line)
{
	struct section section = { .kind = KIND_GLOBAL };
	size_t n = strlen(line);
	char *name;
	int rc;

	if (line[n - 1] != ']')
		return bad(p, "no ']' at the end of", line);
	line[n - 1] = 0;
	line = trim(line + 1);
	name = line + strcspn(line, " \t");
	if (*name)
		*name++ = 0;
	name = trim(name);

	if (!strcmp(line, "hidsmith") && !*name)
		return add_section(p, section);
	if (!strcmp(line, "device")) {
		section.kind = KIND_DEVICE;
		if (!parse_device(name, &section))
			return bad(p, "not BUS:VENDOR:PRODUCT, in hex or '*':", name);
		return add_section(p, section);
	}
	if (!strcmp(line, "fixup") && *name) {
		section.kind = KIND_FIXUP;
		section.fixup = strdup(name);
		rc = section.fixup ? add_section(p, section) : -ENOMEM;
		if (rc < 0)
			free(section.fixup);
		return rc;
	}
	return bad(p, "not a section, which are [hidsmith], [device ID] and [fixup NAME]:", line);
}

static int parse_bool(struct parser *p, const char *value, bool *out)
{
	static const char *const words[][2] = {
		{ "no", "yes" }, { "off", "on" }, { "false", "true" }, { "0", "1" }
	};

	for (size_t i = 0; i < HS_ARRAY_SIZE(words); i++)
		for (int on = 0; on < 2; on++)
			if (!strcasecmp(value, words[i][on])) {
				*out = on;
				return 0;
			}
	return bad(p, "neither yes nor no:", value);
}

static int parse_deadline(struct parser *p, const char *value, unsigned int *out)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || errno || !n || n > DEADLINE_MAX)
		return bad(p, "not a number of milliseconds from 1 to 60000:", value);
	*out = (unsigned int)n;
	return 0;
}

/* Properties are in capitals, as everywhere in udev. */
static bool is_property(const char *key)
{
	if (!isupper((unsigned char)*key))
		return false;
	for (; *key; key++)
		if (!isupper((unsigned char)*key) && !isdigit((unsigned char)*key) && *key != '_')
			return false;
	return true;
}

/* "set NAME"; NAME is a C identifier of the object. */
static char *setting_name(char *key)
{
	char *name;

	if (strncmp(key, "set", 3) || !strchr(" \t", key[3]) || !key[3])
		return NULL;
	name = trim(key + 3);
	if (!isalpha((unsigned char)*name))
		return NULL;
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_')
			return NULL;
	return name;
}

static int add_setting(struct parser *p, bool is_prop, const char *key, const char *value)
{
	struct hs_config *config = p->config;
	struct setting *grown =
		realloc(config->settings, (config->n_settings + 1) * sizeof(*grown));
	struct setting setting = { .section = config->n_sections - 1, .property = is_prop };

	if (grown)
		config->settings = grown;
	setting.name = strdup(key);
	setting.value = strdup(value);
	if (!grown || !setting.name || !setting.value) {
		free(setting.name);
		free(setting.value);
		return hs_error_set(p->err, -ENOMEM, "%s: %s", p->name, strerror(ENOMEM));
	}
	grown[config->n_settings++] = setting;
	return 0;
}

static int parse_key(struct parser *p, char *line)
{
	struct hs_config *config = p->config;
	struct section *section;
	char *value = strchr(line, '='), *key;
	bool enabled;
	int rc;

	if (!value)
		return bad(p, "neither a section nor KEY = VALUE:", line);
	*value++ = 0;
	key = trim(line);
	value = trim(value);
	if (!config->n_sections)
		return bad(p, "before the first section:", key);
	section = &config->sections[config->n_sections - 1];

	if (!strcmp(key, "enabled")) {
		rc = parse_bool(p, value, &enabled);
		if (!rc)
			section->disabled = !enabled;
		return rc;
	}
	if (section->kind == KIND_GLOBAL && !strcmp(key, "udev-hid-bpf-objects"))
		return parse_bool(p, value, &config->udev_hid_bpf);
	if (section->kind == KIND_GLOBAL && !strcmp(key, "deadline"))
		return parse_deadline(p, value, &config->deadline);
	if (section->kind != KIND_GLOBAL && is_property(key))
		return add_setting(p, true, key, value);
	if (section->kind != KIND_GLOBAL && setting_name(key))
		return add_setting(p, false, setting_name(key), value);
	return bad(p, "unknown key", key);
}

static int parse_line(struct parser *p, char *line)
{
	line = trim(line);
	if (!*line || *line == '#' || *line == ';')
		return 0;
	return *line == '[' ? parse_section(p, line) : parse_key(p, line);
}

int hs_config_parse(const char *name, const char *text, size_t size, struct hs_config **out,
		    struct hs_error *err)
{
	struct parser p = { .config = calloc(1, sizeof(*p.config)), .name = name, .err = err };
	hs_autofree char *copy = strndup(text, size);
	int rc = 0;

	if (!copy || !p.config) {
		free(p.config);
		return hs_error_set(err, -ENOMEM, "%s: %s", name, strerror(ENOMEM));
	}
	p.config->deadline = DEADLINE_DEFAULT;
	if (strlen(copy) != size)
		rc = hs_error_set(err, -EINVAL, "%s: not a text: a byte 0 at offset %zu", name,
				  strlen(copy));
	for (char *line = copy, *next; !rc && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		p.line++;
		rc = parse_line(&p, line);
	}
	if (rc < 0) {
		hs_config_free(p.config);
		return rc;
	}
	*out = p.config;
	return 0;
}

int hs_config_read(const char *path, unsigned int flags, struct hs_config **out,
		   struct hs_error *err)
{
	hs_autofree void *text = NULL;
	hs_autoclose int fd = -1;
	size_t size;
	int rc;

	if (flags & HS_OPEN_TRUSTED_ONLY) {
		fd = hs_file_open_trusted(path, O_RDONLY, err);
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			fd = hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
	}
	if (fd == -ENOENT)
		return hs_config_parse(path, "", 0, out, err);
	if (fd < 0)
		return fd;
	rc = hs_file_read(fd, path, FILE_MAX, &text, &size, err);
	return rc < 0 ? rc : hs_config_parse(path, text, size, out, err);
}

void hs_config_free(struct hs_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_sections; i++)
		free(config->sections[i].fixup);
	for (size_t i = 0; i < config->n_settings; i++) {
		free(config->settings[i].name);
		free(config->settings[i].value);
	}
	free(config->sections);
	free(config->settings);
	free(config);
}

/* "ugee__tablets" means "0010-ugee__tablets", too. */
static bool is_fixup(const struct section *section, const char *name)
{
	size_t digits = strspn(name, "0123456789");

	if (section->kind != KIND_FIXUP)
		return false;
	return !strcmp(section->fixup, name) ||
	       (digits && name[digits] == '-' && !strcmp(section->fixup, name + digits + 1));
}

static bool is_device(const struct section *section, const struct hs_hid_id *id)
{
	return section->kind == KIND_DEVICE && id &&
	       (section->bus == ANY || section->bus == id->bus) &&
	       (section->vendor == ANY || section->vendor == id->vendor) &&
	       (section->product == ANY || section->product == id->product);
}

/* Off in any section that fits is off. */
bool hs_config_enabled(const struct hs_config *config)
{
	for (size_t i = 0; i < config->n_sections; i++)
		if (config->sections[i].kind == KIND_GLOBAL && config->sections[i].disabled)
			return false;
	return true;
}

bool hs_config_device_enabled(const struct hs_config *config, const struct hs_hid_id *id)
{
	for (size_t i = 0; i < config->n_sections; i++)
		if (is_device(&config->sections[i], id) && config->sections[i].disabled)
			return false;
	return true;
}

bool hs_config_fixup_enabled(const struct hs_config *config, const char *name)
{
	for (size_t i = 0; i < config->n_sections; i++)
		if (is_fixup(&config->sections[i], name) && config->sections[i].disabled)
			return false;
	return true;
}

bool hs_config_udev_hid_bpf(const struct hs_config *config)
{
	return config->udev_hid_bpf;
}

unsigned int hs_config_deadline(const struct hs_config *config)
{
	return config->deadline;
}

static const char *look_up(const struct hs_config *config, bool property, const char *fixup,
			   const struct hs_hid_id *id, const char *name)
{
	const char *of_fixup = NULL, *of_device = NULL;

	for (size_t i = 0; i < config->n_settings; i++) {
		const struct setting *setting = &config->settings[i];
		const struct section *section = &config->sections[setting->section];

		if (setting->property != property || strcmp(setting->name, name))
			continue;
		if (is_fixup(section, fixup))
			of_fixup = setting->value;
		if (is_device(section, id))
			of_device = setting->value;
	}
	return of_fixup ? of_fixup : of_device;
}

const char *hs_config_setting(const struct hs_config *config, const char *fixup,
			      const struct hs_hid_id *id, const char *name)
{
	return look_up(config, false, fixup, id, name);
}

const char *hs_config_property(const struct hs_config *config, const char *fixup,
			       const struct hs_hid_id *id, const char *name)
{
	return look_up(config, true, fixup, id, name);
}
