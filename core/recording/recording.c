// SPDX-License-Identifier: MIT
#include "core/recording/recording.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/util.h"

#define PREFIX "hidsmith:"

/*
 * Reports are small and there are many of them: they are cut out of blocks that
 * are freed together with the recording.
 */
struct block {
	struct block *next;
	size_t used, size;
	_Alignas(max_align_t) unsigned char data[];
};

#define BLOCK_SIZE (64 * 1024)

/* What the file has said about a device so far. */
struct device {
	struct hs_recorded_device pub;
	unsigned int line; /* where it is first spoken of */
	bool has_name, has_phys, has_uniq, has_id;
};

struct hs_recording {
	struct block *blocks;
	struct device **devices;
	size_t n_devices, max_devices;
	struct hs_entry **entries;
	size_t n_entries, max_entries;
};

static void *arena_alloc(struct hs_recording *rec, size_t size)
{
	struct block *b = rec->blocks;
	void *p;

	size = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (!b || b->size - b->used < size) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		b = malloc(sizeof(*b) + room);
		if (!b)
			return NULL;
		b->used = 0;
		b->size = room;
		b->next = rec->blocks;
		rec->blocks = b;
	}
	p = b->data + b->used;
	b->used += size;
	return p;
}

static void *arena_dup(struct hs_recording *rec, const void *data, size_t size)
{
	void *p = arena_alloc(rec, size ? size : 1);

	if (p && size)
		memcpy(p, data, size);
	return p;
}

static char *arena_string(struct hs_recording *rec, const char *s, size_t size)
{
	char *p = arena_alloc(rec, size + 1);

	if (!p)
		return NULL;
	memcpy(p, s, size);
	p[size] = '\0';
	return p;
}

/* Room for one more pointer in *@list. */
static int grow(void *list, size_t n, size_t *max)
{
	void **old = *(void ***)list;
	size_t want = *max ? *max * 2 : 16;
	void **new;

	if (n < *max)
		return 0;
	new = realloc(old, want * sizeof(*new));
	if (!new)
		return -ENOMEM;
	*(void ***)list = new;
	*max = want;
	return 0;
}

struct hs_recording *hs_recording_new(void)
{
	return calloc(1, sizeof(struct hs_recording));
}

void hs_recording_free(struct hs_recording *rec)
{
	if (!rec)
		return;
	while (rec->blocks) {
		struct block *b = rec->blocks;

		rec->blocks = b->next;
		free(b);
	}
	free(rec->devices);
	free(rec->entries);
	free(rec);
}

size_t hs_recording_device_count(const struct hs_recording *rec)
{
	return rec->n_devices;
}

const struct hs_recorded_device *hs_recording_device(const struct hs_recording *rec, size_t index)
{
	return index < rec->n_devices ? &rec->devices[index]->pub : NULL;
}

size_t hs_recording_entry_count(const struct hs_recording *rec)
{
	return rec->n_entries;
}

const struct hs_entry *hs_recording_entry(const struct hs_recording *rec, size_t index)
{
	return index < rec->n_entries ? rec->entries[index] : NULL;
}

/* @return index or -ENOENT */
static int find_device(const struct hs_recording *rec, int number)
{
	for (size_t i = 0; i < rec->n_devices; i++)
		if (rec->devices[i]->pub.number == number)
			return (int)i;
	return -ENOENT;
}

static struct device *new_device(struct hs_recording *rec, int number, unsigned int line)
{
	struct device *dev;

	if (grow(&rec->devices, rec->n_devices, &rec->max_devices) < 0)
		return NULL;
	dev = arena_alloc(rec, sizeof(*dev));
	if (!dev)
		return NULL;
	*dev = (struct device){
		.pub = { .number = number, .name = "", .phys = "", .uniq = "" },
		.line = line,
	};
	rec->devices[rec->n_devices++] = dev;
	return dev;
}

static struct hs_entry *new_entry(struct hs_recording *rec)
{
	struct hs_entry *entry;

	if (grow(&rec->entries, rec->n_entries, &rec->max_entries) < 0)
		return NULL;
	entry = arena_alloc(rec, sizeof(*entry));
	if (!entry)
		return NULL;
	memset(entry, 0, sizeof(*entry));
	return entry;
}

