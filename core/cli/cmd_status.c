// SPDX-License-Identifier: MIT
#include "core/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/cli/fixups.h"
#include "core/cli/json.h"
#include "core/device/device.h"
#include "core/fixup/attached.h"
#include "core/fixup/pins.h"

static const char help[] =
	"usage: hidsmith status [OPTION]... [DEVICE]\n"
	"\n"
	"Shows each attached fixup: whether its links live, its programs with the number\n"
	"and time of their runs, its maps, the udev properties it has set, its settings, and\n"
	"what its jobs do: by which kind of timer they run, requests, failures, time-outs,\n"
	"the last error, and how late they started.\n"
	"\n"
	"Runs are counted while the sysctl kernel.bpf_stats_enabled is 1, or while\n"
	"'hidsmith status --watch' runs.\n"
	"\n"
	"  -w, --watch[=SECONDS]  show it again and again (default: each second)\n"
	"  -n, --count N          end after N times\n"
	"  -j, --json             with --watch, one line each time\n"
	"  -h, --help\n";

struct status_args {
	bool json;
	bool watch;
	double interval;
	unsigned long count; /* 0: until interrupted */
	const char *sysname; /* NULL for all */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static const char *state_name(enum hs_attached_state state)
{
	switch (state) {
	case HS_ATTACHED_ALIVE:
		return "alive";
	case HS_ATTACHED_GONE:
		return "gone";
	case HS_ATTACHED_DETACHED:
		return "detached";
	case HS_ATTACHED_NO_LINK:
		break;
	}
	return "no-link";
}

static const char *state_note(enum hs_attached_state state)
{
	switch (state) {
	case HS_ATTACHED_GONE:
		return "gone: the device is not there any more; 'hidsmith detach' tidies up";
	case HS_ATTACHED_DETACHED:
		return "detached: a link was detached by force; attach it again with --replace";
	case HS_ATTACHED_NO_LINK:
		return "probed: no program runs";
	case HS_ATTACHED_ALIVE:
		break;
	}
	return "alive";
}

static void print_property(const struct hs_property *p)
{
	size_t size = HS_ESCAPE_SIZE(strlen(p->value));
	hs_autofree char *buf = malloc(size);

	printf("  property %s=%s\n", p->name, buf ? hs_escape(p->value, buf, size) : "");
}

static const char *io_kind_name(enum hs_io_kind kind)
{
	switch (kind) {
	case HS_IO_KIND_TIMER_AND_WORK:
		return "timer-and-work";
	case HS_IO_KIND_SLEEPABLE_TIMER:
		return "sleepable-timer";
	case HS_IO_KIND_NOT_STARTED:
		break;
	}
	return "not-started";
}

/* "0 1 us, 12 64 us": how many started how late at most, classes that have none left out. */
static void print_latency(const struct hs_attached_job *job)
{
	const char *separator = "";

	printf("           started late by ");
	for (unsigned int i = 0; i < HS_LATENCIES; i++) {
		if (!job->latency[i])
			continue;
		if (i + 1 < HS_LATENCIES)
			printf("%s<%llu us: %llu", separator, 1ULL << i,
			       (unsigned long long)job->latency[i]);
		else
			printf("%smore: %llu", separator, (unsigned long long)job->latency[i]);
		separator = ", ";
	}
	putchar('\n');
}

/* Only what there was: most of these are 0 for ever. */
static void print_count(const char *name, uint64_t n)
{
	if (n)
		printf(", %s %llu", name, (unsigned long long)n);
}

static void print_errno(const char *name, int error)
{
	if (error)
		printf(", %s %d (%s)", name, error, strerror(error));
}

static void print_io(const struct hs_attached_io *io)
{
	printf("  io       %s%s, requests %llu", io_kind_name(io->kind), io->busy ? ", busy" : "",
	       (unsigned long long)io->requests);
	print_count("errors", io->request_errors);
	print_count("answers", io->answers);
	print_count("queue full", io->queue_full);
	print_count("probes", io->probes);
	print_count("resumes", io->resumes);
	print_errno("start failed with", io->last_errno);
	putchar('\n');
	for (size_t i = 0; i < io->n_jobs; i++) {
		const struct hs_attached_job *job = &io->jobs[i];

		printf("  job      %-28s runs %llu", job->name, (unsigned long long)job->runs);
		if (job->period_ms)
			printf(", every %u ms", job->period_ms);
		if (job->runs)
			printf(", %llu us each",
			       (unsigned long long)(job->busy_ns / job->runs / 1000));
		print_count("failures", job->failures);
		print_count("time-outs", job->timeouts);
		print_count("given up", job->given_up);
		print_count("coalesced", job->coalesced);
		print_count("missed", job->missed);
		print_errno("last error", job->last_errno);
		putchar('\n');
		if (job->runs)
			print_latency(job);
	}
}

static void print_attached(const struct hs_attached *a, bool counting)
{
	printf("%s  %s  %s\n", a->sysname, a->name, state_note(a->state));
	for (size_t i = 0; i < a->n_links; i++)
		printf("  link     %-28s id %u%s\n", a->links[i].name, a->links[i].id,
		       a->links[i].alive ? "" : ", dead");
	for (size_t i = 0; i < a->n_programs; i++) {
		const struct hs_attached_program *p = &a->programs[i];

		printf("  program  %-28s id %u, %s", p->name, p->id, p->hook);
		if (counting || p->run_count)
			printf(", %llu runs, %llu ns each", (unsigned long long)p->run_count,
			       (unsigned long long)(p->run_count ? p->run_time_ns / p->run_count
								 : 0));
		if (p->missed)
			printf(", %llu missed", (unsigned long long)p->missed);
		putchar('\n');
	}
	for (size_t i = 0; i < a->n_maps; i++)
		printf("  map      %-28s id %u, %s, %u x %u bytes\n", a->maps[i].name,
		       a->maps[i].id, a->maps[i].type, a->maps[i].max_entries,
		       a->maps[i].value_size);
	for (size_t i = 0; i < a->n_exports; i++)
		print_property(&a->exports[i]);
	for (size_t i = 0; i < a->n_settings; i++)
		printf("  setting  %s = %d\n", a->settings[i].name, a->settings[i].value);
	if (a->io)
		print_io(a->io);
}

static struct json_object *program_json(const struct hs_attached_program *p)
{
	struct json_object *o = json_object_new_object();

