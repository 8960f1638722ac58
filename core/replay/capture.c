// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/replay/capture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/device/evdev.h"
#include "core/replay/diff.h"

/* Lines of a diff around what differs, and lines of a diff at all. */
#define CONTEXT        3
#define DIFF_LINES_MAX 400

void hs_capture_clear(struct hs_capture *capture)
{
	for (size_t i = 0; i < capture->count; i++) {
		free(capture->nodes[i].name);
		free(capture->nodes[i].events);
	}
	free(capture->nodes);
	memset(capture, 0, sizeof(*capture));
}

int hs_capture_add_node(struct hs_capture *capture, const char *name)
{
	size_t size = HS_ESCAPE_SIZE(strlen(name));
	struct hs_capture_node *node =
		realloc(capture->nodes, (capture->count + 1) * sizeof(*capture->nodes));

	if (!node)
		return -ENOMEM;
	capture->nodes = node;
	node += capture->count;
	memset(node, 0, sizeof(*node));
	node->name = malloc(size);
	if (!node->name)
		return -ENOMEM;
	hs_escape(name, node->name, size);
	return (int)capture->count++;
}

int hs_capture_add_event(struct hs_capture_node *node, const struct hs_capture_event *event)
{
	if (node->count == node->room) {
		size_t room = node->room ? 2 * node->room : 1024;
		struct hs_capture_event *events = realloc(node->events, room * sizeof(*events));

		if (!events)
			return -ENOMEM;
		node->events = events;
		node->room = room;
	}
	node->events[node->count++] = *event;
	return 0;
}

size_t hs_capture_event_count(const struct hs_capture *capture)
{
	size_t n = 0;

	for (size_t i = 0; i < capture->count; i++)
		n += capture->nodes[i].count;
	return n;
}

/* --- text --- */

static const char *format_event(const struct hs_capture_event *e, char *buf, size_t size)
{
	return hs_evdev_format(e->time_us, e->type, e->code, e->value, buf, size);
}

int hs_capture_write(const struct hs_capture *capture, FILE *out)
{
	char text[160];

	for (size_t i = 0; i < capture->count; i++) {
		const struct hs_capture_node *node = &capture->nodes[i];

		fprintf(out, "N: %s\n", node->name);
		for (size_t j = 0; j < node->count; j++) {
			fputs(format_event(&node->events[j], text, sizeof(text)), out);
			putc('\n', out);
		}
	}
	return ferror(out) ? -EIO : 0;
}

/* Closes @out. */
static int write_to(const struct hs_capture *capture, FILE *out, const char *path,
		    struct hs_error *err)
{
	int rc = hs_capture_write(capture, out);

	if (fclose(out) && !rc)
		rc = -errno;
	return rc ? hs_error_set(err, rc, "%s: cannot write: %s", path, strerror(-rc)) : 0;
}

int hs_capture_save(const struct hs_capture *capture, const char *path, struct hs_error *err)
{
	hs_autofree char *temporary = NULL;
	struct stat st;
	FILE *out;
	int rc;

	/* Renaming would put a file in the place of a device, a pipe or a symlink. */
	bool direct = !lstat(path, &st) && !S_ISREG(st.st_mode);

	if (asprintf(&temporary, "%s%s", path, direct ? "" : ".new") < 0) {
		temporary = NULL;
		return hs_error_set(err, -ENOMEM, "out of memory");
	}
	out = fopen(temporary, "we");
	if (!out)
		return hs_error_set(err, -errno, "%s: %s", temporary, strerror(errno));
	rc = write_to(capture, out, temporary, err);
	if (direct)
		return rc;
	if (!rc && rename(temporary, path) < 0)
		rc = hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (rc)
		unlink(temporary);
	return rc;
}

static int parse_event(const char *line, struct hs_capture_event *event)
{
	unsigned long long sec;
	unsigned int usec, type, code;
	int value, end = 0;

	if (sscanf(line, "E: %llu.%6u %4x %4x %d%n", &sec, &usec, &type, &code, &value, &end) !=
		    5 ||
	    (line[end] && !strchr(" \t#", line[end])))
		return -EINVAL;
	if (type > UINT16_MAX || code > UINT16_MAX || sec > UINT64_MAX / 1000000 - 1)
		return -EINVAL;
	event->time_us = sec * 1000000 + usec;
	event->type = (uint16_t)type;
	event->code = (uint16_t)code;
	event->value = value;
	return 0;
}