/* A device chooses its strings; one with a line break would forge lines. */
static char *arena_device_string(struct hs_recording *rec, const char *s)
{
	char *p = arena_string(rec, s ? s : "", s ? strlen(s) : 0);

	for (char *c = p; c && *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = '?';
	return p;
}

int hs_recording_add_device(struct hs_recording *rec, const struct hs_recorded_device *src)
{
	struct hs_recorded_device copy = *src;
	struct device *dev;

	if (!src->rdesc || !src->rdesc_size || src->rdesc_size > HS_RDESC_MAX || src->number < 0)
		return -EINVAL;
	if (find_device(rec, src->number) >= 0)
		return -EEXIST;

	copy.name = arena_device_string(rec, src->name);
	copy.phys = arena_device_string(rec, src->phys);
	copy.uniq = arena_device_string(rec, src->uniq);
	copy.rdesc = arena_dup(rec, src->rdesc, src->rdesc_size);
	if (!copy.name || !copy.phys || !copy.uniq || !copy.rdesc)
		return -ENOMEM;
	dev = new_device(rec, src->number, 0);
	if (!dev)
		return -ENOMEM;
	dev->pub = copy;
	return (int)rec->n_devices - 1;
}

static bool is_get(enum hs_request_type type)
{
	return type == HS_REQUEST_GET_FEATURE || type == HS_REQUEST_GET_INPUT;
}

static bool valid_size(size_t size)
{
	return size > 0 && size <= HS_REPORT_MAX;
}

static bool valid_request(const struct hs_request *req)
{
	if ((unsigned int)req->type > HS_REQUEST_GET_INPUT ||
	    (unsigned int)req->answer > HS_ANSWER_SILENT)
		return false;
	if (!is_get(req->type) && (!req->data || !valid_size(req->size)))
		return false;
	if (req->type == HS_REQUEST_OUTPUT && (req->answer != HS_ANSWER_OK || req->late_ms))
		return false;
	if (req->answer == HS_ANSWER_ERROR && req->error <= 0)
		return false;
	if (req->answer == HS_ANSWER_SILENT && req->late_ms)
		return false;
	return !is_get(req->type) || req->answer != HS_ANSWER_OK ||
	       (req->answer_data && valid_size(req->answer_size));
}

/* Reading ends a line at LF and takes CR from its end. */
static bool valid_line(const char *s)
{
	size_t len = strlen(s);

	return !strchr(s, '\n') && !(len && s[len - 1] == '\r');
}

static bool valid_entry(const struct hs_recording *rec, const struct hs_entry *entry)
{
	if (entry->type != HS_ENTRY_COMMENT && entry->device >= rec->n_devices)
		return false;
	switch (entry->type) {
	case HS_ENTRY_INPUT:
		return entry->input.data && valid_size(entry->input.size);
	case HS_ENTRY_REQUEST:
		return valid_request(&entry->request);
	case HS_ENTRY_UNPLUG:
		return true;
	case HS_ENTRY_COMMENT:
		return entry->comment && valid_line(entry->comment);
	}
	return false;
}

static int copy_bytes(struct hs_recording *rec, const uint8_t **bytes, size_t size)
{
	if (!*bytes || !size) {
		*bytes = NULL;
		return 0;
	}
	*bytes = arena_dup(rec, *bytes, size);
	return *bytes ? 0 : -ENOMEM;
}

int hs_recording_add_entry(struct hs_recording *rec, const struct hs_entry *src)
{
	struct hs_entry *entry;
	int rc = 0;

	if (!valid_entry(rec, src))
		return -EINVAL;
	entry = new_entry(rec);
	if (!entry)
		return -ENOMEM;
	*entry = *src;
	switch (entry->type) {
	case HS_ENTRY_INPUT:
		rc = copy_bytes(rec, &entry->input.data, entry->input.size);
		break;
	case HS_ENTRY_REQUEST:
		rc = copy_bytes(rec, &entry->request.data, entry->request.size);
		if (!rc)
			rc = copy_bytes(rec, &entry->request.mask, entry->request.size);
		if (!rc)
			rc = copy_bytes(rec, &entry->request.answer_data,
					entry->request.answer_size);
		break;
	case HS_ENTRY_COMMENT:
		entry->comment = arena_string(rec, src->comment, strlen(src->comment));
		rc = entry->comment ? 0 : -ENOMEM;
		break;
	case HS_ENTRY_UNPLUG:
		break;
	}
	if (rc < 0)
		return rc;
	rec->entries[rec->n_entries++] = entry;
	return 0;
}

/* ------------------------------------------------------------------ reading */

struct parser {
	struct hs_recording *rec;
	const char *name;
	struct hs_error *err;
	unsigned int line;
	const char *pos, *end; /* what is left of the line */
	int number; /* of the last D: line */
	unsigned int number_line; /* where that is, 0 if there was none */
	int device; /* index for number, or -ENOENT */
	uint64_t time_us; /* of the last entry */
	uint8_t bytes[HS_REPORT_MAX], mask[HS_REPORT_MAX];
};

_Static_assert(HS_REPORT_MAX >= HS_RDESC_MAX, "one buffer serves reports and descriptors");

static int fail(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct parser *p, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return hs_error_set(p->err, -EINVAL, "%s:%u: %s", p->name, p->line, text);
}

static int no_memory(struct parser *p)
{
	return hs_error_set(p->err, -ENOMEM, "%s: out of memory", p->name);
}

static void skip_spaces(struct parser *p)
{
	while (p->pos < p->end && (*p->pos == ' ' || *p->pos == '\t'))
		p->pos++;
}

struct word {
	const char *s;
	int len;
};

/* The next word, of length 0 at the end of the line. */
static struct word next_word(struct parser *p)
{
	const char *start;

	skip_spaces(p);
	start = p->pos;
	while (p->pos < p->end && *p->pos != ' ' && *p->pos != '\t')
		p->pos++;
	return (struct word){ start, (int)(p->pos - start) };
}

/* For messages: a word can be as long as the file. */
#define WORD_ARGS(w) ((w).len > 40 ? 40 : (w).len), (w).s

static bool word_is(struct word w, const char *s)
{
	return (size_t)w.len == strlen(s) && !memcmp(w.s, s, (size_t)w.len);
}

static int digit(char c, unsigned int base)
{
	int v = -1;

	if (c >= '0' && c <= '9')
		v = c - '0';
	else if (c >= 'a' && c <= 'f')
		v = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		v = c - 'A' + 10;
	return v >= 0 && (unsigned int)v < base ? v : -1;
}

static bool word_number(struct word w, unsigned int base, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!w.len)
		return false;
	for (int i = 0; i < w.len; i++) {
		int d = digit(w.s[i], base);

		if (d < 0)
			return false;
		v = v * base + (unsigned int)d;
		if (v > max)
			return false;
	}
	*out = v;
	return true;
}