	hs_json_add_text(o, "name", p->name);
	hs_json_add_text(o, "hook", p->hook);
	hs_json_add_number(o, "id", p->id);
	hs_json_add_number(o, "run_count", p->run_count);
	hs_json_add_number(o, "run_time_ns", p->run_time_ns);
	hs_json_add_number(o, "missed", p->missed);
	hs_json_add_number(o, "instructions", p->instructions);
	return o;
}

static struct json_object *map_json(const struct hs_attached_map *m)
{
	struct json_object *o = json_object_new_object();

	hs_json_add_text(o, "name", m->name);
	hs_json_add_text(o, "type", m->type);
	hs_json_add_number(o, "id", m->id);
	hs_json_add_number(o, "key_size", m->key_size);
	hs_json_add_number(o, "value_size", m->value_size);
	hs_json_add_number(o, "max_entries", m->max_entries);
	return o;
}

static struct json_object *job_json(const struct hs_attached_job *job)
{
	struct json_object *o = json_object_new_object();
	struct json_object *latency = json_object_new_array();

	for (size_t i = 0; i < HS_LATENCIES; i++)
		json_object_array_add(latency, json_object_new_uint64(job->latency[i]));
	hs_json_add_text(o, "name", job->name);
	hs_json_add_number(o, "runs", job->runs);
	hs_json_add_number(o, "failures", job->failures);
	hs_json_add_number(o, "timeouts", job->timeouts);
	hs_json_add_number(o, "given_up", job->given_up);
	hs_json_add_number(o, "coalesced", job->coalesced);
	hs_json_add_number(o, "missed", job->missed);
	hs_json_add_number(o, "last_start_ns", job->last_start_ns);
	hs_json_add_number(o, "busy_ns", job->busy_ns);
	hs_json_add_number(o, "last_errno", (uint64_t)job->last_errno);
	hs_json_add_number(o, "period_ms", job->period_ms);
	json_object_object_add(o, "latency_log2_us", latency);
	return o;
}

static struct json_object *io_json(const struct hs_attached_io *io)
{
	struct json_object *o = json_object_new_object();
	struct json_object *jobs = json_object_new_array();