static int add_line(struct hs_capture *capture, const char *path, uint32_t number, char *line,
		    struct hs_error *err)
{
	struct hs_capture_event event = { .line = number };
	int rc;

	line[strcspn(line, "\r\n")] = '\0';
	if (!*line || *line == '#')
		return 0;
	if (!strncmp(line, "N: ", 3) || !strcmp(line, "N:")) {
		rc = hs_capture_add_node(capture, "");
		if (rc < 0)
			return hs_error_set(err, rc, "out of memory");
		free(capture->nodes[rc].name);
		/* It was made harmless when it was written. */
		capture->nodes[rc].name = strdup(line[2] ? line + 3 : "");
		return capture->nodes[rc].name ? 0 : hs_error_set(err, -ENOMEM, "out of memory");
	}
	if (parse_event(line, &event))
		return hs_error_set(err, -EINVAL,
				    "%s:%u: neither 'N: name' nor 'E: sec.usec type code value'",
				    path, number);
	if (!capture->count)
		return hs_error_set(err, -EINVAL, "%s:%u: an event before the first 'N: name'",
				    path, number);
	if (hs_capture_add_event(&capture->nodes[capture->count - 1], &event))
		return hs_error_set(err, -ENOMEM, "out of memory");
	return 0;
}

int hs_capture_load(struct hs_capture *capture, const char *path, struct hs_error *err)
{
	hs_autofclose FILE *in = fopen(path, "re");
	hs_autofree char *line = NULL;
	uint32_t number = 0;
	size_t room = 0;
	int rc = 0;

	if (!in)
		return hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
	while (!rc && getline(&line, &room, in) >= 0)
		rc = add_line(capture, path, ++number, line, err);
	if (!rc && ferror(in))
		rc = hs_error_set(err, -EIO, "%s: cannot read", path);
	if (rc)
		hs_capture_clear(capture);
	return rc;
}

/* --- comparing --- */

static bool same_event(const struct hs_capture_event *a, const struct hs_capture_event *b)
{
	return a->type == b->type && a->code == b->code && a->value == b->value;
}

bool hs_capture_equal(const struct hs_capture *a, const struct hs_capture *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct hs_capture_node *x = &a->nodes[i], *y = &b->nodes[i];

		if (strcmp(x->name, y->name) != 0 || x->count != y->count)
			return false;
		for (size_t j = 0; j < x->count; j++)
			if (!same_event(&x->events[j], &y->events[j]))
				return false;
	}
	return true;
}

/* A capture as the lines of its text, each with a number that stands for it. */
struct lines {
	size_t count;
	uint64_t *keys;
	struct line {
		const struct hs_capture_node *node;
		const struct hs_capture_event *event; /* NULL: the node's own line */
	} * lines;
};

static uint64_t event_key(const struct hs_capture_event *e)
{
	return (uint64_t)e->type << 48 | (uint64_t)e->code << 32 | (uint32_t)e->value;
}

/* Above every event's: type 0xffff does not exist. Same name, same number. */
static uint64_t name_key(const char *name, const struct hs_capture *first,
			 const struct hs_capture *second)
{
	uint64_t n = 0;

	for (size_t i = 0; i < first->count; i++, n++)
		if (!strcmp(first->nodes[i].name, name))
			return UINT64_MAX - n;
	for (size_t i = 0; i < second->count; i++, n++)
		if (!strcmp(second->nodes[i].name, name))
			return UINT64_MAX - n;
	return UINT64_MAX - n;
}

static void add_key(struct lines *l, const struct hs_capture_node *node,
		    const struct hs_capture_event *event, uint64_t key)
{
	l->lines[l->count].node = node;
	l->lines[l->count].event = event;
	l->keys[l->count++] = key;
}

static int make_lines(struct lines *l, const struct hs_capture *capture,
		      const struct hs_capture *first, const struct hs_capture *second)
{
	size_t n = hs_capture_event_count(capture) + capture->count;

	memset(l, 0, sizeof(*l));
	l->keys = calloc(n + 1, sizeof(*l->keys));
	l->lines = calloc(n + 1, sizeof(*l->lines));
	if (!l->keys || !l->lines)
		return -ENOMEM;
	for (size_t i = 0; i < capture->count; i++) {
		const struct hs_capture_node *node = &capture->nodes[i];

		add_key(l, node, NULL, name_key(node->name, first, second));
		for (size_t j = 0; j < node->count; j++)
			add_key(l, node, &node->events[j], event_key(&node->events[j]));
	}
	return 0;
}

