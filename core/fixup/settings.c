// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/fixup/settings.h"

#include <ctype.h>
#include <errno.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/hidsmith/setting_layout.h"
#include "core/base/text.h"
#include "core/base/util.h"

static bool is_name(const char *s)
{
	if (!islower((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!islower((unsigned char)*s) && !isdigit((unsigned char)*s) && !strchr("-_", *s))
			return false;
	return true;
}

static bool is_valid(const struct hs_setting *s)
{
	return memchr(s->name, 0, sizeof(s->name)) && memchr(s->help, 0, sizeof(s->help)) &&
	       is_name(s->name) && (s->type == HS_SETTING_INT || s->type == HS_SETTING_BOOL) &&
	       s->min <= s->value && s->value <= s->max;
}

/* Words of the object's, which go to terminals. */
static const char *keep_help(struct hs_strings *strings, const char *help)
{
	char shown[HS_ESCAPE_SIZE(sizeof(((struct hs_setting *)NULL)->help))];

	return hs_strings_keep(strings, hs_escape(help, shown, sizeof(shown)));
}

int hs_settings_read(const void *section, size_t size, struct hs_strings *strings,
		     const struct hs_setting_info **out, size_t *n)
{
	const char *p = section;

	if (size % sizeof(struct hs_setting))
		return -EINVAL;
	for (; size; size -= sizeof(struct hs_setting), p += sizeof(struct hs_setting)) {
		struct hs_setting_info *info;
		struct hs_setting s;

		memcpy(&s, p, sizeof(s));
		if (!is_valid(&s))
			return -EINVAL;
		info = hs_grow(out, n, sizeof(*info));
		if (!info || !(info->name = hs_strings_keep(strings, s.name)) ||
		    !(info->help = keep_help(strings, s.help)))
			return -ENOMEM;
		info->is_bool = s.type == HS_SETTING_BOOL;
		info->value = s.value;
		info->min = s.min;
		info->max = s.max;
	}
	return 0;
}

static bool parse_bool(const char *text, long long *value)
{
	static const char *const words[][2] = { { "no", "yes" },
						{ "off", "on" },
						{ "false", "true" } };

	for (size_t i = 0; i < HS_ARRAY_SIZE(words); i++)
		for (int on = 0; on < 2; on++)
			if (!strcasecmp(text, words[i][on])) {
				*value = on;
				return true;
			}
	return false;
}

static bool parse_number(const char *text, long long *value)
{
	char *end;

	if (!isdigit((unsigned char)text[text[0] == '-']))
		return false;
	errno = 0;
	*value = strtoll(text, &end, 0);
	return !*end && !errno;
}

int hs_setting_parse(const struct hs_setting_info *setting, const char *text, int32_t *value,
		     struct hs_error *err)
{
	long long n;

	if (!(setting->is_bool && parse_bool(text, &n)) && !parse_number(text, &n))
		return hs_error_set(err, -EINVAL, "'%s' is %s", text,
				    setting->is_bool ? "neither yes nor no" : "not a number");
	if (n < setting->min || n > setting->max)
		return hs_error_set(err, -EINVAL, "'%s' is out of range, which is %d to %d", text,
				    setting->min, setting->max);
	*value = (int32_t)n;
	return 0;
}

void hs_setting_write(void *section, size_t index, int32_t value)
{
	struct hs_setting *settings = section;

	memcpy(&settings[index].value, &value, sizeof(value));
}

const char *hs_setting_property(const char *name, char *buf, size_t size)
{
	size_t n;

	snprintf(buf, size, "HIDSMITH_%s", name);
	n = strlen(buf);
	for (size_t i = 0; i < n; i++)
		buf[i] = buf[i] == '-' ? '_' : (char)toupper((unsigned char)buf[i]);
	return buf;
}