	for (size_t i = 0; i < io->n_jobs; i++)
		json_object_array_add(jobs, job_json(&io->jobs[i]));
	hs_json_add_text(o, "kind", io_kind_name(io->kind));
	hs_json_add_bool(o, "busy", io->busy);
	hs_json_add_bool(o, "stopped", io->stopped);
	hs_json_add_number(o, "probes", io->probes);
	hs_json_add_number(o, "resumes", io->resumes);
	hs_json_add_number(o, "requests", io->requests);
	hs_json_add_number(o, "request_errors", io->request_errors);
	hs_json_add_number(o, "answers", io->answers);
	hs_json_add_number(o, "queue_full", io->queue_full);
	hs_json_add_number(o, "last_errno", (uint64_t)io->last_errno);
	json_object_object_add(o, "jobs", jobs);
	return o;
}

static struct json_object *attached_json(const struct hs_attached *a)
{
	struct json_object *o = json_object_new_object();
	struct json_object *links = json_object_new_array();
	struct json_object *programs = json_object_new_array();
	struct json_object *maps = json_object_new_array();
	struct json_object *properties = json_object_new_object();
	struct json_object *settings = json_object_new_object();

	for (size_t i = 0; i < a->n_links; i++) {
		struct json_object *link = json_object_new_object();

		hs_json_add_text(link, "name", a->links[i].name);
		hs_json_add_number(link, "id", a->links[i].id);
		hs_json_add_bool(link, "alive", a->links[i].alive);
		json_object_array_add(links, link);
	}
	for (size_t i = 0; i < a->n_programs; i++)
		json_object_array_add(programs, program_json(&a->programs[i]));
	for (size_t i = 0; i < a->n_maps; i++)
		json_object_array_add(maps, map_json(&a->maps[i]));
	for (size_t i = 0; i < a->n_exports; i++)
		hs_json_add_text(properties, a->exports[i].name, a->exports[i].value);

	hs_json_add_text(o, "sysname", a->sysname);
	hs_json_add_text(o, "fixup", a->name);
	hs_json_add_text(o, "state", state_name(a->state));
	json_object_object_add(o, "links", links);
	json_object_object_add(o, "programs", programs);
	json_object_object_add(o, "maps", maps);
	for (size_t i = 0; i < a->n_settings; i++)
		json_object_object_add(settings, a->settings[i].name,
				       json_object_new_int(a->settings[i].value));
	json_object_object_add(o, "properties", properties);
	json_object_object_add(o, "settings", settings);
	json_object_object_add(o, "io", a->io ? io_json(a->io) : NULL);
	return o;
}

/* @kept: NULL the first time, then the same one again; the caller frees it. */
static int show(const struct status_args *args, struct hs_attached_list **kept,
		struct hs_error *err)
{
	struct json_object *root, *array;
	bool counting = hs_stats_enabled() || args->watch;
	struct hs_attached_list *list;
	int rc;