/* SECONDS[.FRACTION]; digits behind the sixth are below our resolution. */
static int parse_time(struct parser *p, struct word w, uint64_t *out)
{
	const char *dot = memchr(w.s, '.', (size_t)w.len);
	struct word sec = { w.s, dot ? (int)(dot - w.s) : w.len };
	uint64_t seconds, us = 0;
	unsigned int unit = 100000;

	if (!word_number(sec, 10, UINT32_MAX, &seconds))
		return fail(p, "'%.*s' is not a time; SECONDS.MICROSECONDS expected", WORD_ARGS(w));
	for (int i = sec.len + 1; i < w.len; i++, unit /= 10) {
		int d = digit(w.s[i], 10);

		if (d < 0)
			return fail(p, "'%.*s' is not a time; SECONDS.MICROSECONDS expected",
				    WORD_ARGS(w));
		us += (unsigned int)d * unit;
	}
	*out = seconds * 1000000 + us;
	return 0;
}

/*
 * LEN and that many bytes, up to the end of the line or, with @arrow, up to the
 * `->` in front of an answer. They are put into p->bytes and p->mask.
 */
static int parse_bytes(struct parser *p, const char *what, size_t max, bool wild, bool arrow,
		       size_t *size)
{
	struct word w = next_word(p);
	uint64_t len;
	size_t n = 0;

	if (!w.len)
		return fail(p, "%s has no length", what);
	if (!word_number(w, 10, UINT32_MAX, &len))
		return fail(p, "'%.*s' is not a length (decimal number of bytes)", WORD_ARGS(w));
	if (!len)
		return fail(p, "%s is empty", what);
	if (len > max)
		return fail(p, "%s of %" PRIu64 " bytes; at most %zu are possible", what, len, max);

	for (;;) {
		const char *before = p->pos;
		uint64_t v = 0;

		w = next_word(p);
		if (!w.len)
			break;
		if (arrow && word_is(w, "->")) {
			p->pos = before;
			break;
		}
		if (n == len)
			return fail(p, "%s is longer than its length %" PRIu64 ": '%.*s' follows",
				    what, len, WORD_ARGS(w));
		if (wild && word_is(w, "??"))
			p->mask[n] = 0;
		else if (w.len <= 2 && word_number(w, 16, 0xff, &v))
			p->mask[n] = 0xff;
		else
			return fail(p, "'%.*s' is not a byte (two hex digits)", WORD_ARGS(w));
		p->bytes[n++] = (uint8_t)v;
	}
	if (n != len)
		return fail(p, "%s has %zu bytes, its length says %" PRIu64, what, n, len);
	*size = n;
	return 0;
}

