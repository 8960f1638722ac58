// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/cli/cli.h"
#include "core/cli/fixups.h"
#include "core/cli/record.h"
#include "core/device/device.h"
#include "core/device/hidraw.h"

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
	"      --io              requests, too: see below\n"
	"      --no-rebind       do not have the device probed anew (with --io)\n"
	"      --help\n"
	"\n"
	"Reports are read from hidraw, behind the fixups that are attached.\n"
	"\n"
	"With --io the report descriptor and the reports are those before any fixup, and\n"
	"the file has all requests of kernel and fixups with the device's answers\n"
	"('# hidsmith:' lines, hidsmith-recording(5)), so that replay is the device. The\n"
	"device's driver is taken away and comes back, to have what it asks first.\n"
	"Comments tell what fixups made of a report ('# fixed'), which ones they dropped\n"
	"or injected, and what other programs asked ('# hidraw:'). Needs root and a kernel\n"
	"with HID-BPF. Of USB devices those requests of drivers are missing that go through\n"
	"usbhid's own queue (hid_hw_request) and not through HID core's raw requests.\n"
	"\n"
	"Exit status: 0; 4 if there is no such device, or the last one went away by itself;\n"
	"else see hidsmith(1).\n";

struct source {
	const struct hs_device *dev;
	int fd; /* -1 once the device has gone */
};

/* Recording by hidraw alone. */
struct session {
	const struct record_options *opts;
	struct record_file *file;
	struct source *sources;
	size_t n_sources, n_open;
};

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

static int open_sources(struct session *s, const struct hs_device *const *devs, size_t n,
			struct hs_error *err)
{
	s->sources = calloc(n, sizeof(*s->sources));
	if (!s->sources)
		return hs_error_set(err, -ENOMEM, "out of memory");
	s->n_sources = n;
	for (size_t i = 0; i < n; i++)
		s->sources[i] = (struct source){ devs[i], -1 };
	for (size_t i = 0; i < n; i++) {
		uint8_t rdesc[HS_RDESC_MAX];
		size_t size;
		int rc;

		s->sources[i].fd = hs_hidraw_open(devs[i], err);
		if (s->sources[i].fd < 0)
			return s->sources[i].fd;
		s->n_open++;
		rc = hs_device_read_rdesc(devs[i], rdesc, &size, err);
		if (!rc)
			rc = record_file_add(s->file, devs[i], rdesc, size, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int source_gone(struct session *s, size_t index, struct hs_error *err)
{
	struct hs_entry entry = {
		.type = HS_ENTRY_UNPLUG,
		.device = (unsigned int)index,
		.time_us = record_now_us(),
	};

	close(s->sources[index].fd);
	s->sources[index].fd = -1;
	s->n_open--;
	if (!s->opts->quiet)
		fprintf(stderr, "%s: went away\n", s->sources[index].dev->sysname);
	return record_file_entry(s->file, &entry, err);
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
			.time_us = record_now_us(),
			.input = { buf, (size_t)n },
		};
		int rc = record_file_entry(s->file, &entry, err);

		if (rc < 0)
			return rc;
	}
	if (n == -ENODEV)
		return source_gone(s, index, err);
	return n < 0 ? hs_error_set(err, (int)n, "%s: %s", s->sources[index].dev->sysname,
				    strerror((int)-n))
		     : 0;
}

/* @return 1 when told to end, 0 when the last device has gone, or a negative errno */
static int record_until(struct session *s, const struct record_end *end, struct hs_error *err)
{
	hs_autofree struct pollfd *fds = calloc(s->n_sources + 2, sizeof(*fds));
	size_t n = s->n_sources;
	bool stop = false;
	int rc = 0;

	if (!fds)
		return hs_error_set(err, -ENOMEM, "out of memory");
	while (!rc && !stop && s->n_open) {
		for (size_t i = 0; i < n; i++)
			fds[i] = (struct pollfd){ .fd = s->sources[i].fd, .events = POLLIN };
		fds[n] = (struct pollfd){ .fd = end->signals, .events = POLLIN };
		fds[n + 1] = (struct pollfd){ .fd = end->timer, .events = POLLIN };
		if (poll(fds, n + 2, -1) < 0 && errno != EINTR)
			return hs_error_set(err, -errno, "record: %s", strerror(errno));
		/* What was said before the signal belongs into the file. */
		stop = fds[n].revents || fds[n + 1].revents;
		for (size_t i = 0; !rc && i < n; i++)
			if (fds[i].revents)
				rc = drain(s, i, err);
		if (!rc)
			rc = record_file_flush(s->file, err);
	}
	return rc < 0 ? rc : stop;
}

static int record_hidraw(const struct record_options *opts, const struct hs_device *const *devs,
			 size_t n, struct record_file *file, struct hs_error *err)
{
	struct session s = { .opts = opts, .file = file };
	struct record_end end = { -1, -1 };
	int rc = open_sources(&s, devs, n, err);

	if (!rc)
		rc = record_begin(file, &end, opts, err);
	if (!rc && !opts->quiet)
		fprintf(stderr, "Recording %zu device%s; Ctrl-C ends it.\n", n, n == 1 ? "" : "s");
	if (!rc)
		rc = record_until(&s, &end, err);
	record_end_close(&end);
	for (size_t i = 0; i < s.n_sources; i++)
		if (s.sources[i].fd >= 0)
			close(s.sources[i].fd);
	free(s.sources);
	return rc;
}

static int record_devices(const struct record_options *opts, const struct hs_device *const *devs,
			  size_t n, struct hs_error *err)
{
	struct record_file file = { 0 };
	int rc = opts->io ? record_io(opts, devs, n, &file, err)
			  : record_hidraw(opts, devs, n, &file, err);

	if (rc >= 0 && !opts->quiet) {
		fprintf(stderr, "%zu report%s", file.n_reports, file.n_reports == 1 ? "" : "s");
		if (opts->io)
			fprintf(stderr, " and %zu request%s", file.n_requests,
				file.n_requests == 1 ? "" : "s");
		fprintf(stderr, " recorded.\n");
	}
	record_file_close(&file);
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

static int parse_options(int argc, char **argv, struct record_options *opts, struct hs_error *err)
{
	static const struct option longopts[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "duration", required_argument, NULL, 'd' },
		{ "io", no_argument, NULL, 'i' },
		{ "no-rebind", no_argument, NULL, 'n' },
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
		case 'i':
			opts->io = true;
			break;
		case 'n':
			opts->no_rebind = true;
			break;
		case 'p':
			opts->plain = true;
			break;
		case 'q':
			opts->quiet = true;
			break;
		default:
			return hs_cli_usage_getopt(err, "record", c, argv);
		}
	}
	if (opts->no_rebind && !opts->io)
		return hs_cli_usage(err, "record", "--no-rebind goes with --io");
	return HS_EXIT_OK;
}

static int run(int argc, char **argv, struct hs_error *err)
{
	struct record_options opts = { 0 };
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
