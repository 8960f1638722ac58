// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "core/base/util.h"
#include "core/cli/cli.h"
#include "core/cli/json.h"
#include "core/device/hidio.h"
#include "core/hid/report-text.h"

static const char help[] =
	"usage: hidsmith io [--json] DEVICE REQUEST [then REQUEST]...\n"
	"\n"
	"Tries requests on a device, shows its answers in the words of its report descriptor,\n"
	"and the lines that a fixup's job and a recording need for the same. A REQUEST is\n"
	"\n"
	"  get-feature ID [SIZE]   GET_REPORT(Feature), of SIZE bytes if the descriptor does\n"
	"                          not tell\n"
	"  get-input ID [SIZE]     GET_REPORT(Input)\n"
	"  set-feature BYTES       SET_REPORT(Feature)\n"
	"  set-output BYTES        SET_REPORT(Output)\n"
	"  output BYTES            an output report over the interrupt pipe\n"
	"  wait MS [BYTES]         the next input report within MS milliseconds that begins\n"
	"                          with BYTES; ?? is any byte\n"
	"\n"
	"ID and BYTES are hex: '02 b0 04' or 02b004. The first byte is the report ID, or 00\n"
	"for a device without report IDs. Reports that are shorter than described are\n"
	"filled up with zeros. A 'wait' sees what came since the command began:\n"
	"\n"
	"  hidsmith io 057e:2009 output 80 02 then wait 500 81 02\n"
	"\n"
	"Other programs and fixups talk to the device meanwhile; detach a fixup first if its\n"
	"requests disturb.\n"
	"\n"
	"  --json  one JSON object for each request, in one line\n"
	"  --help\n"
	"\n"
	"Exit status: 0; 1 when the device refuses a request or a wait ends without a report;\n"
	"4 if there is no such device; else see hidsmith(1).\n";

enum kind { REQUEST, WAIT };

/* One REQUEST of the command line. */
struct step {
	enum kind kind;
	struct hs_request req;
	size_t ask; /* bytes to ask a get request for, 0: what the descriptor says */
	int timeout_ms; /* of a wait */
	uint8_t data[HS_REPORT_MAX], mask[HS_REPORT_MAX];
	size_t size; /* of data */
};

struct talk {
	const struct hs_device *dev;
	struct hs_rdesc *rdesc; /* NULL if it does not parse */
	struct hs_hidio *io;
	bool json;
};

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* ---------------------------------------------------------------- arguments */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "02b004", "02", "0x02" and, with @wild, "??" */
static int add_bytes(struct step *step, const char *word, bool wild)
{
	const char *s = !strncmp(word, "0x", 2) ? word + 2 : word;
	size_t len = strlen(s);

	if (len == 1)
		len = 2; /* a lone digit */
	for (size_t i = 0; i < len; i += 2) {
		int high = strlen(s) == 1 ? 0 : hex_value(s[i]);
		int low = strlen(s) == 1 ? hex_value(s[0]) : hex_value(s[i + 1]);
		bool any = wild && s[i] == '?' && s[i + 1] == '?';

		if ((!any && (high < 0 || low < 0)) || step->size == HS_REPORT_MAX)
			return -EINVAL;
		step->data[step->size] = any ? 0 : (uint8_t)(high << 4 | low);
		step->mask[step->size++] = any ? 0 : 0xff;
	}
	return len ? 0 : -EINVAL;
}

static int parse_number(const char *word, unsigned long max, unsigned long *out)
{
	char *end;

	*out = strtoul(word, &end, 10);
	return end == word || *end || *out > max ? -EINVAL : 0;
}

static int parse_get(struct step *step, char **words, size_t n, struct hs_error *err)
{
	unsigned long ask = 0;

	if (n < 2 || n > 3)
		return hs_cli_usage(err, "io", "%s takes a report ID", words[0]);
	if (add_bytes(step, words[1], false) < 0 || step->size != 1)
		return hs_cli_usage(err, "io", "'%s' is not a report ID (two hex digits)",
				    words[1]);
	if (n == 3 && (parse_number(words[2], HS_REPORT_MAX, &ask) < 0 || !ask))
		return hs_cli_usage(err, "io", "'%s' is not a size from 1 to %d", words[2],
				    HS_REPORT_MAX);
	step->req.report_id = step->data[0];
	step->size = 0;
	step->ask = ask;
	return HS_EXIT_OK;
}

static int parse_wait(struct step *step, char **words, size_t n, struct hs_error *err)
{
	unsigned long ms;

	step->kind = WAIT;
	if (n < 2 || parse_number(words[1], 86400000, &ms) < 0)
		return hs_cli_usage(err, "io", "wait takes a number of milliseconds");
	step->timeout_ms = (int)ms;
	for (size_t i = 2; i < n; i++)
		if (add_bytes(step, words[i], true) < 0)
			return hs_cli_usage(err, "io", "'%s' is no hex byte", words[i]);
	return HS_EXIT_OK;
}