static int expect_end(struct parser *p)
{
	struct word w = next_word(p);

	return w.len ? fail(p, "'%.*s' is not expected here", WORD_ARGS(w)) : 0;
}

/* The device that a R:, N:, P:, U: or I: line speaks of. */
static struct device *device_of_head(struct parser *p)
{
	struct device *dev;

	if (p->device >= 0)
		return p->rec->devices[p->device];
	dev = new_device(p->rec, p->number, p->line);
	if (dev)
		p->device = (int)p->rec->n_devices - 1;
	return dev;
}

static int twice(struct parser *p, const struct device *dev, char key)
{
	return fail(p,
		    "a second %c: line for device %d, whose lines begin at line %u; "
		    "is a D: line missing?",
		    key, dev->pub.number, dev->line);
}

static int parse_rdesc(struct parser *p)
{
	struct device *dev = device_of_head(p);
	size_t size;
	int rc;

	if (!dev)
		return no_memory(p);
	if (dev->pub.rdesc)
		return twice(p, dev, 'R');
	rc = parse_bytes(p, "report descriptor", HS_RDESC_MAX, false, false, &size);
	if (rc < 0)
		return rc;
	dev->pub.rdesc = arena_dup(p->rec, p->bytes, size);
	dev->pub.rdesc_size = size;
	return dev->pub.rdesc ? 0 : no_memory(p);
}

/* Text after "N: " as it is: trailing spaces are part of a name. */
static int parse_string(struct parser *p, char key)
{
	struct device *dev = device_of_head(p);
	const char *s;
	bool *has;

	if (!dev)
		return no_memory(p);
	has = key == 'N' ? &dev->has_name : key == 'P' ? &dev->has_phys : &dev->has_uniq;
	if (*has)
		return twice(p, dev, key);
	if (p->pos < p->end && *p->pos == ' ')
		p->pos++;
	s = arena_string(p->rec, p->pos, (size_t)(p->end - p->pos));
	if (!s)
		return no_memory(p);
	*has = true;
	if (key == 'N')
		dev->pub.name = s;
	else if (key == 'P')
		dev->pub.phys = s;
	else
		dev->pub.uniq = s;
	return 0;
}

static int parse_id(struct parser *p)
{
	static const char *const what[] = { "bus", "vendor", "product" };
	static const uint64_t max[] = { UINT16_MAX, UINT32_MAX, UINT32_MAX };
	struct device *dev = device_of_head(p);
	uint64_t v[3];

	if (!dev)
		return no_memory(p);
	if (dev->has_id)
		return twice(p, dev, 'I');
	for (size_t i = 0; i < HS_ARRAY_SIZE(v); i++) {
		struct word w = next_word(p);

		if (!w.len)
			return fail(p, "no %s; 'I: BUS VENDOR PRODUCT' expected", what[i]);
		if (!word_number(w, 16, max[i], &v[i]))
			return fail(p, "'%.*s' is not a %s (hex number)", WORD_ARGS(w), what[i]);
	}
	dev->pub.id.bus = (uint16_t)v[0];
	dev->pub.id.vendor = (uint32_t)v[1];
	dev->pub.id.product = (uint32_t)v[2];
	dev->has_id = true;
	return expect_end(p);
}

static int parse_device_number(struct parser *p)
{
	struct word w = next_word(p);
	uint64_t v;

	if (!word_number(w, 10, INT32_MAX, &v))
		return fail(p, "'%.*s' is not a device number", WORD_ARGS(w));
	p->number = (int)v;
	p->number_line = p->line;
	p->device = find_device(p->rec, p->number);
	return expect_end(p);
}

/* Reports and requests need a device that can parse them. */
static int device_of_entry(struct parser *p, const char *what)
{
	if (p->device >= 0 && p->rec->devices[p->device]->pub.rdesc)
		return 0;
	if (p->device < 0 && p->number_line)
		return fail(p, "%s of device %d (line %u), which no R: and I: lines describe", what,
			    p->number, p->number_line);
	return fail(p, "%s before the R: line of its device", what);
}

