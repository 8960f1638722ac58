// SPDX-License-Identifier: MIT
/*
 * `hidsmith record --io`: what the device says before fixups, what they make of it,
 * and all requests with their answers.
 *
 * A request's line stands where the request was made, and it has the answer, which
 * comes later: lines wait in a queue until the first one is complete.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/util.h"
#include "core/cli/record.h"
#include "core/device/hidraw.h"
#include "core/device/iolog.h"

/* Answers that take longer are worth a `late`; below that it is the bus. */
#define LATE_US 20000
/* The kernel gives up after 5 s (uhid, usbhid): that device is silent. */
#define SILENT_US 4500000

/* A line of the file that may still lack its end. */
struct line {
	struct line *next;
	struct hs_entry entry; /* its data are ours */
	bool waiting; /* for the answer to seq */
	bool is_comment; /* a request of a program: written as a comment, not as script */
	bool skip;
	uint64_t seq;
	enum hs_io_origin origin;
	char *after; /* comment that follows it */
};

struct source {
	char *sysname;
	int fd; /* hidraw: keeps the device open, and tells when it goes */
	struct line *last_input; /* that a HS_IO_FIXED would belong to */
};

struct io_session {
	const struct record_options *opts;
	struct record_file *file;
	struct hs_iolog *log;
	struct source *sources;
	size_t n_sources, n_open;
	struct line *first, **end;
	enum hs_io_origin origin; /* of the last request that was written */
	struct hs_error *err;
};

static void free_line(struct line *line)
{
	switch (line->entry.type) {
	case HS_ENTRY_INPUT:
		free((void *)line->entry.input.data);
		break;
	case HS_ENTRY_REQUEST:
		free((void *)line->entry.request.data);
		free((void *)line->entry.request.answer_data);
		break;
	case HS_ENTRY_COMMENT:
		free((void *)line->entry.comment);
		break;
	case HS_ENTRY_UNPLUG:
		break;
	}
	free(line->after);
	free(line);
}

static struct line *add_line(struct io_session *s, enum hs_entry_type type, unsigned int device,
			     uint64_t time_us)
{
	struct line *line = calloc(1, sizeof(*line));

	if (!line)
		return NULL;
	line->entry.type = type;
	line->entry.device = device;
	line->entry.time_us = time_us;
	*s->end = line;
	s->end = &line->next;
	return line;
}

static const uint8_t *copy(const uint8_t *data, size_t size)
{
	uint8_t *p = malloc(size ? size : 1);

	if (p && size)
		memcpy(p, data, size);
	return p;
}

/* "WORD LEN BYTES" */
static char *bytes_comment(const char *word, const uint8_t *data, size_t size)
{
	char *text = malloc(strlen(word) + 32 + 3 * size);
	size_t n;

	if (!text)
		return NULL;
	n = (size_t)sprintf(text, "%s %zu", word, size);
	for (size_t i = 0; i < size; i++)
		n += (size_t)sprintf(text + n, " %02x", data[i]);
	return text;
}

static int write_comment(struct io_session *s, const struct hs_entry *at, const char *text)
{
	struct hs_entry entry = {
		.type = HS_ENTRY_COMMENT,
		.device = at->device,
		.time_us = at->time_us,
		.comment = text,
	};

	return record_file_entry(s->file, &entry, s->err);
}

