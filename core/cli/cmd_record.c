// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/cli/cli.h"
#include "core/device/device.h"
#include "core/device/hidraw.h"
#include "core/hid/rdesc-text.h"
#include "core/recording/recording.h"

static const char help[] =
	"usage: hidsmith record [OPTION]... [DEVICE]...\n"
	"\n"
	"Writes what devices say to a recording, which 'hidsmith replay', hid-replay and\n"
	"hid-tools play. A DEVICE is a name such as 0003:28BD:0914.0004, VENDOR:PRODUCT, or\n"
	"a node such as /dev/hidraw3 or /dev/input/event7. Without one, on a terminal, it\n"
	"lists the devices and asks.\n"
	"\n"
	"Ends by Ctrl-C, SIGTERM, or when the last device has gone; what was said until\n"
	"then is in the file.\n"
	"\n"
	"  -o, --output FILE     write to FILE instead of standard output\n"
	"      --duration SEC    end after SEC seconds\n"
	"      --plain           no comments that say in words what the descriptor has\n"
	"  -q, --quiet           nothing on standard error but errors\n"
	"      --help\n"
	"\n"
	"Reports are read from hidraw, behind the fixups that are attached.\n"
	"\n"
	"Exit status: 0; 4 if there is no such device, or the last one went away by itself;\n"
	"else see hidsmith(1).\n";

struct options {
	const char *output;
	double duration; /* seconds, 0: until told to end */
	bool plain, quiet;
};

struct source {
	const struct hs_device *dev;
	int fd; /* -1 once the device has gone */
};

struct session {
	const struct options *opts;
	struct source *sources;
	size_t n_sources, n_open;
	struct hs_recording *rec; /* the devices; entries go straight to the file */
	FILE *out;
	bool out_opened;
	unsigned int last; /* device of the last line in the file */
	bool started;
	uint64_t start_us; /* of the first entry */
	size_t n_reports;
};

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Names fill the terminal's line at most; what they hold is the device's choice. */
static void list_device(const struct hs_device *dev, size_t number)
{
	char name[HS_ESCAPE_SIZE(60)];

	fprintf(stderr, "%3zu  %s  %-12s %s\n", number, dev->sysname, dev->hidraw + strlen("/dev/"),
		hs_escape(dev->name, name, sizeof(name)));
}

/* Numbers of the list, apart by spaces or commas, into chosen[]. */
static int parse_choice(char *line, size_t max, bool *chosen, struct hs_error *err)
{
	size_t n = 0;

	for (char *word = strtok(line, " ,\t\n"); word; word = strtok(NULL, " ,\t\n")) {
		char *end;
		unsigned long v = strtoul(word, &end, 10);

		if (*end || v < 1 || v > max)
			return hs_error_set(err, -EINVAL, "'%s' is not a number from 1 to %zu",
					    word, max);
		n += !chosen[v - 1];
		chosen[v - 1] = true;
	}
	return n ? 0 : hs_error_set(err, -ECANCELED, "no device chosen");
}

static int choose(const struct hs_device_list *list, const struct hs_device **devs, size_t *n,
		  struct hs_error *err)
{
	size_t count = hs_device_list_count(list), with_node = 0;
	hs_autofree const struct hs_device **shown = calloc(count + 1, sizeof(*shown));
	hs_autofree bool *chosen = calloc(count + 1, sizeof(*chosen));
	char line[256];
	int rc;

	if (!shown || !chosen)
		return hs_error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct hs_device *dev = hs_device_list_get(list, i);

		if (!dev->hidraw)
			continue;
		shown[with_node++] = dev;
		list_device(dev, with_node);
	}
	if (!with_node)
		return hs_error_set(err, -ENODEV, "no HID device with a hidraw node is there");
	fprintf(stderr, "Which ones (numbers)? ");
	if (!fgets(line, sizeof(line), stdin))
		return hs_error_set(err, -ECANCELED, "no device chosen");
	rc = parse_choice(line, with_node, chosen, err);
	for (size_t i = 0; !rc && i < with_node; i++)
		if (chosen[i])
			devs[(*n)++] = shown[i];
	return rc;
}

static int find_devices(const struct hs_device_list *list, char **specs, size_t n_specs,
			const struct hs_device **devs, size_t *n, struct hs_error *err)
{
	for (size_t i = 0; i < n_specs; i++) {
		int rc = hs_device_list_find(list, specs[i], &devs[*n], err);

		if (rc < 0)
			return rc;
		for (size_t j = 0; j < *n; j++)
			if (devs[j] == devs[*n])
				return hs_error_set(err, -EINVAL, "%s: named twice",
						    devs[j]->sysname);
		(*n)++;
	}
	return 0;
}