	rc = *kept ? hs_attached_list_update(*kept, err)
		   : hs_attached_list_open(args->sysname, NULL, kept, err);
	list = *kept;
	if (rc < 0)
		return rc;
	if (args->json) {
		root = json_object_new_object();
		array = json_object_new_array();
		for (size_t i = 0; i < hs_attached_list_count(list); i++)
			json_object_array_add(array, attached_json(hs_attached_list_get(list, i)));
		hs_json_add_bool(root, "counting", counting);
		json_object_object_add(root, "attached", array);
		if (args->watch)
			hs_json_print_line(root);
		else
			hs_json_print(root);
	} else {
		for (size_t i = 0; i < hs_attached_list_count(list); i++)
			print_attached(hs_attached_list_get(list, i), counting);
		if (!hs_attached_list_count(list))
			printf("no fixup is attached\n");
	}
	return 0;
}

static void wait_interval(double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds };

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	/* A signal ends it early, as it should. */
	nanosleep(&t, NULL);
}

static int watch(const struct status_args *args, struct hs_attached_list **kept,
		 struct hs_error *err)
{
	struct sigaction act = { .sa_handler = interrupt };
	hs_autoclose int stats = hs_stats_enable(err);
	bool terminal = isatty(STDOUT_FILENO) && !args->json;
	int rc = stats < 0 ? stats : 0;

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	for (unsigned long n = 0; !rc && !interrupted && !ferror(stdout); n++) {
		if (args->count && n == args->count)
			break;
		if (n)
			wait_interval(args->interval);
		if (interrupted)
			break;
		if (terminal)
			fputs("\033[H\033[2J", stdout);
		else if (n && !args->json)
			putchar('\n');
		rc = show(args, kept, err);
		fflush(stdout);
	}
	return rc;
}

static int status(struct status_args *args, const char *spec, struct hs_error *err)
{
	struct hs_attached_list *kept = NULL;
	struct hs_device_list *devices = NULL;
	const struct hs_device *dev;
	uint32_t hid_id;
	int rc = 0;

	/* A sysname is good for devices that have gone, too. */
	if (spec && hs_sysname_parse(spec, &hid_id)) {
		args->sysname = spec;
	} else if (spec) {
		rc = hs_device_list_open(&devices, err);
		if (!rc)
			rc = hs_device_list_find(devices, spec, &dev, err);
		if (!rc)
			args->sysname = dev->sysname;
	}
	if (!rc)
		rc = args->watch ? watch(args, &kept, err) : show(args, &kept, err);
	hs_attached_list_free(kept);
	hs_device_list_free(devices);
	return hs_cli_exit_code(rc);
}

static bool parse_seconds(const char *s, double *out)
{
	char *end;

	*out = strtod(s, &end);
	return *s && !*end && *out >= 0.01 && *out <= 86400;
}

static bool parse_count(const char *s, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(s, &end, 10);
	return *s >= '0' && *s <= '9' && !*end && !errno && *out;
}

static int run(int argc, char **argv, struct hs_error *err)
{
	static const struct option options[] = {
		{ "watch", optional_argument, NULL, 'w' },
		{ "count", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct status_args args = { .interval = 1 };
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":w::n:j", options, NULL)) != -1) {
		switch (c) {
		case 'w':
			args.watch = true;
			if (optarg && !parse_seconds(optarg, &args.interval))
				return hs_cli_usage(err, "status",
						    "--watch '%s': not a number of seconds",
						    optarg);
			break;
		case 'n':
			if (!parse_count(optarg, &args.count))
				return hs_cli_usage(err, "status", "--count '%s': not a number",
						    optarg);
			break;
		case 'j':
			args.json = true;
			break;
		default:
			return hs_cli_usage_getopt(err, "status", c, argv);
		}
	}
	if (args.count && !args.watch)
		return hs_cli_usage(err, "status", "--count goes with --watch");
	if (argc - optind > 1)
		return hs_cli_usage(err, "status", "'%s' is too much", argv[optind + 1]);
	return status(&args, argv[optind], err);
}

const struct hs_command hs_cmd_status = {
	.name = "status",
	.summary = "show what is attached and how it runs",
	.help = help,
	.run = run,
};