/* A request of another program is no part of what kernel and fixups do: no script. */
static int write_foreign(struct io_session *s, const struct line *line)
{
	const struct hs_request *req = &line->entry.request;
	size_t size = 3 * (req->size + req->answer_size) + 128;
	hs_autofree char *words = malloc(size), *text = NULL;
	uint64_t us = record_file_time(s->file, line->entry.time_us);

	if (!words || asprintf(&text, "hidraw: %" PRIu64 ".%06" PRIu64 " %s", us / 1000000,
			       us % 1000000, hs_request_format(req, words, size)) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return write_comment(s, &line->entry, text);
}

static int write_line(struct io_session *s, const struct line *line)
{
	static const char *const by[] = { "requests of the kernel:", NULL, "requests of fixups:" };
	int rc = 0;

	if (line->skip)
		return 0;
	if (line->is_comment)
		return write_foreign(s, line);
	if (line->entry.type == HS_ENTRY_REQUEST && line->origin != s->origin) {
		s->origin = line->origin;
		rc = write_comment(s, &line->entry, by[line->origin]);
	}
	if (!rc)
		rc = record_file_entry(s->file, &line->entry, s->err);
	if (!rc && line->after)
		rc = write_comment(s, &line->entry, line->after);
	return rc;
}

/* Write what is complete; with @all what waits for an answer, too. */
static int write_lines(struct io_session *s, bool all)
{
	int rc = 0;

	while (!rc && s->first && (all || !s->first->waiting)) {
		struct line *line = s->first;

		if (line->waiting) {
			line->entry.request.answer = HS_ANSWER_SILENT;
			line->skip = line->entry.request.type == HS_REQUEST_OUTPUT;
		}
		rc = write_line(s, line);
		for (size_t i = 0; i < s->n_sources; i++)
			if (s->sources[i].last_input == line)
				s->sources[i].last_input = NULL;
		s->first = line->next;
		if (!s->first)
			s->end = &s->first;
		free_line(line);
	}
	return rc ? rc : record_file_flush(s->file, s->err);
}

/* ------------------------------------------------------------------- events */

static int on_input(struct io_session *s, const struct hs_io_event *ev)
{
	struct line *line;

	s->sources[ev->device].last_input = NULL;
	/* A late answer of USB's control pipe comes in this way; no report of its own. */
	if (ev->report_type || !ev->size)
		return 0;
	if (ev->origin == HS_IO_BY_BPF) {
		line = add_line(s, HS_ENTRY_COMMENT, ev->device, ev->time_us);
		if (!line)
			return -ENOMEM;
		line->entry.comment = bytes_comment("injected", ev->data, ev->size);
		return line->entry.comment ? 0 : -ENOMEM;
	}
	line = add_line(s, HS_ENTRY_INPUT, ev->device, ev->time_us);
	if (!line)
		return -ENOMEM;
	line->entry.input.data = copy(ev->data, ev->size);
	line->entry.input.size = ev->size;
	s->sources[ev->device].last_input = line;
	return line->entry.input.data ? 0 : -ENOMEM;
}

static int on_fixed(struct io_session *s, const struct hs_io_event *ev)
{
	struct line *line = s->sources[ev->device].last_input;

	s->sources[ev->device].last_input = NULL;
	if (!line || (!ev->result && ev->size == line->entry.input.size &&
		      !memcmp(ev->data, line->entry.input.data, ev->size)))
		return 0;
	line->after = ev->result ? strdup("dropped") : bytes_comment("fixed", ev->data, ev->size);
	return line->after ? 0 : -ENOMEM;
}

static int on_request(struct io_session *s, const struct hs_io_event *ev)
{
	struct line *line;

	if (!ev->valid) {
		line = add_line(s, HS_ENTRY_COMMENT, ev->device, ev->time_us);
		if (!line)
			return -ENOMEM;
		line->entry.comment =
			bytes_comment("request that the format has no word for:", ev->data,
				      ev->data ? ev->size : 0);
		return line->entry.comment ? 0 : -ENOMEM;
	}
	line = add_line(s, HS_ENTRY_REQUEST, ev->device, ev->time_us);
	if (!line)
		return -ENOMEM;
	line->entry.request = ev->request;
	line->entry.request.data = NULL;
	line->waiting = true;
	line->seq = ev->seq;
	line->origin = ev->origin;
	line->is_comment = ev->origin == HS_IO_BY_HIDRAW;
	if (ev->request.data)
		line->entry.request.data = copy(ev->request.data, ev->request.size);
	return !ev->request.data || line->entry.request.data ? 0 : -ENOMEM;
}

static int set_answer(struct line *line, const struct hs_io_event *ev)
{
	struct hs_request *req = &line->entry.request;
	uint64_t took = ev->time_us - line->entry.time_us;
	bool get = req->type == HS_REQUEST_GET_FEATURE || req->type == HS_REQUEST_GET_INPUT;

	if (req->type == HS_REQUEST_OUTPUT) {
		/* A transport without output reports: SET_REPORT follows. */
		line->skip = ev->result < 0;
		return 0;
	}
	if (took >= SILENT_US && (ev->result == -EIO || ev->result == -ETIMEDOUT)) {
		req->answer = HS_ANSWER_SILENT;
		return 0;
	}
	if (took >= LATE_US)
		req->late_ms = (unsigned int)((took + 500) / 1000);
	if (ev->result < 0 || (get && !ev->size)) {
		req->answer = HS_ANSWER_ERROR;
		req->error = ev->result < 0 ? -ev->result : EIO;
		return 0;
	}
	req->answer = HS_ANSWER_OK;
	if (!get)
		return 0;
	req->answer_data = copy(ev->data, ev->size);
	req->answer_size = ev->size;
	return req->answer_data ? 0 : -ENOMEM;
}

static int on_answer(struct io_session *s, const struct hs_io_event *ev)
{
	for (struct line *line = s->first; line; line = line->next) {
		if (!line->waiting || line->seq != ev->seq)
			continue;
		line->waiting = false;
		return set_answer(line, ev);
	}
	return 0;
}

static int on_event(const struct hs_io_event *ev, void *data)
{
	struct io_session *s = data;

	if (ev->device >= s->n_sources)
		return 0;
	switch (ev->kind) {
	case HS_IO_INPUT:
		return on_input(s, ev);
	case HS_IO_FIXED:
		return on_fixed(s, ev);
	case HS_IO_REQUEST:
		return on_request(s, ev);
	case HS_IO_ANSWER:
		return on_answer(s, ev);
	}
	return 0;
}

static int read_events(struct io_session *s)
{
	int rc = hs_iolog_read(s->log, on_event, s);

	if (rc == -ENOMEM)
		return hs_error_set(s->err, rc, "out of memory");
	return rc < 0 ? hs_error_set(s->err, rc, "reading events: %s", strerror(-rc)) : 0;
}

/* ------------------------------------------------------------------ devices */

static int write_sysfs(const char *path, const char *text)
{
	hs_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

static int unbind(const char *sysname, struct hs_error *err)
{
	char path[256];
	int rc;

	snprintf(path, sizeof(path), "/sys/bus/hid/devices/%s/driver/unbind", sysname);
	rc = write_sysfs(path, sysname);
	/* Without a driver there is nothing to take away. */
	if (rc < 0 && rc != -ENOENT)
		return hs_error_set(err, rc,
				    "%s: taking its driver away: %s; --no-rebind leaves it",
				    sysname, strerror(-rc));
	return 0;
}

static int bind(const char *sysname, struct hs_error *err)
{
	int rc = write_sysfs("/sys/bus/hid/drivers_probe", sysname);

	if (rc < 0)
		return hs_error_set(err, rc, "%s: giving it a driver again: %s", sysname,
				    strerror(-rc));
	return 0;
}

/*
 * The device's hidraw node, which is another one after each probe: -1 if the device
 * has gone. Probe makes the node before it ends, and it may be slow: the events of
 * that time are taken meanwhile.
 */
static int open_node(struct io_session *s, const char *sysname)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000000 };

	for (int i = 0; i < 200; i++) {
		struct hs_device_list *list = NULL;
		const struct hs_device *dev = NULL;
		int fd = -1;

		if (hs_device_list_open(&list, NULL) < 0)
			return -1;
		if (hs_device_list_find(list, sysname, &dev, NULL) < 0) {
			hs_device_list_free(list);
			return -1;
		}
		if (dev->hidraw)
			fd = hs_hidraw_open(dev, NULL);
		hs_device_list_free(list);
		if (fd >= 0)
			return fd;
		if (read_events(s) < 0)
			return -1;
		nanosleep(&pause, NULL);
	}
	return -1;
}