static int parse_step(struct step *step, char **words, size_t n, struct hs_error *err)
{
	static const struct {
		const char *name;
		enum hs_request_type type;
	} names[] = {
		{ "output", HS_REQUEST_OUTPUT },
		{ "set-output", HS_REQUEST_SET_OUTPUT },
		{ "set-feature", HS_REQUEST_SET_FEATURE },
		{ "get-feature", HS_REQUEST_GET_FEATURE },
		{ "get-input", HS_REQUEST_GET_INPUT },
	};
	size_t i = 0;

	if (!n)
		return hs_cli_usage(err, "io", "no request");
	if (!strcmp(words[0], "wait"))
		return parse_wait(step, words, n, err);
	while (i < HS_ARRAY_SIZE(names) && strcmp(names[i].name, words[0]))
		i++;
	if (i == HS_ARRAY_SIZE(names))
		return hs_cli_usage(err, "io", "'%s' is no request", words[0]);
	step->req.type = names[i].type;
	if (step->req.type == HS_REQUEST_GET_FEATURE || step->req.type == HS_REQUEST_GET_INPUT)
		return parse_get(step, words, n, err);
	if (n < 2)
		return hs_cli_usage(err, "io", "%s takes bytes", words[0]);
	for (i = 1; i < n; i++)
		if (add_bytes(step, words[i], false) < 0)
			return hs_cli_usage(err, "io", "'%s' is no hex byte", words[i]);
	return HS_EXIT_OK;
}

/* Steps are apart by the word "then". */
static int parse_steps(char **words, size_t n, struct step *steps, size_t *n_steps,
		       struct hs_error *err)
{
	size_t start = 0;

	*n_steps = 0;
	for (size_t i = 0; i <= n; i++) {
		int rc;

		if (i < n && strcmp(words[i], "then"))
			continue;
		rc = parse_step(&steps[(*n_steps)++], words + start, i - start, err);
		if (rc != HS_EXIT_OK)
			return rc;
		start = i + 1;
	}
	return HS_EXIT_OK;
}

/* ------------------------------------------------------------------- output */

static bool is_get(const struct hs_request *req)
{
	return req->type == HS_REQUEST_GET_FEATURE || req->type == HS_REQUEST_GET_INPUT;
}

/*
 * The bytes as the descriptor describes them: without the 0 that stands for the ID of
 * a device without IDs.
 */
static const uint8_t *described(const struct talk *t, enum hs_report_type type, const uint8_t *data,
				size_t *size)
{
	const struct hs_report *report = hs_rdesc_find(t->rdesc, type, 0);

	if (hs_rdesc_numbered(t->rdesc, type) || !report || *size != report->size + 1 || data[0])
		return data;
	(*size)--;
	return data + 1;
}

static void print_c_bytes(const uint8_t *data, size_t size)
{
	/* Jobs fill up with zeros themselves. */
	while (size > 1 && !data[size - 1])
		size--;
	for (size_t i = 0; i < size; i++)
		printf(", 0x%02x", data[i]);
}

/* The conditions of hs_expect(): it takes four, of the first 64 bytes. */
static void print_conditions(const struct step *wait)
{
	unsigned int n = 0;

	for (size_t i = 0; i < wait->size && i < 64 && n < 4; i++)
		if (wait->mask[i] && ++n)
			printf(", HS_BYTE(%zu, 0x%02x)", i, wait->data[i]);
}

static void print_call(const struct step *step)
{
	const struct hs_request *req = &step->req;

	switch (req->type) {
	case HS_REQUEST_OUTPUT:
		printf("hs_output(io");
		break;
	case HS_REQUEST_SET_OUTPUT:
		printf("hs_set_output(io");
		break;
	case HS_REQUEST_SET_FEATURE:
		printf("hs_set_feature(io");
		break;
	case HS_REQUEST_GET_FEATURE:
		printf("hs_get_feature(io, 0x%02x)", req->report_id);
		return;
	case HS_REQUEST_GET_INPUT:
		printf("hs_get_input(io, 0x%02x)", req->report_id);
		return;
	}
	print_c_bytes(req->data, req->size);
	printf(")");
}

/* What a job needs for this step and, if that is a wait, the next one. */
static void print_job(const struct step *step, const struct step *next)
{
	printf("  job:   ");
	if (next && next->kind == WAIT) {
		printf("hs_expect(io, %d", next->timeout_ms);
		print_conditions(next);
		printf(");\n         return ");
		print_call(step);
		printf(" ?: hs_wait(io, 1);\n");
		return;
	}
	print_call(step);
	printf(";\n");
}