static struct hs_entry *entry_at(struct parser *p, enum hs_entry_type type, uint64_t time_us)
{
	struct hs_entry *entry = new_entry(p->rec);

	if (!entry)
		return NULL;
	entry->type = type;
	entry->device = p->device < 0 ? 0 : (unsigned int)p->device;
	entry->time_us = time_us;
	entry->line = p->line;
	p->rec->entries[p->rec->n_entries++] = entry;
	p->time_us = time_us;
	return entry;
}

static int parse_input(struct parser *p)
{
	struct hs_entry *entry;
	struct word w = next_word(p);
	uint64_t time_us;
	size_t size;
	int rc;

	rc = device_of_entry(p, "a report");
	if (!rc && !w.len)
		rc = fail(p, "no time; 'E: TIME LEN BYTES' expected");
	if (!rc)
		rc = parse_time(p, w, &time_us);
	if (!rc)
		rc = parse_bytes(p, "report", HS_REPORT_MAX, false, false, &size);
	if (rc < 0)
		return rc;
	entry = entry_at(p, HS_ENTRY_INPUT, time_us);
	if (!entry)
		return no_memory(p);
	entry->input.data = arena_dup(p->rec, p->bytes, size);
	entry->input.size = size;
	return entry->input.data ? 0 : no_memory(p);
}

static const char *const request_names[] = {
	[HS_REQUEST_OUTPUT] = "output",           [HS_REQUEST_SET_OUTPUT] = "set-output",
	[HS_REQUEST_SET_FEATURE] = "set-feature", [HS_REQUEST_GET_FEATURE] = "get-feature",
	[HS_REQUEST_GET_INPUT] = "get-input",
};

static int parse_answer(struct parser *p, struct hs_request *req)
{
	struct word w = next_word(p);
	uint64_t v;
	int rc;

	if (word_is(w, "late")) {
		w = next_word(p);
		if (!word_number(w, 10, INT32_MAX, &v))
			return fail(p, "'%.*s' is not a delay in milliseconds", WORD_ARGS(w));
		req->late_ms = (unsigned int)v;
		w = next_word(p);
		if (word_is(w, "silent"))
			return fail(p, "a silent device is not late; leave out one of them");
	}
	if (word_is(w, "silent")) {
		req->answer = HS_ANSWER_SILENT;
		return expect_end(p);
	}
	if (word_is(w, "error")) {
		w = next_word(p);
		if (!word_number(w, 10, 4095, &v) || !v)
			return fail(p, "'%.*s' is not an errno value (1 to 4095)", WORD_ARGS(w));
		req->answer = HS_ANSWER_ERROR;
		req->error = (int)v;
		return expect_end(p);
	}
	if (!word_is(w, "ok"))
		return fail(p, "'%.*s' is not an answer; ok, error, silent or late expected",
			    WORD_ARGS(w));
	req->answer = HS_ANSWER_OK;
	if (!is_get(req->type))
		return expect_end(p);
	rc = parse_bytes(p, "answer", HS_REPORT_MAX, false, false, &req->answer_size);
	if (rc < 0)
		return rc;
	req->answer_data = arena_dup(p->rec, p->bytes, req->answer_size);
	return req->answer_data ? 0 : no_memory(p);
}

static int parse_request_data(struct parser *p, struct hs_request *req)
{
	bool wild = false;
	int rc;

	rc = parse_bytes(p, "request", HS_REPORT_MAX, true, req->type != HS_REQUEST_OUTPUT,
			 &req->size);
	if (rc < 0)
		return rc;
	req->data = arena_dup(p->rec, p->bytes, req->size);
	for (size_t i = 0; i < req->size; i++)
		wild |= !p->mask[i];
	if (wild)
		req->mask = arena_dup(p->rec, p->mask, req->size);
	return req->data && (req->mask || !wild) ? 0 : no_memory(p);
}

