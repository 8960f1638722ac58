// SPDX-License-Identifier: MIT
#include "core/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/cli/fixups.h"
#include "core/recording/recording.h"
#include "core/replay/replay.h"

/* A machine that stands still again and again is no place to test on. */
#define ATTEMPTS 20

static const char help[] =
	"usage: hidsmith replay [OPTION]... FILE...\n"
	"\n"
	"Plays the devices of recordings (hid-recorder's format; '-' is standard input)\n"
	"through uhid and writes the input events that come out to standard output: for\n"
	"each input node a line 'N: name', then evemu's 'E: sec.usec type code value'.\n"
	"Needs root and /dev/uhid; kernel/vm gives both.\n"
	"\n"
	"Requests in the recording ('# hidsmith:' lines) are answered as they say, and\n"
	"reports after a request are sent only when it was made. Differences are shown.\n"
	"Without such lines the device refuses to be read and accepts everything else.\n"
	"\n"
	"What to do with the result:\n"
	"      --compare FILE    compare with FILE; the events' times do not count\n"
	"      --bless FILE      write the result to FILE\n"
	"      --repeat N        play N times; a result that is not that of the first time\n"
	"                        is a difference\n"
	"      --io-log          show all requests on standard error\n"
	"      --json            a summary instead of the events\n"
	"      --dry-run         show what would be played; needs no privilege\n"
	"  -q, --quiet           no summary on standard error\n"
	"  -v, --verbose         say what happens\n"
	"\n"
	"What is played, and when (default: as fast as possible):\n"
	"      --realtime        each report at its time\n"
	"      --interval MS     one report each MS milliseconds\n"
	"      --skip-pauses     pauses of more than 2 s take half a second\n"
	"      --start SEC       leave out what was recorded before\n"
	"      --stop SEC        leave out what was recorded after\n"
	"      --wait SEC        wait before the first report\n"
	"\n"
	"Host:\n"
	"      --fixup FIXUP     attach this one, a name or an object file (repeatable), to\n"
	"                        each device that it is for\n"
	"      --auto            attach the best of the installed ones that match\n"
	"      --property NAME=VALUE  what fixups are told instead of udev's property\n"
	"                        NAME (repeatable)\n"
	"      --set NAME=VALUE  a setting for the fixups that have it (repeatable), instead\n"
	"                        of their default\n"
	"      --unfixed         no fixup is there to make the recording's requests: the\n"
	"                        first one that does not come ends the device's part\n"
	"      --timeout SEC     how long to wait for a driver and for a request\n"
	"                        (default 10)\n"
	"      --no-grab         let others have the events, too\n"
	"      --verify          count through hidraw what reports the kernel took\n"
	"\n"
	"Exit status: 0; 3 when events or requests differ from what is expected; else\n"
	"see hidsmith(1).\n";

struct options {
	struct hs_replay_opts replay;
	const char *compare;
	const char *bless;
	const char **fixup_specs; /* as given with --fixup */
	size_t n_fixup_specs;
	struct hs_property *properties;
	struct hs_property *settings;
	bool automatic;
	unsigned int repeat;
	bool io_log;
	bool json;
	bool dry_run;
	bool quiet;
	bool verbose;
};

static volatile int cancelled;

static void on_signal(int number)
{
	cancelled = number;
}

static void print_log(const char *text, void *data)
{
	(void)data;
	fprintf(stderr, "%s\n", text);
}

/* --- arguments --- */

enum {
	OPT_COMPARE = 256,
	OPT_BLESS,
	OPT_IO_LOG,
	OPT_JSON,
	OPT_DRY_RUN,
	OPT_REALTIME,
	OPT_INTERVAL,
	OPT_SKIP_PAUSES,
	OPT_START,
	OPT_STOP,
	OPT_WAIT,
	OPT_UNFIXED,
	OPT_TIMEOUT,
	OPT_NO_GRAB,
	OPT_VERIFY,
	OPT_FIXUP,
	OPT_AUTO,
	OPT_PROPERTY,
	OPT_SET,
	OPT_REPEAT,
};

