// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/cli/cli.h"
#include "core/cli/fixups.h"
#include "core/cli/json.h"
#include "core/hid/rdesc-text.h"
#include "core/hid/report-text.h"
#include "core/hid/usages.h"
#include "core/recording/recording.h"

static const char help[] =
	"usage: hidsmith decode [--descriptor | --reports] [--json] FILE...\n"
	"\n"
	"Says in words what report descriptors and reports mean. A FILE is\n"
	"\n"
	"  a report descriptor in binary, as sysfs has it: /sys/.../report_descriptor\n"
	"  a report descriptor as hex text: '05 01', '0501', '0x05, 0x01', with comments\n"
	"  a recording: its descriptors, then its reports and requests field by field\n"
	"\n"
	"and - is standard input.\n"
	"\n"
	"  --descriptor  only the descriptors\n"
	"  --reports     only the reports of recordings\n"
	"  --json        one JSON object in each line: first the devices (\"type\":\n"
	"                \"device\"), then each report and request in order of time\n"
	"  --help\n"
	"\n"
	"A descriptor that the kernel would refuse is shown up to its end; then the\n"
	"error says at which byte the trouble is, and the exit status is 7.\n";

struct options {
	bool descriptors, reports, json;
};

/* What a file holds: its devices with their parsed descriptors. */
struct file {
	const char *name;
	struct hs_recording *rec; /* a lone descriptor is a recording of one nameless device */
	bool is_recording;
	struct hs_rdesc **rdescs; /* by device */
};

static int read_file(const char *path, char **text, size_t *size, struct hs_error *err)
{
	bool is_stdin = !strcmp(path, "-");
	hs_autofclose FILE *opened = is_stdin ? NULL : fopen(path, "re");
	FILE *in = is_stdin ? stdin : opened;
	char *buf = NULL;
	size_t max = 0, n = 0, got;

	if (!in)
		return hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
	do {
		if (n == max) {
			char *bigger = realloc(buf, max = max ? 2 * max : 8192);

			if (!bigger) {
				free(buf);
				return hs_error_set(err, -ENOMEM, "%s: out of memory", path);
			}
			buf = bigger;
		}
		got = fread(buf + n, 1, max - n, in);
		n += got;
	} while (got && n <= HS_RECORDING_MAX);
	if (ferror(in)) {
		int rc = errno ? -errno : -EIO;

		free(buf);
		return hs_error_set(err, rc, "%s: %s", path, strerror(-rc));
	}
	*text = buf;
	*size = n;
	return 0;
}

static bool is_recording(const char *text, size_t size)
{
	for (size_t i = 0; i + 2 <= size; i++)
		if ((!i || text[i - 1] == '\n') && text[i + 1] == ':' &&
		    memchr("RDNPIE", text[i], strlen("RDNPIE")))
			return true;
	return false;
}

/* Every real descriptor has a byte that no text has, such as 05 (Usage Page). */
static bool is_text(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!isprint((unsigned char)text[i]) && !isspace((unsigned char)text[i]))
			return false;
	return true;
}

/* Skip what is no byte: white space, commas, braces, comments in the way of C and shell. */
static size_t skip_filling(const char *text, size_t size, size_t i, unsigned int *line)
{
	while (i < size) {
		bool block = i + 1 < size && text[i] == '/' && text[i + 1] == '*';

		if (block) {
			for (i += 2; i < size && !(text[i - 1] == '*' && text[i] == '/'); i++)
				*line += text[i] == '\n';
			i++;
		} else if (text[i] == '#' ||
			   (i + 1 < size && text[i] == '/' && text[i + 1] == '/')) {
			while (i < size && text[i] != '\n')
				i++;
		} else if (isspace((unsigned char)text[i]) || strchr(",;{}", text[i])) {
			*line += text[i] == '\n';
			i++;
		} else {
			break;
		}
	}
	return i < size ? i : size;
}

static int no_hex_byte(const char *name, unsigned int line, const char *word, size_t left,
		       struct hs_error *err)
{
	int len = 0;

	while (len < 16 && (size_t)len < left && !isspace((unsigned char)word[len]))
		len++;
	return hs_error_set(err, -EINVAL, "%s:%u: '%.*s' is no hex byte", name, line, len, word);
}