static int source_gone(struct io_session *s, unsigned int index)
{
	struct source *source = &s->sources[index];

	close(source->fd);
	/* A fixup that was attached or detached: the device is probed again. */
	source->fd = open_node(s, source->sysname);
	if (source->fd >= 0)
		return 0;
	s->n_open--;
	if (!s->opts->quiet)
		fprintf(stderr, "%s: went away\n", source->sysname);
	if (read_events(s) < 0)
		return -EIO;
	return add_line(s, HS_ENTRY_UNPLUG, index, record_now_us())
		       ? 0
		       : hs_error_set(s->err, -ENOMEM, "out of memory");
}

/* Reports come by the log; here they only must not pile up. */
static int drain_node(struct io_session *s, unsigned int index)
{
	uint8_t buf[HS_REPORT_MAX];
	ssize_t n;

	while ((n = hs_hidraw_read(s->sources[index].fd, buf)) > 0)
		;
	return n < 0 ? source_gone(s, index) : 0;
}

static int add_devices(struct io_session *s, const struct hs_device *const *devs, size_t n)
{
	s->sources = calloc(n, sizeof(*s->sources));
	if (!s->sources)
		return hs_error_set(s->err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		s->sources[i].fd = -1;
	s->n_sources = n;
	for (size_t i = 0; i < n; i++) {
		uint8_t rdesc[HS_RDESC_MAX];
		size_t size;
		int rc;

		s->sources[i].sysname = strdup(devs[i]->sysname);
		if (!s->sources[i].sysname)
			return hs_error_set(s->err, -ENOMEM, "out of memory");
		rc = hs_iolog_add(s->log, devs[i], (unsigned int)i, s->err);
		if (!rc)
			rc = hs_iolog_rdesc(s->log, devs[i], rdesc, &size, s->err);
		if (!rc)
			rc = record_file_add(s->file, devs[i], rdesc, size, s->err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/*
 * Listen from the first request on: take the drivers away, listen, and have the
 * devices probed anew. A driver must be back whatever else fails.
 */
static int start(struct io_session *s)
{
	size_t unbound = 0;
	int rc = 0, probe;

	while (!s->opts->no_rebind && !rc && unbound < s->n_sources) {
		rc = unbind(s->sources[unbound].sysname, s->err);
		unbound += !rc;
	}
	if (!rc)
		rc = hs_iolog_start(s->log, s->err);
	for (size_t i = 0; i < unbound; i++) {
		probe = bind(s->sources[i].sysname, rc < 0 ? NULL : s->err);
		rc = rc < 0 ? rc : probe;
	}
	for (size_t i = 0; !rc && i < s->n_sources; i++) {
		s->sources[i].fd = open_node(s, s->sources[i].sysname);
		if (s->sources[i].fd < 0)
			return hs_error_set(s->err, -ENODEV, "%s: no hidraw node",
					    s->sources[i].sysname);
		s->n_open++;
	}
	return rc;
}

static int record_until(struct io_session *s, const struct record_end *end)
{
	hs_autofree struct pollfd *fds = calloc(s->n_sources + 3, sizeof(*fds));
	size_t n = s->n_sources;
	bool stop = false;
	int rc = 0;

	if (!fds)
		return hs_error_set(s->err, -ENOMEM, "out of memory");
	while (!rc && !stop && s->n_open) {
		for (size_t i = 0; i < n; i++)
			fds[i] = (struct pollfd){ .fd = s->sources[i].fd, .events = POLLIN };
		fds[n] = (struct pollfd){ .fd = hs_iolog_fd(s->log), .events = POLLIN };
		fds[n + 1] = (struct pollfd){ .fd = end->signals, .events = POLLIN };
		fds[n + 2] = (struct pollfd){ .fd = end->timer, .events = POLLIN };
		if (poll(fds, n + 3, -1) < 0 && errno != EINTR)
			return hs_error_set(s->err, -errno, "record: %s", strerror(errno));
		stop = fds[n + 1].revents || fds[n + 2].revents;
		rc = read_events(s);
		for (unsigned int i = 0; !rc && i < n; i++)
			if (fds[i].revents)
				rc = drain_node(s, i);
		if (!rc)
			rc = write_lines(s, false);
	}
	return rc < 0 ? rc : stop;
}

static int check_lost(struct io_session *s)
{
	uint64_t lost = hs_iolog_lost(s->log);
	char text[64];

	if (!lost)
		return 0;
	snprintf(text, sizeof(text), "%" PRIu64 " events were lost here", lost);
	fprintf(s->file->out, "# %s\n", text);
	return hs_error_set(s->err, -ENOBUFS,
			    "%" PRIu64 " events were lost; the recording has a gap", lost);
}

int record_io(const struct record_options *opts, const struct hs_device *const *devs, size_t n,
	      struct record_file *file, struct hs_error *err)
{
	struct io_session s = { .opts = opts, .file = file, .err = err };
	struct record_end end = { -1, -1 };
	int rc, ended = 0;

	s.end = &s.first;
	rc = hs_iolog_open(&s.log, err);
	if (!rc)
		rc = add_devices(&s, devs, n);
	/* From here on a signal must not leave a device without a driver. */
	if (!rc)
		rc = record_begin(file, &end, opts, err);
	if (!rc)
		rc = start(&s);
	if (!rc && !opts->quiet)
		fprintf(stderr, "Recording %zu device%s with requests; Ctrl-C ends it.\n", n,
			n == 1 ? "" : "s");
	if (!rc)
		rc = ended = record_until(&s, &end);
	if (rc >= 0)
		rc = write_lines(&s, true);
	if (rc >= 0)
		rc = check_lost(&s);

	record_end_close(&end);
	while (s.first) {
		struct line *line = s.first;

		s.first = line->next;
		free_line(line);
	}
	for (size_t i = 0; i < s.n_sources; i++) {
		if (s.sources[i].fd >= 0)
			close(s.sources[i].fd);
		free(s.sources[i].sysname);
	}
	free(s.sources);
	hs_iolog_free(s.log);
	return rc < 0 ? rc : ended;
}