static int parse_request(struct parser *p, struct word name, struct hs_request *req)
{
	struct word w;
	uint64_t id;
	size_t type;
	int rc;

	for (type = 0; type < HS_ARRAY_SIZE(request_names); type++)
		if (word_is(name, request_names[type]))
			break;
	if (type == HS_ARRAY_SIZE(request_names))
		return fail(p,
			    "'%.*s' is no request; output, set-output, set-feature, get-feature, "
			    "get-input or unplug expected",
			    WORD_ARGS(name));
	req->type = (enum hs_request_type)type;

	if (is_get(req->type)) {
		w = next_word(p);
		if (w.len > 2 || !word_number(w, 16, 0xff, &id))
			return fail(p, "'%.*s' is not a report ID (two hex digits)", WORD_ARGS(w));
		req->report_id = (uint8_t)id;
	} else {
		rc = parse_request_data(p, req);
		if (rc < 0)
			return rc;
	}
	/* An output report goes over the interrupt pipe: nothing comes back. */
	if (req->type == HS_REQUEST_OUTPUT)
		return 0;
	w = next_word(p);
	if (!word_is(w, "->"))
		return fail(p, "no answer; '-> ok', '-> error N' or '-> silent' expected");
	return parse_answer(p, req);
}

/* What follows "# hidsmith:". */
static int parse_script(struct parser *p)
{
	struct word time = next_word(p), name;
	struct hs_request req = { 0 };
	struct hs_entry *entry;
	uint64_t time_us = p->time_us;
	int rc;

	if (word_is(time, "uniq"))
		return parse_string(p, 'U');
	name = next_word(p);
	rc = device_of_entry(p, "a request");
	if (rc < 0)
		return rc;
	if (!time.len || !name.len)
		return fail(p, "'# hidsmith: TIME REQUEST -> ANSWER' expected");
	req.standing = word_is(time, "*");
	if (!req.standing) {
		rc = parse_time(p, time, &time_us);
		if (rc < 0)
			return rc;
	}
	if (word_is(name, "unplug")) {
		if (req.standing)
			return fail(p, "unplug needs a time");
		rc = expect_end(p);
		if (rc < 0)
			return rc;
		return entry_at(p, HS_ENTRY_UNPLUG, time_us) ? 0 : no_memory(p);
	}
	rc = parse_request(p, name, &req);
	if (rc < 0)
		return rc;
	entry = entry_at(p, HS_ENTRY_REQUEST, time_us);
	if (!entry)
		return no_memory(p);
	entry->request = req;
	return 0;
}

static int add_comment(struct parser *p, const char *text, const char *end)
{
	struct hs_entry *entry = entry_at(p, HS_ENTRY_COMMENT, p->time_us);

	if (!entry)
		return no_memory(p);
	entry->comment = arena_string(p->rec, text, (size_t)(end - text));
	return entry->comment ? 0 : no_memory(p);
}

static int parse_hash(struct parser *p)
{
	size_t prefix = sizeof(PREFIX) - 1;
	const char *text = p->pos + 1;

	if (text < p->end && *text == ' ')
		text++;
	if ((size_t)(p->end - text) >= prefix && !memcmp(text, PREFIX, prefix)) {
		p->pos = text + prefix;
		return parse_script(p);
	}
	return add_comment(p, text, p->end);
}

static int parse_line(struct parser *p)
{
	if (p->pos == p->end)
		return 0;
	if (memchr(p->pos, '\0', (size_t)(p->end - p->pos)))
		return fail(p, "a NUL byte: this is not a recording's text");
	if (*p->pos == '#')
		return parse_hash(p);
	if (p->end - p->pos >= 2 && p->pos[1] == ':') {
		char key = p->pos[0];

		p->pos += 2;
		switch (key) {
		case 'D':
			return parse_device_number(p);
		case 'R':
			return parse_rdesc(p);
		case 'N':
		case 'P':
		case 'U':
			return parse_string(p, key);
		case 'I':
			return parse_id(p);
		case 'E':
			return parse_input(p);
		}
		p->pos -= 2;
	}
	/* People write what they do between the reports, not always with a #. */
	return add_comment(p, p->pos, p->end);
}

static int check_devices(struct parser *p)
{
	if (!p->rec->n_devices)
		return hs_error_set(p->err, -EINVAL,
				    "%s: no device: a recording has R: and I: lines", p->name);
	for (size_t i = 0; i < p->rec->n_devices; i++) {
		const struct device *dev = p->rec->devices[i];

		p->line = dev->line;
		if (!dev->pub.rdesc)
			return fail(p, "device %d has no R: line (report descriptor)",
				    dev->pub.number);
		if (!dev->has_id)
			return fail(p, "device %d has no I: line (bus, vendor, product)",
				    dev->pub.number);
	}
	return 0;
}