static int parse_hex(const char *name, const char *text, size_t size, uint8_t *out, size_t *n,
		     struct hs_error *err)
{
	unsigned int line = 1;
	size_t i = 0;

	*n = 0;
	while ((i = skip_filling(text, size, i, &line)) < size) {
		size_t start = i, digits = 0;

		if (i + 1 < size && text[i] == '0' && (text[i + 1] | 0x20) == 'x')
			i += 2;
		while (i + digits < size && isxdigit((unsigned char)text[i + digits]))
			digits++;
		/* One digit stands alone ("0x5"), more go by pairs ("0501"). */
		if (!digits || (digits > 1 && digits % 2))
			return no_hex_byte(name, line, text + start, size - start, err);
		for (size_t end = i + digits; i < end; i += digits == 1 ? 1 : 2) {
			char byte[3] = { text[i], digits == 1 ? '\0' : text[i + 1], '\0' };

			if (*n == HS_RDESC_MAX)
				return hs_error_set(
					err, -EINVAL,
					"%s:%u: more than %d bytes; a report descriptor "
					"has no more",
					name, line, HS_RDESC_MAX);
			out[(*n)++] = (uint8_t)strtoul(byte, NULL, 16);
		}
	}
	if (!*n)
		return hs_error_set(err, -EINVAL, "%s: no bytes in it", name);
	return 0;
}

/* A file that is no recording: one descriptor. */
static int read_descriptor(struct file *file, const char *text, size_t size, struct hs_error *err)
{
	struct hs_recorded_device dev = { .name = "" };
	uint8_t bytes[HS_RDESC_MAX];
	size_t n = size;
	int rc;

	if (!size)
		return hs_error_set(err, -EINVAL, "%s: empty", file->name);
	if (is_text(text, size)) {
		rc = parse_hex(file->name, text, size, bytes, &n, err);
		if (rc < 0)
			return rc;
	} else if (size > HS_RDESC_MAX) {
		return hs_error_set(err, -EINVAL,
				    "%s: neither a recording nor a report descriptor, which has at "
				    "most %d bytes",
				    file->name, HS_RDESC_MAX);
	} else {
		memcpy(bytes, text, size);
	}
	dev.rdesc = bytes;
	dev.rdesc_size = n;
	file->rec = hs_recording_new();
	if (!file->rec || hs_recording_add_device(file->rec, &dev) < 0)
		return hs_error_set(err, -ENOMEM, "%s: out of memory", file->name);
	return 0;
}

static int open_file(const char *path, struct file *file, struct hs_error *err)
{
	hs_autofree char *text = NULL;
	size_t size = 0;
	int rc;

	*file = (struct file){ .name = strcmp(path, "-") ? path : "standard input" };
	rc = read_file(path, &text, &size, err);
	if (rc < 0)
		return rc;
	file->is_recording = is_recording(text, size);
	if (file->is_recording)
		rc = hs_recording_parse(file->name, text, size, &file->rec, err);
	else
		rc = read_descriptor(file, text, size, err);
	if (rc < 0)
		return rc;
	file->rdescs = calloc(hs_recording_device_count(file->rec), sizeof(*file->rdescs));
	return file->rdescs ? 0 : hs_error_set(err, -ENOMEM, "%s: out of memory", path);
}

static void close_file(struct file *file)
{
	for (size_t i = 0; file->rdescs && i < hs_recording_device_count(file->rec); i++)
		hs_rdesc_free(file->rdescs[i]);
	free(file->rdescs);
	hs_recording_free(file->rec);
}

static void print_device(const struct file *file, size_t index)
{
	const struct hs_recorded_device *dev = hs_recording_device(file->rec, index);
	char name[512];

	printf("// ");
	if (hs_recording_device_count(file->rec) > 1)
		printf("device %d, ", dev->number);
	printf("%04x:%04x:%04x %s\n", dev->id.bus, dev->id.vendor, dev->id.product,
	       hs_escape(dev->name, name, sizeof(name)));
}

static void print_layout(const struct hs_rdesc *rdesc)
{
	for (size_t i = 0; i < hs_rdesc_report_count(rdesc); i++) {
		puts("//");
		hs_report_print_layout(rdesc, hs_rdesc_report(rdesc, i), "// ", stdout);
	}
}