static void print_trace(const struct hs_request *req)
{
	char text[2 * 3 * HS_REPORT_MAX + 128];

	printf("  trace: # hidsmith: * %s\n", hs_request_format(req, text, sizeof(text)));
}

static void print_report(const struct talk *t, enum hs_report_type type, const uint8_t *data,
			 size_t size)
{
	for (size_t i = 0; i < size; i++)
		printf(i ? " %02x" : "  %02x", data[i]);
	putchar('\n');
	if (!t->rdesc || !size)
		return;
	data = described(t, type, data, &size);
	printf("  ");
	hs_report_print_values(t->rdesc, type, data, size, stdout);
	putchar('\n');
}

static void print_result(const struct talk *t, const struct step *step, const struct step *next,
			 uint64_t took_us)
{
	const struct hs_request *req = &step->req;

	if (req->answer == HS_ANSWER_OK)
		printf("ok after %.1f ms", (double)took_us / 1000);
	else
		printf("error %d (%s) after %.1f ms", req->error, strerror(req->error),
		       (double)took_us / 1000);
	if (req->answer_data)
		printf(", %zu bytes", req->answer_size);
	putchar('\n');
	if (req->answer_data)
		print_report(t, hs_request_report_type(req), req->answer_data, req->answer_size);
	else if (req->data)
		print_report(t, hs_request_report_type(req), req->data, req->size);
	print_job(step, next);
	print_trace(req);
}

static void add_report(const struct talk *t, struct json_object *obj, enum hs_report_type type,
		       const uint8_t *data, size_t size)
{
	json_object_object_add(obj, "bytes", hs_json_hex(data, size));
	if (!t->rdesc || !size)
		return;
	data = described(t, type, data, &size);
	json_object_object_add(obj, "values", hs_json_values(t->rdesc, type, data, size));
}

static void json_result(const struct talk *t, const struct step *step, uint64_t took_us)
{
	struct json_object *obj = json_object_new_object();
	const struct hs_request *req = &step->req;
	char text[2 * 3 * HS_REPORT_MAX + 128];

	hs_request_format(req, text, sizeof(text));
	json_object_object_add(obj, "request", json_object_new_string(text));
	json_object_object_add(obj, "ok", json_object_new_boolean(req->answer == HS_ANSWER_OK));
	if (req->answer == HS_ANSWER_ERROR)
		json_object_object_add(obj, "error", json_object_new_int(req->error));
	json_object_object_add(obj, "took_us", json_object_new_int64((int64_t)took_us));
	if (req->answer_data)
		add_report(t, obj, hs_request_report_type(req), req->answer_data, req->answer_size);
	hs_json_print_line(obj);
}

/* -------------------------------------------------------------------- talk */

/* Bytes to ask for: the report and, without IDs, the 0 in their place. */
static size_t answer_size(const struct talk *t, const struct step *step)
{
	const struct hs_report *report = NULL;

	if (step->ask)
		return step->ask;
	if (t->rdesc)
		report = hs_rdesc_find(t->rdesc, hs_request_report_type(&step->req),
				       step->req.report_id);
	if (!report)
		return HS_REPORT_MAX;
	return report->size + !hs_rdesc_numbered(t->rdesc, report->type);
}

/* Devices expect whole reports; jobs and most programs fill up with zeros. */
static void fill_up(const struct talk *t, struct step *step)
{
	enum hs_report_type type = hs_request_report_type(&step->req);
	const struct hs_report *report = NULL;
	size_t want;

	if (t->rdesc)
		report = hs_rdesc_find(t->rdesc, type, step->data[0]);
	want = report ? report->size + !hs_rdesc_numbered(t->rdesc, type) : 0;
	if (!report)
		fprintf(stderr, "note: the report descriptor has no %s report 0x%02x\n",
			hs_report_type_name(type), step->data[0]);
	else if (step->size > want)
		fprintf(stderr, "note: %zu bytes; %s report 0x%02x has %zu\n", step->size,
			hs_report_type_name(type), step->data[0], want);
	if (step->size < want) {
		memset(step->data + step->size, 0, want - step->size);
		step->size = want;
	}
}

static int do_request(const struct talk *t, struct step *step, const struct step *next,
		      struct hs_error *err)
{
	uint8_t buf[HS_REPORT_MAX];
	uint64_t start;
	int rc;