static const struct option long_options[] = {
	{ "compare", required_argument, NULL, OPT_COMPARE },
	{ "bless", required_argument, NULL, OPT_BLESS },
	{ "io-log", no_argument, NULL, OPT_IO_LOG },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "realtime", no_argument, NULL, OPT_REALTIME },
	{ "interval", required_argument, NULL, OPT_INTERVAL },
	{ "skip-pauses", no_argument, NULL, OPT_SKIP_PAUSES },
	{ "start", required_argument, NULL, OPT_START },
	{ "stop", required_argument, NULL, OPT_STOP },
	{ "wait", required_argument, NULL, OPT_WAIT },
	{ "unfixed", no_argument, NULL, OPT_UNFIXED },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "no-grab", no_argument, NULL, OPT_NO_GRAB },
	{ "verify", no_argument, NULL, OPT_VERIFY },
	{ "fixup", required_argument, NULL, OPT_FIXUP },
	{ "auto", no_argument, NULL, OPT_AUTO },
	{ "property", required_argument, NULL, OPT_PROPERTY },
	{ "set", required_argument, NULL, OPT_SET },
	{ "repeat", required_argument, NULL, OPT_REPEAT },
	{ 0 },
};

/* "1.5" of a unit that is @unit_us microseconds; at most a day of seconds. */
static int parse_time(const char *text, uint64_t unit_us, uint64_t *us)
{
	double value;
	char *end;

	if ((*text < '0' || *text > '9') && *text != '.')
		return -EINVAL;
	errno = 0;
	value = strtod(text, &end);
	if (errno || *end || end == text || !(value >= 0) || value > 86400)
		return -EINVAL;
	*us = (uint64_t)(value * (double)unit_us + 0.5);
	return 0;
}

static int parse_time_option(const char *name, const char *text, uint64_t unit_us, uint64_t *us,
			     struct hs_error *err)
{
	if (!parse_time(text, unit_us, us))
		return HS_EXIT_OK;
	return hs_cli_usage(err, "replay", "--%s %s: not a number from 0 to 86400", name, text);
}

static int out_of_memory(struct hs_error *err)
{
	hs_error_set(err, -ENOMEM, "out of memory");
	return HS_EXIT_FAILURE;
}

static int add_fixup(struct options *o, const char *spec, struct hs_error *err)
{
	const char **all =
		realloc(o->fixup_specs, (o->n_fixup_specs + 1) * sizeof(*o->fixup_specs));

	if (!all)
		return out_of_memory(err);
	all[o->n_fixup_specs++] = spec;
	o->fixup_specs = all;
	return HS_EXIT_OK;
}

/* NAME=VALUE, one more of @all. */
static int add_pair(struct hs_property **all, size_t *n, const char *option, char *arg,
		    struct hs_error *err)
{
	char *value = strchr(arg, '=');
	struct hs_property *grown;

	if (!value || value == arg)
		return hs_cli_usage(err, "replay", "--%s %s: not NAME=VALUE", option, arg);
	grown = realloc(*all, (*n + 1) * sizeof(*grown));
	if (!grown)
		return out_of_memory(err);
	*value++ = '\0';
	grown[(*n)++] = (struct hs_property){ .name = arg, .value = value };
	*all = grown;
	return HS_EXIT_OK;
}

static int parse_repeat(struct options *o, const char *arg, struct hs_error *err)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (errno || *arg < '0' || *arg > '9' || *end || !n || n > 1000000)
		return hs_cli_usage(err, "replay", "--repeat %s: not a number from 1 to 1000000",
				    arg);
	o->repeat = (unsigned int)n;
	return HS_EXIT_OK;
}

