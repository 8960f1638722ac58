// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/cli/record.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/hid/rdesc-text.h"

static int output_error(const struct record_file *file, struct hs_error *err)
{
	return hs_error_set(err, -EIO, "%s: %s", file->name, strerror(errno));
}

static int file_open(struct record_file *file, const char *path, struct hs_error *err)
{
	file->out = stdout;
	file->name = "standard output";
	if (!path || !strcmp(path, "-"))
		return 0;
	file->name = path;
	file->out = fopen(path, "we");
	if (!file->out)
		return hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
	file->opened = true;
	return 0;
}

void record_file_close(struct record_file *file)
{
	hs_recording_free(file->rec);
	if (file->opened)
		fclose(file->out);
}

int record_file_add(struct record_file *file, const struct hs_device *dev, const uint8_t *rdesc,
		    size_t rdesc_size, struct hs_error *err)
{
	struct hs_recorded_device rd = {
		.name = dev->name,
		.phys = dev->phys,
		.uniq = dev->uniq,
		.id = dev->id,
		.rdesc = rdesc,
		.rdesc_size = rdesc_size,
	};
	int rc;

	if (!file->rec)
		file->rec = hs_recording_new();
	if (!file->rec)
		return hs_error_set(err, -ENOMEM, "out of memory");
	rd.number = (int)hs_recording_device_count(file->rec);
	rc = hs_recording_add_device(file->rec, &rd);
	return rc < 0 ? hs_error_set(err, rc, "%s: %s", dev->sysname, strerror(-rc)) : 0;
}

static int file_head(struct record_file *file, bool describe, struct hs_error *err)
{
	size_t n = hs_recording_device_count(file->rec);

	/* In words first: a reader of the file meets it first. */
	for (size_t i = 0; describe && i < n; i++) {
		const struct hs_recorded_device *dev = hs_recording_device(file->rec, i);
		char name[HS_ESCAPE_SIZE(128)];

		fprintf(file->out, "# %04x:%04x:%04x %s\n", dev->id.bus, dev->id.vendor,
			dev->id.product, hs_escape(dev->name, name, sizeof(name)));
		hs_rdesc_print(dev->rdesc, dev->rdesc_size, "# ", file->out, NULL);
	}
	hs_recording_write_devices(file->rec, file->out);
	file->last = (unsigned int)n - 1;
	return record_file_flush(file, err);
}

uint64_t record_file_time(struct record_file *file, uint64_t time_us)
{
	if (!file->started) {
		file->started = true;
		file->start_us = time_us;
	}
	return time_us > file->start_us ? time_us - file->start_us : 0;
}

int record_file_entry(struct record_file *file, const struct hs_entry *entry, struct hs_error *err)
{
	struct hs_entry copy = *entry;

	copy.time_us = record_file_time(file, entry->time_us);
	file->n_reports += entry->type == HS_ENTRY_INPUT;
	file->n_requests += entry->type == HS_ENTRY_REQUEST;
	return hs_recording_write_entry(file->rec, &copy, &file->last, file->out) < 0
		       ? output_error(file, err)
		       : 0;
}

int record_file_flush(struct record_file *file, struct hs_error *err)
{
	return fflush(file->out) || ferror(file->out) ? output_error(file, err) : 0;
}

uint64_t record_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int open_timer(double seconds)
{
	struct itimerspec its = {
		.it_value = {
			.tv_sec = (time_t)seconds,
			.tv_nsec = (long)((seconds - floor(seconds)) * 1e9),
		},
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd >= 0)
		timerfd_settime(fd, 0, &its, NULL);
	return fd;
}

static int end_open(struct record_end *end, double duration, struct hs_error *err)
{
	end->timer = -1;
	end->signals = open_signals();
	if (end->signals >= 0 && duration > 0)
		end->timer = open_timer(duration);
	if (end->signals < 0 || (duration > 0 && end->timer < 0))
		return hs_error_set(err, -errno, "record: %s", strerror(errno));
	return 0;
}

int record_begin(struct record_file *file, struct record_end *end,
		 const struct record_options *opts, struct hs_error *err)
{
	int rc = file_open(file, opts->output, err);

	if (!rc)
		rc = file_head(file, !opts->plain, err);
	return rc ? rc : end_open(end, opts->duration, err);
}

void record_end_close(struct record_end *end)
{
	if (end->signals >= 0)
		close(end->signals);
	if (end->timer >= 0)
		close(end->timer);
}