	if (!is_get(&step->req)) {
		fill_up(t, step);
		step->req.data = step->data;
		step->req.size = step->size;
	}
	start = now_us();
	rc = hs_hidio_request(t->io, &step->req, buf, answer_size(t, step), err);
	if (rc < 0)
		return hs_cli_exit_code(rc);
	if (t->json)
		json_result(t, step, now_us() - start);
	else
		print_result(t, step, next, now_us() - start);
	return step->req.answer == HS_ANSWER_OK ? HS_EXIT_OK : HS_EXIT_FAILURE;
}

static bool answers(const struct step *wait, const uint8_t *data, size_t size)
{
	if (size < wait->size)
		return false;
	for (size_t i = 0; i < wait->size; i++)
		if (wait->mask[i] && data[i] != wait->data[i])
			return false;
	return true;
}

static int do_wait(const struct talk *t, const struct step *step, struct hs_error *err)
{
	uint64_t start = now_us(), end = start + (uint64_t)step->timeout_ms * 1000;
	uint8_t buf[HS_REPORT_MAX];
	unsigned int others = 0;

	for (;;) {
		uint64_t now = now_us();
		int n = hs_hidio_read(t->io, buf, now < end ? (int)((end - now + 999) / 1000) : 0,
				      err);

		if (n < 0)
			return hs_cli_exit_code(n);
		if (!n)
			break;
		if (!answers(step, buf, (size_t)n)) {
			others++;
			continue;
		}
		if (t->json) {
			struct json_object *obj = json_object_new_object();

			json_object_object_add(obj, "wait", json_object_new_boolean(true));
			json_object_object_add(obj, "took_us",
					       json_object_new_int64((int64_t)(now_us() - start)));
			add_report(t, obj, HS_REPORT_INPUT, buf, (size_t)n);
			hs_json_print_line(obj);
		} else {
			printf("input after %.1f ms, %d bytes", (double)(now_us() - start) / 1000,
			       n);
			printf(others ? ", %u others before\n" : "\n", others);
			print_report(t, HS_REPORT_INPUT, buf, (size_t)n);
			printf("  trace: E: 0.000000 %d", n);
			for (int i = 0; i < n; i++)
				printf(" %02x", buf[i]);
			putchar('\n');
		}
		return HS_EXIT_OK;
	}
	hs_error_set(err, -ETIMEDOUT, "%s: no such report within %d ms, %u others", t->dev->sysname,
		     step->timeout_ms, others);
	return HS_EXIT_FAILURE;
}

static int talk(struct talk *t, struct step *steps, size_t n, struct hs_error *err)
{
	uint8_t bytes[HS_RDESC_MAX];
	size_t size;
	int rc = hs_device_read_rdesc(t->dev, bytes, &size, err);

	if (!rc)
		rc = hs_hidio_open(t->dev, &t->io, err);
	if (rc < 0)
		return hs_cli_exit_code(rc);
	if (hs_rdesc_parse(bytes, size, &t->rdesc, NULL) < 0)
		fprintf(stderr, "note: the report descriptor is malformed; answers stay bytes\n");
	for (size_t i = 0; rc == HS_EXIT_OK && i < n; i++) {
		if (steps[i].kind == WAIT)
			rc = do_wait(t, &steps[i], err);
		else
			rc = do_request(t, &steps[i], i + 1 < n ? &steps[i + 1] : NULL, err);
		fflush(stdout);
	}
	hs_rdesc_free(t->rdesc);
	hs_hidio_close(t->io);
	return rc;
}

static int run(int argc, char **argv, struct hs_error *err)
{
	struct hs_device_list *list = NULL;
	hs_autofree struct step *steps = NULL;
	struct talk t = { 0 };
	size_t n;
	int i = 1, rc;

	/* Options stand in front: bytes can look like anything. */
	for (; i < argc && !strncmp(argv[i], "--", 2); i++) {
		if (strcmp(argv[i], "--json"))
			return hs_cli_usage(err, "io", "unknown option '%s'", argv[i]);
		t.json = true;
	}
	if (i >= argc)
		return hs_cli_usage(err, "io", "no device");
	steps = calloc((size_t)argc, sizeof(*steps));
	if (!steps)
		return hs_cli_exit_code(hs_error_set(err, -ENOMEM, "out of memory"));
	rc = parse_steps(argv + i + 1, (size_t)(argc - i - 1), steps, &n, err);
	if (rc != HS_EXIT_OK)
		return rc;

	rc = hs_device_list_open(&list, err);
	if (!rc)
		rc = hs_device_list_find(list, argv[i], &t.dev, err);
	rc = rc < 0 ? hs_cli_exit_code(rc) : talk(&t, steps, n, err);
	hs_device_list_free(list);
	return rc;
}

const struct hs_command hs_cmd_io = {
	.name = "io",
	.summary = "try requests on a device",
	.help = help,
	.run = run,
};