static int too_large(const char *name, struct hs_error *err)
{
	return hs_error_set(err, -EINVAL, "%s: more than %u MiB; no recording is that large", name,
			    HS_RECORDING_MAX >> 20);
}

int hs_recording_parse(const char *name, const char *text, size_t size, struct hs_recording **out,
		       struct hs_error *err)
{
	static const char bom[] = "\xef\xbb\xbf";
	hs_autofree struct parser *p = calloc(1, sizeof(*p));
	const char *pos = text, *end = text + size;
	int rc = 0;

	if (p)
		p->rec = hs_recording_new();
	if (!p || !p->rec)
		return hs_error_set(err, -ENOMEM, "%s: out of memory", name);
	p->name = name;
	p->err = err;
	p->device = -ENOENT;
	if (size > HS_RECORDING_MAX)
		rc = too_large(name, err);

	if (size >= 3 && !memcmp(text, bom, 3))
		pos += 3;
	while (!rc && pos < end) {
		const char *eol = memchr(pos, '\n', (size_t)(end - pos));

		p->line++;
		p->pos = pos;
		p->end = eol ? eol : end;
		pos = eol ? eol + 1 : end;
		while (p->end > p->pos && p->end[-1] == '\r')
			p->end--;
		rc = parse_line(p);
	}
	if (!rc)
		rc = check_devices(p);
	if (rc < 0) {
		hs_recording_free(p->rec);
		return rc;
	}
	*out = p->rec;
	return 0;
}

/*
 * @return 0 and all of the file in *@out, or the negative errno of read. A file that
 *   has no end is read up to a bit more than HS_RECORDING_MAX.
 */
static int read_all(int fd, char **out, size_t *size)
{
	size_t max = 0, n = 0;
	char *text = NULL;

	for (;;) {
		ssize_t got;

		if (n == max) {
			char *bigger;

			max = max ? max * 2 : 64 * 1024;
			bigger = realloc(text, max);
			if (!bigger) {
				free(text);
				return -ENOMEM;
			}
			text = bigger;
		}
		got = read(fd, text + n, max - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			got = -errno;
			free(text);
			return (int)got;
		}
		if (!got)
			break;
		n += (size_t)got;
		if (n > HS_RECORDING_MAX)
			break;
	}
	*out = text;
	*size = n;
	return 0;
}

int hs_recording_read(const char *path, struct hs_recording **out, struct hs_error *err)
{
	bool is_stdin = !strcmp(path, "-");
	const char *name = is_stdin ? "standard input" : path;
	hs_autoclose int opened = -1;
	hs_autofree char *text = NULL;
	size_t size = 0;
	int rc, fd = STDIN_FILENO;

	if (!is_stdin) {
		fd = opened = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
	}
	rc = read_all(fd, &text, &size);
	if (rc < 0)
		return hs_error_set(err, rc, "%s: %s", name, strerror(-rc));
	return hs_recording_parse(name, text, size, out, err);
}

/* ------------------------------------------------------------------ writing */

static void write_bytes(const uint8_t *data, size_t size, FILE *out)
{
	static const char hex[] = "0123456789abcdef";
	char text[3 * HS_REPORT_MAX];
	size_t n = 0;

	for (size_t i = 0; i < size && i < HS_REPORT_MAX; i++) {
		text[n++] = ' ';
		text[n++] = hex[data[i] >> 4];
		text[n++] = hex[data[i] & 0xf];
	}
	fwrite(text, 1, n, out);
}

static bool has_device_lines(const struct hs_recording *rec)
{
	return rec->n_devices > 1 || (rec->n_devices && rec->devices[0]->pub.number);
}

int hs_recording_write_devices(const struct hs_recording *rec, FILE *out)
{
	for (size_t i = 0; i < rec->n_devices; i++) {
		const struct hs_recorded_device *dev = &rec->devices[i]->pub;

		if (has_device_lines(rec))
			fprintf(out, "D: %d\n", dev->number);
		fprintf(out, "R: %zu", dev->rdesc_size);
		write_bytes(dev->rdesc, dev->rdesc_size, out);
		fprintf(out, "\nN: %s\nP: %s\n", dev->name, dev->phys);
		if (*dev->uniq)
			fprintf(out, "# " PREFIX " uniq %s\n", dev->uniq);
		fprintf(out, "I: %x %04x %04x\n", dev->id.bus, dev->id.vendor, dev->id.product);
	}
	return ferror(out) ? -EIO : 0;
}