static int open_sources(struct session *s, const struct hs_device **devs, size_t n,
			struct hs_error *err)
{
	s->sources = calloc(n, sizeof(*s->sources));
	s->rec = hs_recording_new();
	if (!s->sources || !s->rec)
		return hs_error_set(err, -ENOMEM, "out of memory");
	s->n_sources = n;
	for (size_t i = 0; i < n; i++)
		s->sources[i].fd = -1;
	for (size_t i = 0; i < n; i++) {
		uint8_t rdesc[HS_RDESC_MAX];
		struct hs_recorded_device dev = {
			.number = (int)i,
			.name = devs[i]->name,
			.phys = devs[i]->phys,
			.uniq = devs[i]->uniq,
			.id = devs[i]->id,
			.rdesc = rdesc,
		};
		int rc;

		s->sources[i].dev = devs[i];
		s->sources[i].fd = hs_hidraw_open(devs[i], err);
		if (s->sources[i].fd < 0)
			return s->sources[i].fd;
		s->n_open++;
		rc = hs_device_read_rdesc(devs[i], rdesc, &dev.rdesc_size, err);
		if (rc < 0)
			return rc;
		rc = hs_recording_add_device(s->rec, &dev);
		if (rc < 0)
			return hs_error_set(err, rc, "%s: %s", devs[i]->sysname, strerror(-rc));
	}
	return 0;
}

static int open_output(struct session *s, struct hs_error *err)
{
	s->out = stdout;
	if (!s->opts->output || !strcmp(s->opts->output, "-"))
		return 0;
	s->out = fopen(s->opts->output, "we");
	if (!s->out)
		return hs_error_set(err, -errno, "%s: %s", s->opts->output, strerror(errno));
	s->out_opened = true;
	return 0;
}

static int output_error(const struct session *s, struct hs_error *err)
{
	return hs_error_set(err, -EIO, "%s: %s",
			    s->out_opened ? s->opts->output : "standard output", strerror(errno));
}

static int flush(struct session *s, struct hs_error *err)
{
	return fflush(s->out) || ferror(s->out) ? output_error(s, err) : 0;
}

/* The descriptor in words comes first: a reader of the file meets it first. */
static void write_description(struct session *s)
{
	for (size_t i = 0; i < s->n_sources; i++) {
		const struct hs_recorded_device *dev = hs_recording_device(s->rec, i);
		char name[HS_ESCAPE_SIZE(128)];

		fprintf(s->out, "# %s %s\n", s->sources[i].dev->sysname,
			hs_escape(dev->name, name, sizeof(name)));
		hs_rdesc_print(dev->rdesc, dev->rdesc_size, "# ", s->out, NULL);
	}
}

static int write_head(struct session *s, struct hs_error *err)
{
	if (!s->opts->plain)
		write_description(s);
	hs_recording_write_devices(s->rec, s->out);
	s->last = (unsigned int)s->n_sources - 1;
	return flush(s, err);
}

static int write_entry(struct session *s, struct hs_entry *entry, struct hs_error *err)
{
	if (!s->started) {
		s->started = true;
		s->start_us = entry->time_us;
	}
	entry->time_us -= s->start_us;
	return hs_recording_write_entry(s->rec, entry, &s->last, s->out) < 0 ? output_error(s, err)
									     : 0;
}

static int source_gone(struct session *s, size_t index, struct hs_error *err)
{
	struct hs_entry entry = {
		.type = HS_ENTRY_UNPLUG,
		.device = (unsigned int)index,
		.time_us = now_us(),
	};

	close(s->sources[index].fd);
	s->sources[index].fd = -1;
	s->n_open--;
	if (!s->opts->quiet)
		fprintf(stderr, "%s: went away\n", s->sources[index].dev->sysname);
	return write_entry(s, &entry, err);
}

/* Take all that a device has said. */
static int drain(struct session *s, size_t index, struct hs_error *err)
{
	uint8_t buf[HS_REPORT_MAX];
	ssize_t n;

	while ((n = hs_hidraw_read(s->sources[index].fd, buf)) > 0) {
		struct hs_entry entry = {
			.type = HS_ENTRY_INPUT,
			.device = (unsigned int)index,
			.time_us = now_us(),
			.input = { buf, (size_t)n },
		};
		int rc = write_entry(s, &entry, err);

		if (rc < 0)
			return rc;
		s->n_reports++;
	}
	if (n == -ENODEV)
		return source_gone(s, index, err);
	return n < 0 ? hs_error_set(err, (int)n, "%s: %s", s->sources[index].dev->sysname,
				    strerror((int)-n))
		     : 0;
}

/* Signals that end the recording, as a file descriptor. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
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
	int fd;

	if (seconds <= 0)
		return -1;
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (fd >= 0)
		timerfd_settime(fd, 0, &its, NULL);
	return fd;
}

/*
 * @return 1 when told to end, 0 when the last device has gone, or a negative errno
 */