static void free_lines(struct lines *l)
{
	free(l->keys);
	free(l->lines);
}

static void print_line(char mark, const struct line *line, FILE *out)
{
	char text[160];

	if (line->event)
		fprintf(out, "%c%s\n", mark, format_event(line->event, text, sizeof(text)));
	else
		fprintf(out, "%cN: %s\n", mark, line->node->name);
}

struct printer {
	const struct lines *a, *b;
	const struct hs_diff *diff;
	FILE *out;
	size_t printed;
	size_t left_out;
};

/* Length of the run of equal lines at (i, j). */
static size_t equal_run(const struct printer *p, size_t i, size_t j)
{
	size_t n = 0;

	while (i + n < p->a->count && j + n < p->b->count && !p->diff->removed[i + n] &&
	       !p->diff->added[j + n])
		n++;
	return n;
}

static bool at_end(const struct printer *p, size_t i, size_t j)
{
	return i >= p->a->count && j >= p->b->count;
}

/* Where does the hunk end that begins at (i, j)? Nearby differences are one hunk. */
static void hunk_end(const struct printer *p, size_t i, size_t j, size_t *end_i, size_t *end_j)
{
	for (;;) {
		size_t n;

		while (i < p->a->count && p->diff->removed[i])
			i++;
		while (j < p->b->count && p->diff->added[j])
			j++;
		n = equal_run(p, i, j);
		if (at_end(p, i + n, j + n) || n > 2 * CONTEXT) {
			if (n > CONTEXT)
				n = CONTEXT;
			*end_i = i + n;
			*end_j = j + n;
			return;
		}
		i += n;
		j += n;
	}
}

static void print_header(const struct printer *p, size_t i, size_t n_i, size_t j, size_t n_j)
{
	const struct lines *l = j < p->b->count ? p->b : p->a;
	const struct line *line = l == p->b ? &l->lines[j] : &l->lines[i];

	fprintf(p->out, "@@ -%zu,%zu +%zu,%zu @@ %s", n_i ? i + 1 : i, n_i, n_j ? j + 1 : j, n_j,
		line->node->name);
	if (l == p->b && line->event && line->event->line)
		fprintf(p->out, ", recording line %u", line->event->line);
	putc('\n', p->out);
}

static void print_one(struct printer *p, char mark, const struct line *line)
{
	if (p->printed >= DIFF_LINES_MAX) {
		p->left_out++;
		return;
	}
	print_line(mark, line, p->out);
	p->printed++;
}

static void print_hunk(struct printer *p, size_t i, size_t j, size_t end_i, size_t end_j)
{
	if (p->printed < DIFF_LINES_MAX)
		print_header(p, i, end_i - i, j, end_j - j);
	while (i < end_i || j < end_j) {
		if (i < end_i && p->diff->removed[i]) {
			print_one(p, '-', &p->a->lines[i++]);
		} else if (j < end_j && p->diff->added[j]) {
			print_one(p, '+', &p->b->lines[j++]);
		} else {
			print_one(p, ' ', &p->b->lines[j++]);
			i++;
		}
	}
}

static void print_hunks(struct printer *p)
{
	size_t i = 0, j = 0;

	for (;;) {
		size_t n = equal_run(p, i, j), context, end_i, end_j;

		if (at_end(p, i + n, j + n))
			return;
		context = n < CONTEXT ? n : CONTEXT;
		i += n;
		j += n;
		hunk_end(p, i, j, &end_i, &end_j);
		print_hunk(p, i - context, j - context, end_i, end_j);
		i = end_i;
		j = end_j;
	}
}

int hs_capture_diff(const struct hs_capture *expected, const struct hs_capture *got,
		    const char *expected_name, const char *got_name, FILE *out)
{
	struct lines a = { 0 }, b = { 0 };
	struct hs_diff diff = { 0 };
	struct printer p = { .a = &a, .b = &b, .diff = &diff, .out = out };
	int rc = make_lines(&a, expected, expected, got);

	if (!rc)
		rc = make_lines(&b, got, expected, got);
	if (!rc)
		rc = hs_diff_make(a.keys, a.count, b.keys, b.count, &diff);
	if (!rc) {
		fprintf(out, "--- %s\n+++ %s\n", expected_name, got_name);
		print_hunks(&p);
		if (p.left_out)
			fprintf(out, "... and %zu more lines\n", p.left_out);
		hs_diff_free(&diff);
	}
	free_lines(&a);
	free_lines(&b);
	return rc;
}