static int parse_option(struct options *o, int option, char *arg, struct hs_error *err)
{
	struct hs_replay_opts *r = &o->replay;
	uint64_t us = 0;
	int rc;

	switch (option) {
	case OPT_COMPARE:
		o->compare = arg;
		return HS_EXIT_OK;
	case OPT_BLESS:
		o->bless = arg;
		return HS_EXIT_OK;
	case OPT_IO_LOG:
		o->io_log = true;
		return HS_EXIT_OK;
	case OPT_JSON:
		o->json = true;
		return HS_EXIT_OK;
	case OPT_DRY_RUN:
		o->dry_run = true;
		return HS_EXIT_OK;
	case 'q':
		o->quiet = true;
		return HS_EXIT_OK;
	case 'v':
		o->verbose = true;
		return HS_EXIT_OK;
	case OPT_REALTIME:
		r->realtime = true;
		return HS_EXIT_OK;
	case OPT_INTERVAL:
		rc = parse_time_option("interval", arg, 1000, &r->plan.interval_us, err);
		if (!rc && !r->plan.interval_us)
			rc = hs_cli_usage(err, "replay", "--interval 0: the default is no pause");
		return rc;
	case OPT_SKIP_PAUSES:
		r->plan.skip_pauses = true;
		return HS_EXIT_OK;
	case OPT_START:
		return parse_time_option("start", arg, 1000000, &r->plan.start_us, err);
	case OPT_STOP:
		return parse_time_option("stop", arg, 1000000, &r->plan.stop_us, err);
	case OPT_WAIT:
		return parse_time_option("wait", arg, 1000000, &r->wait_us, err);
	case OPT_UNFIXED:
		r->unfixed = true;
		return HS_EXIT_OK;
	case OPT_TIMEOUT:
		rc = parse_time_option("timeout", arg, 1000000, &us, err);
		r->timeout_ms = (unsigned int)(us / 1000);
		if (!rc && !r->timeout_ms)
			rc = hs_cli_usage(err, "replay", "--timeout %s: too short", arg);
		return rc;
	case OPT_NO_GRAB:
		r->no_grab = true;
		return HS_EXIT_OK;
	case OPT_VERIFY:
		r->verify = true;
		return HS_EXIT_OK;
	case OPT_FIXUP:
		return add_fixup(o, arg, err);
	case OPT_AUTO:
		o->automatic = true;
		return HS_EXIT_OK;
	case OPT_PROPERTY:
		rc = add_pair(&o->properties, &r->n_properties, "property", arg, err);
		r->properties = o->properties;
		return rc;
	case OPT_SET:
		rc = add_pair(&o->settings, &r->n_settings, "set", arg, err);
		r->settings = o->settings;
		return rc;
	case OPT_REPEAT:
		return parse_repeat(o, arg, err);
	default:
		return HS_EXIT_USAGE;
	}
}

static int parse_arguments(struct options *o, int argc, char **argv, struct hs_error *err)
{
	int option, rc;

	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":qv", long_options, NULL)) != -1) {
		if (option == ':' || option == '?')
			return hs_cli_usage_getopt(err, "replay", option, argv);
		rc = parse_option(o, option, optarg, err);
		if (rc)
			return rc;
	}
	if (optind == argc)
		return hs_cli_usage(err, "replay", "no recording");
	if (argc - optind > 1 && (o->compare || o->bless))
		return hs_cli_usage(err, "replay", "--%s is for one recording, not %d",
				    o->compare ? "compare" : "bless", argc - optind);
	if (o->replay.plan.stop_us && o->replay.plan.stop_us < o->replay.plan.start_us)
		return hs_cli_usage(err, "replay", "--stop is before --start");
	if (o->replay.unfixed && (o->automatic || o->n_fixup_specs))
		return hs_cli_usage(err, "replay", "--unfixed is for a host without fixups");
	if ((o->replay.n_settings || o->replay.n_properties) && !o->automatic && !o->n_fixup_specs)
		return hs_cli_usage(err, "replay",
				    "--%s is for fixups: give --fixup or --auto, too",
				    o->replay.n_settings ? "set" : "property");
	if (o->replay.realtime && o->replay.plan.interval_us)
		return hs_cli_usage(err, "replay", "--realtime and --interval exclude each other");
	return HS_EXIT_OK;
}