static struct json_object *json_items(const struct hs_recorded_device *dev)
{
	struct json_object *items = json_object_new_array();
	uint16_t page = 0;
	struct hs_item item;
	size_t offset = 0;
	bool logical_signed = false, physical_signed = false;
	char words[128];

	while (hs_item_next(dev->rdesc, dev->rdesc_size, &offset, &item, NULL) > 0) {
		struct json_object *j = json_object_new_object();

		if (item.tag == HS_ITEM_USAGE_PAGE)
			page = (uint16_t)item.u;
		if (item.tag == HS_ITEM_LOGICAL_MINIMUM)
			logical_signed = item.s < 0;
		if (item.tag == HS_ITEM_PHYSICAL_MINIMUM)
			physical_signed = item.s < 0;
		json_object_object_add(j, "offset", json_object_new_int64((int64_t)item.offset));
		json_object_object_add(j, "bytes",
				       hs_json_hex(dev->rdesc + item.offset, item.size));
		hs_item_format(&item, page,
			       item.tag == HS_ITEM_LOGICAL_MAXIMUM ? logical_signed
								   : physical_signed,
			       words, sizeof(words));
		json_object_object_add(j, "item", json_object_new_string(words));
		json_object_array_add(items, j);
	}
	return items;
}

static void json_device(const struct file *file, size_t index)
{
	const struct hs_recorded_device *dev = hs_recording_device(file->rec, index);
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, "type", json_object_new_string("device"));
	json_object_object_add(obj, "file", hs_json_text(file->name));
	if (file->is_recording) {
		json_object_object_add(obj, "device", json_object_new_int(dev->number));
		json_object_object_add(obj, "name", hs_json_text(dev->name));
		json_object_object_add(obj, "phys", hs_json_text(dev->phys));
		json_object_object_add(obj, "uniq", hs_json_text(dev->uniq));
		hs_json_add_id(obj, &dev->id);
	}
	json_object_object_add(obj, "descriptor", hs_json_hex(dev->rdesc, dev->rdesc_size));
	json_object_object_add(obj, "items", json_items(dev));
	if (file->rdescs[index])
		hs_json_add_layout(obj, file->rdescs[index]);
	hs_json_print_line(obj);
}

/* Parse and show; a descriptor that does not parse is shown all the same. */
static int show_device(struct file *file, size_t index, const struct options *opts,
		       struct hs_error *err)
{
	const struct hs_recorded_device *dev = hs_recording_device(file->rec, index);
	int rc = hs_rdesc_parse(dev->rdesc, dev->rdesc_size, &file->rdescs[index], err);

	if (rc < 0 && hs_recording_device_count(file->rec) > 1)
		hs_error_prefix(err, "device %d", dev->number);
	if (rc < 0)
		hs_error_prefix(err, "%s", file->name);
	if (!opts->descriptors)
		return rc;
	if (opts->json) {
		json_device(file, index);
		return rc;
	}
	if (file->is_recording)
		print_device(file, index);
	hs_rdesc_print(dev->rdesc, dev->rdesc_size, "", stdout, NULL);
	if (!rc)
		print_layout(file->rdescs[index]);
	return rc;
}

/* The bytes of a request that mean something: what is set, or what is answered. */
static const uint8_t *request_data(const struct hs_request *req, size_t *size)
{
	*size = req->data ? req->size : req->answer_size;
	return req->data ? req->data : req->answer_data;
}

static void print_entry(const struct file *file, const struct hs_entry *e)
{
	const struct hs_recorded_device *dev = hs_recording_device(file->rec, e->device);
	const struct hs_rdesc *rdesc = file->rdescs[e->device];
	char text[2 * 3 * HS_REPORT_MAX + 128];
	const uint8_t *data;
	size_t size;

	if (e->type == HS_ENTRY_COMMENT) {
		printf("# %s\n", hs_escape(e->comment, text, sizeof(text)));
		return;
	}
	if (e->type == HS_ENTRY_REQUEST && e->request.standing)
		printf("         *");
	else
		printf("%3" PRIu64 ".%06" PRIu64, e->time_us / 1000000, e->time_us % 1000000);
	if (hs_recording_device_count(file->rec) > 1)
		printf(" device %d", dev->number);
	switch (e->type) {
	case HS_ENTRY_INPUT:
		printf(" input");
		if (hs_rdesc_numbered(rdesc, HS_REPORT_INPUT))
			printf(" 0x%02x", e->input.data[0]);
		printf(": ");
		hs_report_print_values(rdesc, HS_REPORT_INPUT, e->input.data, e->input.size,
				       stdout);
		break;
	case HS_ENTRY_REQUEST:
		printf(" %s", hs_request_format(&e->request, text, sizeof(text)));
		data = request_data(&e->request, &size);
		if (data) {
			printf(": ");
			hs_report_print_values(rdesc, hs_request_report_type(&e->request), data,
					       size, stdout);
		}
		break;
	default:
		printf(" unplug");
	}
	putchar('\n');
}