static void write_time(uint64_t us, FILE *out)
{
	fprintf(out, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

/* Text that grows in a caller's buffer and is cut at its end. */
struct text {
	char *buf;
	size_t size, len;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	if (t->len >= t->size)
		return;
	va_start(args, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, args);
	va_end(args);
	t->len = n < 0 || (size_t)n >= t->size - t->len ? t->size : t->len + (size_t)n;
}

static void add_bytes(struct text *t, const uint8_t *data, const uint8_t *mask, size_t size)
{
	add(t, " %zu", size);
	for (size_t i = 0; i < size; i++) {
		if (mask && !mask[i])
			add(t, " ??");
		else
			add(t, " %02x", data[i]);
	}
}

enum hs_report_type hs_request_report_type(const struct hs_request *req)
{
	switch (req->type) {
	case HS_REQUEST_OUTPUT:
	case HS_REQUEST_SET_OUTPUT:
		return HS_REPORT_OUTPUT;
	case HS_REQUEST_GET_INPUT:
		return HS_REPORT_INPUT;
	default:
		return HS_REPORT_FEATURE;
	}
}

const char *hs_request_format(const struct hs_request *req, char *buf, size_t size)
{
	struct text t = { buf, size, 0 };

	if (size)
		buf[0] = '\0';
	add(&t, "%s", request_names[req->type]);
	if (is_get(req->type))
		add(&t, " %02x", req->report_id);
	else
		add_bytes(&t, req->data, req->mask, req->size);
	if (req->type == HS_REQUEST_OUTPUT)
		return buf;
	add(&t, " ->");
	if (req->late_ms)
		add(&t, " late %u", req->late_ms);
	switch (req->answer) {
	case HS_ANSWER_OK:
		add(&t, " ok");
		if (is_get(req->type))
			add_bytes(&t, req->answer_data, NULL, req->answer_size);
		break;
	case HS_ANSWER_ERROR:
		add(&t, " error %d", req->error);
		break;
	case HS_ANSWER_SILENT:
		add(&t, " silent");
		break;
	}
	return buf;
}

static void write_request(const struct hs_entry *entry, FILE *out)
{
	/* Both halves can be a report of the largest size. */
	char text[2 * 3 * HS_REPORT_MAX + 128];

	fprintf(out, "# " PREFIX " ");
	if (entry->request.standing)
		fputc('*', out);
	else
		write_time(entry->time_us, out);
	fprintf(out, " %s\n", hs_request_format(&entry->request, text, sizeof(text)));
}

static void write_comment(const char *comment, FILE *out)
{
	/* A # in front of these would make a request of them. */
	if (!strncmp(comment, PREFIX, sizeof(PREFIX) - 1))
		fprintf(out, "%s\n", comment);
	else
		fprintf(out, *comment ? "# %s\n" : "#%s\n", comment);
}

int hs_recording_write_entry(const struct hs_recording *rec, const struct hs_entry *entry,
			     unsigned int *last, FILE *out)
{
	if (!valid_entry(rec, entry))
		return -EINVAL;
	if (entry->device < rec->n_devices && entry->device != *last) {
		fprintf(out, "D: %d\n", rec->devices[entry->device]->pub.number);
		*last = entry->device;
	}
	switch (entry->type) {
	case HS_ENTRY_INPUT:
		fputs("E: ", out);
		write_time(entry->time_us, out);
		fprintf(out, " %zu", entry->input.size);
		write_bytes(entry->input.data, entry->input.size, out);
		fputc('\n', out);
		break;
	case HS_ENTRY_REQUEST:
		write_request(entry, out);
		break;
	case HS_ENTRY_UNPLUG:
		fprintf(out, "# " PREFIX " ");
		write_time(entry->time_us, out);
		fputs(" unplug\n", out);
		break;
	case HS_ENTRY_COMMENT:
		write_comment(entry->comment, out);
		break;
	}
	return ferror(out) ? -EIO : 0;
}

int hs_recording_write(const struct hs_recording *rec, FILE *out)
{
	unsigned int last = rec->n_devices ? (unsigned int)rec->n_devices - 1 : 0;
	int rc = hs_recording_write_devices(rec, out);

	for (size_t i = 0; !rc && i < rec->n_entries; i++)
		rc = hs_recording_write_entry(rec, rec->entries[i], &last, out);
	return rc;
}