/* --- --dry-run --- */

static void show_device(const struct hs_recorded_device *dev)
{
	char name[HS_ESCAPE_SIZE(256)];

	printf("device %d: %04x:%04x:%04x '%s', descriptor of %zu bytes\n", dev->number,
	       dev->id.bus, dev->id.vendor, dev->id.product,
	       hs_escape(dev->name, name, sizeof(name)), dev->rdesc_size);
}

static void show_step(const struct hs_plan_step *step, size_t n_devices)
{
	const struct hs_entry *entry = step->entry;
	size_t size = 128;
	hs_autofree char *text = NULL;

	printf("%06" PRIu64 ".%06" PRIu64 " ", step->time_us / 1000000, step->time_us % 1000000);
	if (n_devices > 1)
		printf("[%u] ", entry->device);
	switch (entry->type) {
	case HS_ENTRY_INPUT:
		printf("input %zu", entry->input.size);
		for (size_t i = 0; i < entry->input.size; i++)
			printf(" %02x", entry->input.data[i]);
		break;
	case HS_ENTRY_REQUEST:
		size += 3 * (entry->request.size + entry->request.answer_size);
		text = malloc(size);
		if (text)
			printf("%s", hs_request_format(&entry->request, text, size));
		break;
	case HS_ENTRY_UNPLUG:
		printf("unplug");
		break;
	case HS_ENTRY_COMMENT:
		break;
	}
	putchar('\n');
}

static int dry_run(const struct hs_recording *rec, const struct options *o, struct hs_error *err)
{
	size_t n_devices = hs_recording_device_count(rec);
	struct hs_plan plan;
	int rc = hs_plan_make(rec, &o->replay.plan, &plan, err);

	if (rc)
		return hs_cli_exit_code(rc);
	for (size_t i = 0; i < n_devices; i++)
		show_device(hs_recording_device(rec, i));
	for (size_t i = 0; i < plan.count; i++)
		show_step(&plan.steps[i], n_devices);
	hs_plan_free(&plan);
	return HS_EXIT_OK;
}

/* --- results --- */

static void add_string(struct json_object *to, const char *key, const char *text)
{
	size_t size = HS_ESCAPE_SIZE(strlen(text));
	hs_autofree char *utf8 = malloc(size);

	if (utf8)
		json_object_object_add(to, key, json_object_new_string(hs_utf8(text, utf8, size)));
}

static struct json_object *nodes_json(const struct hs_capture *capture)
{
	struct json_object *nodes = json_object_new_array();

	for (size_t i = 0; i < capture->count; i++) {
		struct json_object *node = json_object_new_object();

		add_string(node, "name", capture->nodes[i].name);
		json_object_object_add(node, "events",
				       json_object_new_int64((int64_t)capture->nodes[i].count));
		json_object_array_add(nodes, node);
	}
	return nodes;
}

static struct json_object *result_json(const char *path, const struct hs_recording *rec,
				       const struct hs_replay *r)
{
	struct json_object *o = json_object_new_object();
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{ "devices", hs_recording_device_count(rec) },
		{ "reports", r->plan.inputs },
		{ "sent", r->sent },
		{ "received", r->received },
		{ "withheld", r->withheld },
		{ "events", hs_capture_event_count(&r->capture) },
		{ "syn_dropped", r->syn_dropped },
		{ "attached", r->attached },
		{ "requests", r->requests.seen },
		{ "differences", r->requests.differences },
		{ "play_us", r->play_us },
		{ "stalled_ms", r->stalled_ms },
	};

	add_string(o, "file", path);
	for (size_t i = 0; i < HS_ARRAY_SIZE(numbers); i++)
		json_object_object_add(o, numbers[i].key,
				       json_object_new_int64((int64_t)numbers[i].value));
	json_object_object_add(o, "nodes", nodes_json(&r->capture));
	return o;
}

