// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/fixup/libbpf-log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "core/base/text.h"
#include "core/base/util.h"

/* A verifier's log may have 16 MB; only its end is ever shown. */
#define LOG_MAX (256 * 1024)

/*
 * The process-wide state that libbpf's interface forces on us: the log of this
 * thread, and the print function that was installed before ours.
 */
static _Thread_local struct hs_libbpf_log *current;
static _Atomic(libbpf_print_fn_t) others;

static void keep(struct hs_libbpf_log *log, const char *fmt, va_list args)
{
	va_list again;
	char *text;
	size_t n;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len <= 0)
		return;

	n = (size_t)len;
	text = realloc(log->text, log->size + n + 1);
	if (!text)
		return;
	vsnprintf(text + log->size, n + 1, fmt, args);
	n += log->size;
	if (n > LOG_MAX) {
		memmove(text, text + n - LOG_MAX, LOG_MAX + 1);
		n = LOG_MAX;
	}
	log->text = text;
	log->size = n;
}

static int print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	libbpf_print_fn_t other;

	if (current) {
		if (level == LIBBPF_WARN)
			keep(current, fmt, args);
		return 0;
	}
	other = atomic_load(&others);
	return other ? other(level, fmt, args) : 0;
}

void hs_libbpf_log_begin(struct hs_libbpf_log *log)
{
	/* Each time: the program may have installed one of its own meanwhile. */
	libbpf_print_fn_t before = libbpf_set_print(print);

	if (before != print)
		atomic_store(&others, before);
	*log = (struct hs_libbpf_log){ .outer = current };
	current = log;
}

void hs_libbpf_log_end(struct hs_libbpf_log *log)
{
	current = log->outer;
}

void hs_libbpf_log_free(struct hs_libbpf_log *log)
{
	free(log->text);
	log->text = NULL;
	log->size = 0;
}

/* The line that begins at @s; sets @next to the line after it, NULL at the end. */
static size_t line_size(const char *s, const char **next)
{
	const char *end = strchr(s, '\n');

	*next = end && end[1] ? end + 1 : NULL;
	return end ? (size_t)(end - s) : strlen(s);
}

/* Names in it come from the object: harmless for a terminal. */
static void copy_line(const char *s, size_t len, char *buf, size_t size)
{
	hs_autofree char *line = strndup(s, len);

	buf[0] = 0;
	if (line)
		hs_escape(line, buf, size);
}

static bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* Counters that the verifier appends; they say nothing about the reason. */
static bool is_statistics(const char *line)
{
	return starts_with(line, "processed ") || starts_with(line, "verification time ") ||
	       starts_with(line, "stack depth ");
}

char *hs_libbpf_log_verifier(const struct hs_libbpf_log *log, unsigned int lines, char *buf,
			     size_t size)
{
	const char *first[64], *s, *next;
	size_t n = 0, used = 0;

	if (lines > sizeof(first) / sizeof(first[0]))
		lines = sizeof(first) / sizeof(first[0]);
	buf[0] = 0;
	/* The last one: with several programs that is the one that failed. */
	s = NULL;
	for (const char *p = log->text; p && (p = strstr(p, "-- BEGIN PROG LOAD LOG --")); p++)
		s = p;
	if (!s)
		return buf;

	line_size(s, &s);
	for (; s; s = next) {
		size_t len = line_size(s, &next);

		if (starts_with(s, "-- END PROG LOAD LOG --"))
			break;
		if (len && !is_statistics(s))
			first[n++ % lines] = s;
	}

	for (size_t i = n > lines ? n - lines : 0; i < n && used + 2 < size; i++) {
		if (used)
			buf[used++] = '\n';
		copy_line(first[i % lines], line_size(first[i % lines], &next), buf + used,
			  size - used);
		used += strlen(buf + used);
	}
	return buf;
}

char *hs_libbpf_log_reason(const struct hs_libbpf_log *log, char *buf, size_t size)
{
	const char *next;

	buf[0] = 0;
	for (const char *s = log->text; s; s = next) {
		size_t len = line_size(s, &next);

		if (starts_with(s, "libbpf: ")) {
			s += strlen("libbpf: ");
			len -= strlen("libbpf: ");
		}
		if (!len)
			continue;
		copy_line(s, len, buf, size);
		break;
	}
	return buf;
}