static void json_entry(const struct file *file, const struct hs_entry *e)
{
	const struct hs_rdesc *rdesc = file->rdescs[e->device];
	struct json_object *obj;
	char text[2 * 3 * HS_REPORT_MAX + 128];
	const uint8_t *data = NULL;
	size_t size = 0;

	if (e->type == HS_ENTRY_COMMENT)
		return;
	obj = json_object_new_object();
	json_object_object_add(obj, "type",
			       json_object_new_string(e->type == HS_ENTRY_INPUT     ? "input"
						      : e->type == HS_ENTRY_REQUEST ? "request"
										    : "unplug"));
	json_object_object_add(obj, "device",
			       json_object_new_int(
				       hs_recording_device(file->rec, e->device)->number));
	if (e->type == HS_ENTRY_REQUEST && e->request.standing)
		json_object_object_add(obj, "standing", json_object_new_boolean(true));
	else
		json_object_object_add(obj, "time_us", json_object_new_int64((int64_t)e->time_us));
	if (e->type == HS_ENTRY_REQUEST) {
		hs_request_format(&e->request, text, sizeof(text));
		json_object_object_add(obj, "request", json_object_new_string(text));
		data = request_data(&e->request, &size);
	} else if (e->type == HS_ENTRY_INPUT) {
		data = e->input.data;
		size = e->input.size;
	}
	if (data) {
		enum hs_report_type type = e->type == HS_ENTRY_INPUT
						   ? HS_REPORT_INPUT
						   : hs_request_report_type(&e->request);

		json_object_object_add(obj, "bytes", hs_json_hex(data, size));
		json_object_object_add(obj, "values", hs_json_values(rdesc, type, data, size));
	}
	hs_json_print_line(obj);
}

static int decode_file(const char *path, const struct options *opts, struct hs_error *err)
{
	struct file file;
	int rc = open_file(path, &file, err);

	for (size_t i = 0; !rc && i < hs_recording_device_count(file.rec); i++)
		rc = show_device(&file, i, opts, err);
	for (size_t i = 0; !rc && opts->reports && i < hs_recording_entry_count(file.rec); i++) {
		if (opts->json)
			json_entry(&file, hs_recording_entry(file.rec, i));
		else
			print_entry(&file, hs_recording_entry(file.rec, i));
	}
	close_file(&file);
	return rc;
}

static int run(int argc, char **argv, struct hs_error *err)
{
	static const struct option longopts[] = {
		{ "descriptor", no_argument, NULL, 'd' },
		{ "reports", no_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	struct options opts = { true, true, false };
	int c, rc;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", longopts, NULL)) != -1) {
		switch (c) {
		case 'd':
			opts.reports = false;
			break;
		case 'r':
			opts.descriptors = false;
			break;
		case 'j':
			opts.json = true;
			break;
		default:
			return hs_cli_usage_getopt(err, "decode", c, argv);
		}
	}
	if (!opts.descriptors && !opts.reports)
		return hs_cli_usage(err, "decode", "--descriptor and --reports exclude each other");
	if (optind == argc)
		return hs_cli_usage(err, "decode", "no file");
	for (int i = optind; i < argc; i++) {
		rc = decode_file(argv[i], &opts, err);
		if (rc < 0)
			return hs_cli_exit_code(rc);
	}
	return HS_EXIT_OK;
}

const struct hs_command hs_cmd_decode = {
	.name = "decode",
	.summary = "say in words what descriptors and reports mean",
	.help = help,
	.run = run,
};