static void print_json(const char *path, const struct hs_recording *rec, const struct hs_replay *r)
{
	struct json_object *o = result_json(path, rec, r);

	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void print_summary(const char *path, const struct hs_replay *r)
{
	fprintf(stderr, "%s: %zu of %zu reports, %zu events of %zu nodes, %zu requests, %.3f s\n",
		path, r->sent, r->plan.inputs, hs_capture_event_count(&r->capture),
		r->capture.count, r->requests.seen, (double)r->play_us / 1e6);
	if (r->withheld)
		fprintf(stderr, "%s: %zu reports withheld: the device waits for a request\n", path,
			r->withheld);
	if (r->syn_dropped)
		fprintf(stderr, "%s: events were lost %zu times (SYN_DROPPED)\n", path,
			r->syn_dropped);
}

/* @differs is set when events or requests are not what they should be. */
static int compare(const char *path, const struct options *o, const struct hs_replay *r,
		   bool *differs, struct hs_error *err)
{
	struct hs_capture expected = { 0 };
	int rc;

	if (r->requests.differences) {
		fprintf(stderr, "--- %s, requests\n+++ host\n", path);
		hs_replay_write_requests(r, false, stderr);
		*differs = true;
	}
	if (!o->compare)
		return 0;
	rc = hs_capture_load(&expected, o->compare, err);
	if (!rc && !hs_capture_equal(&expected, &r->capture)) {
		*differs = true;
		rc = hs_capture_diff(&expected, &r->capture, o->compare, path, stderr);
		if (rc)
			hs_error_set(err, rc, "%s: %s", path, strerror(-rc));
	}
	hs_capture_clear(&expected);
	return rc;
}

static int report(const char *path, const struct options *o, const struct hs_recording *rec,
		  const struct hs_replay *r, struct hs_error *err)
{
	bool differs = false;
	int rc;

	if (o->json)
		print_json(path, rec, r);
	else if (!o->compare && !o->bless)
		hs_capture_write(&r->capture, stdout);
	if (!o->quiet)
		print_summary(path, r);
	if (o->io_log)
		hs_replay_write_requests(r, true, stderr);
	rc = compare(path, o, r, &differs, err);
	/* What is not whole is nothing to compare with. */
	if (!rc && o->bless && !r->syn_dropped)
		rc = hs_capture_save(&r->capture, o->bless, err);
	if (rc)
		return hs_cli_exit_code(rc);
	if (r->syn_dropped) {
		hs_error_set(err, -EIO, "%s: the kernel lost events (SYN_DROPPED)%s%s%s", path,
			     o->bless ? "; " : "", o->bless ? o->bless : "",
			     o->bless ? " is not written" : "");
		return HS_EXIT_FAILURE;
	}
	if (!differs)
		return HS_EXIT_OK;
	if (o->compare && r->requests.differences)
		hs_error_set(err, -EINVAL, "%s: requests or events differ from %s", path,
			     o->compare);
	else if (o->compare)
		hs_error_set(err, -EINVAL, "%s: events differ from %s", path, o->compare);
	else
		hs_error_set(err, -EINVAL, "%s: requests differ from the recording", path);
	return HS_EXIT_DIFFERENT;
}

/* Timers of the kernel that ran because the machine stood still spoil the result. */
static int play(const char *path, const struct options *o, const struct hs_recording *rec,
		struct hs_replay *r, struct hs_error *err)
{
	for (int attempt = 1;; attempt++) {
		int rc = hs_replay_run(rec, &o->replay, r, err);

		if (rc || !r->stalled_ms)
			return rc;
		if (o->verbose)
			fprintf(stderr, "%s: the machine stood still for %u ms before line %u\n",
				path, r->stalled_ms, r->stalled_line);
		if (attempt == ATTEMPTS)
			return hs_error_set(
				err, -EBUSY,
				"%s: the machine stood still in each of %d attempts, "
				"so the kernel's timers may have run; is it overloaded?",
				path, ATTEMPTS);
		hs_replay_clear(r);
	}
}

/* Play again and compare with the first time. */
static int repeat(const char *path, const struct options *o, const struct hs_recording *rec,
		  const struct hs_replay *first, struct hs_error *err)
{
	for (unsigned int i = 2; i <= o->repeat; i++) {
		struct hs_replay r = { 0 };
		char name[32];
		int rc = play(path, o, rec, &r, err);

		rc = rc ? hs_cli_exit_code(rc) : HS_EXIT_OK;
		if (!rc && !hs_capture_equal(&first->capture, &r.capture)) {
			snprintf(name, sizeof(name), "time %u", i);
			hs_capture_diff(&first->capture, &r.capture, "first time", name, stderr);
			hs_error_set(err, -EINVAL, "%s: %s gave other events than the first", path,
				     name);
			rc = HS_EXIT_DIFFERENT;
		}
		hs_replay_clear(&r);
		if (rc)
			return rc;
	}
	return HS_EXIT_OK;
}

static int replay_file(const char *path, const struct options *o, struct hs_error *err)
{
	struct hs_recording *rec = NULL;
	struct hs_replay result = { 0 };
	int rc = hs_recording_read(path, &rec, err);

	if (rc)
		return hs_cli_exit_code(rc);
	if (o->dry_run) {
		rc = dry_run(rec, o, err);
		goto out;
	}
	rc = play(path, o, rec, &result, err);
	rc = rc ? hs_cli_exit_code(rc) : report(path, o, rec, &result, err);
	if (!rc)
		rc = repeat(path, o, rec, &result, err);
	hs_replay_clear(&result);
out:
	hs_recording_free(rec);
	return rc;
}

/* The fixups of one run of the command. */
struct fixups {
	struct hs_fixup_set *set;
	struct hs_fixup **named;
	struct hs_fixup **opened; /* what of them is not the set's */
	size_t count;
};

static int open_fixups(struct fixups *f, struct options *o, struct hs_error *err)
{
	int rc;

	if (!o->n_fixup_specs && !o->automatic)
		return HS_EXIT_OK;
	rc = hs_fixup_set_open(hs_cli_bpf_path(), 0, &f->set, err);
	if (rc)
		return hs_cli_exit_code(rc);
	for (size_t i = 0; i < hs_fixup_set_problem_count(f->set); i++)
		fprintf(stderr, "%s\n", hs_fixup_set_problem(f->set, i));

	f->named = calloc(o->n_fixup_specs + 1, sizeof(struct hs_fixup *));
	f->opened = calloc(o->n_fixup_specs + 1, sizeof(struct hs_fixup *));
	if (!f->named || !f->opened)
		return out_of_memory(err);
	for (; f->count < o->n_fixup_specs; f->count++) {
		f->named[f->count] = hs_cli_find_fixup(f->set, o->fixup_specs[f->count],
						       &f->opened[f->count], err);
		if (!f->named[f->count])
			return hs_cli_exit_code(err->code);
	}
	o->replay.fixups = f->named;
	o->replay.n_fixups = f->count;
	o->replay.set = o->automatic ? f->set : NULL;
	return HS_EXIT_OK;
}

static void close_fixups(struct fixups *f)
{
	for (size_t i = 0; i < f->count; i++)
		hs_fixup_free(f->opened[i]);
	free(f->named);
	free(f->opened);
	hs_fixup_set_free(f->set);
}

static int run(int argc, char **argv, struct hs_error *err)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct fixups fixups = { 0 };
	struct options o = { 0 };
	int rc = parse_arguments(&o, argc, argv, err);

	if (!rc)
		rc = open_fixups(&fixups, &o, err);
	o.replay.cancel = &cancelled;
	if (o.verbose)
		o.replay.log = print_log;
	/* The device must be taken away: a key that is down would stay down. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);

	for (int i = optind; i < argc && !rc; i++)
		rc = replay_file(argv[i], &o, err);
	close_fixups(&fixups);
	free(o.fixup_specs);
	free(o.properties);
	free(o.settings);
	return rc;
}

const struct hs_command hs_cmd_replay = {
	.name = "replay",
	.summary = "play a recording through uhid and write the events that come out",
	.help = help,
	.run = run,
};