static int record(struct session *s, struct hs_error *err)
{
	hs_autofree struct pollfd *fds = calloc(s->n_sources + 2, sizeof(*fds));
	hs_autoclose int signals = open_signals();
	hs_autoclose int timer = open_timer(s->opts->duration);
	int rc = 0;

	if (!fds || signals < 0 || (s->opts->duration > 0 && timer < 0))
		return hs_error_set(err, -errno, "record: %s", strerror(errno));
	while (!rc && s->n_open) {
		bool end;

		for (size_t i = 0; i < s->n_sources; i++)
			fds[i] = (struct pollfd){ .fd = s->sources[i].fd, .events = POLLIN };
		fds[s->n_sources] = (struct pollfd){ .fd = signals, .events = POLLIN };
		fds[s->n_sources + 1] = (struct pollfd){ .fd = timer, .events = POLLIN };
		if (poll(fds, s->n_sources + 2, -1) < 0 && errno != EINTR)
			return hs_error_set(err, -errno, "record: %s", strerror(errno));
		/* What was said before the signal belongs into the file. */
		end = fds[s->n_sources].revents || fds[s->n_sources + 1].revents;
		for (size_t i = 0; !rc && i < s->n_sources; i++)
			if (fds[i].revents)
				rc = drain(s, i, err);
		if (!rc)
			rc = flush(s, err);
		if (!rc && end)
			rc = 1;
	}
	return rc;
}

static void close_session(struct session *s)
{
	for (size_t i = 0; i < s->n_sources; i++)
		if (s->sources[i].fd >= 0)
			close(s->sources[i].fd);
	free(s->sources);
	hs_recording_free(s->rec);
	if (s->out_opened)
		fclose(s->out);
}

static int record_devices(const struct options *opts, const struct hs_device **devs, size_t n,
			  struct hs_error *err)
{
	struct session s = { .opts = opts };
	int rc = open_sources(&s, devs, n, err);

	if (!rc)
		rc = open_output(&s, err);
	if (!rc)
		rc = write_head(&s, err);
	if (!rc && !opts->quiet)
		fprintf(stderr, "Recording %zu device%s; Ctrl-C ends it.\n", n, n == 1 ? "" : "s");
	if (!rc)
		rc = record(&s, err);
	if (rc >= 0 && !opts->quiet)
		fprintf(stderr, "%zu report%s recorded.\n", s.n_reports,
			s.n_reports == 1 ? "" : "s");
	close_session(&s);
	if (rc < 0)
		return hs_cli_exit_code(rc);
	return rc ? HS_EXIT_OK : HS_EXIT_NO_DEVICE;
}

static int parse_seconds(const char *text, double *out)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v > 0 && v < 1e9))
		return -EINVAL;
	*out = v;
	return 0;
}

static int parse_options(int argc, char **argv, struct options *opts, struct hs_error *err)
{
	static const struct option longopts[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "duration", required_argument, NULL, 'd' },
		{ "plain", no_argument, NULL, 'p' },
		{ "quiet", no_argument, NULL, 'q' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":o:q", longopts, NULL)) != -1) {
		switch (c) {
		case 'o':
			opts->output = optarg;
			break;
		case 'd':
			if (parse_seconds(optarg, &opts->duration) < 0)
				return hs_cli_usage(err, "record",
						    "'%s' is not a number of seconds", optarg);
			break;
		case 'p':
			opts->plain = true;
			break;
		case 'q':
			opts->quiet = true;
			break;
		case ':':
			return hs_cli_usage(err, "record", "'%s' needs a value", argv[optind - 1]);
		default:
			return hs_cli_usage(err, "record", "unknown option '%s'", argv[optind - 1]);
		}
	}
	return HS_EXIT_OK;
}

static int run(int argc, char **argv, struct hs_error *err)
{
	struct options opts = { 0 };
	struct hs_device_list *list = NULL;
	hs_autofree const struct hs_device **devs = NULL;
	size_t n = 0;
	int rc = parse_options(argc, argv, &opts, err);

	if (rc != HS_EXIT_OK)
		return rc;
	if (optind == argc && !(isatty(STDIN_FILENO) && isatty(STDERR_FILENO)))
		return hs_cli_usage(err, "record", "no device, and no terminal to ask on");

	rc = hs_device_list_open(&list, err);
	if (rc < 0)
		return hs_cli_exit_code(rc);
	devs = calloc((size_t)argc + hs_device_list_count(list) + 1, sizeof(*devs));
	if (!devs)
		rc = hs_error_set(err, -ENOMEM, "out of memory");
	else if (optind == argc)
		rc = choose(list, devs, &n, err);
	else
		rc = find_devices(list, argv + optind, (size_t)(argc - optind), devs, &n, err);
	rc = rc < 0 ? hs_cli_exit_code(rc) : record_devices(&opts, devs, n, err);
	hs_device_list_free(list);
	return rc;
}

const struct hs_command hs_cmd_record = {
	.name = "record",
	.summary = "write what devices say to a recording",
	.help = help,
	.run = run,
};
