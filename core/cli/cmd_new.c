// SPDX-License-Identifier: MIT
#include "core/cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/cli/fixups.h"
#include "core/device/device.h"
#include "core/hid/rdesc-text.h"
#include "core/hid/rdesc.h"
#include "core/hid/usages.h"
#include "core/recording/recording.h"

static const char help[] =
	"usage: hidsmith new [OPTION]... VENDOR__MODEL RECORDING|DEVICE\n"
	"\n"
	"Begins a fixup: writes NNNN-VENDOR__MODEL.bpf.c, which has the device's match\n"
	"entry, its report descriptor in words and what its reports look like, and which\n"
	"compiles as it is. VENDOR and MODEL are of a-z, 0-9 and '-'. The facts come\n"
	"from a recording or, with fewer of them, from a device of this machine.\n"
	"\n"
	"  --io             with a job that talks to the device\n"
	"  --number N       device number N of a recording that has several\n"
	"  --output DIR     where to write the file (default: .)\n"
	"  --priority NNNN  default 0010\n"
	"  --help\n"
	"\n"
	"An existing file is not overwritten.\n";

/* How many reports of each report ID are shown as samples. */
#define SAMPLES 3

struct options {
	bool io;
	long number; /* -1: the only one, or the first */
	unsigned long priority;
	const char *output;
	const char *name;
	const char *source;
};

/* What is known of the device, from whichever source. */
struct subject {
	struct hs_hid_id id;
	const char *name;
	const uint8_t *rdesc;
	size_t rdesc_size;
	const struct hs_recording *rec; /* NULL if it is a live device */
	unsigned int index; /* in the recording */

	struct hs_recording *own_rec;
	struct hs_device_list *own_list;
	uint8_t own_rdesc[HS_RDESC_MAX];
};

static void subject_release(struct subject *s)
{
	hs_recording_free(s->own_rec);
	hs_device_list_free(s->own_list);
}

/* Text from a device inside a C comment: no control characters, no end of comment. */
static void comment_text(const char *s, FILE *out)
{
	char buf[HS_ESCAPE_SIZE(256)];

	hs_escape(s, buf, sizeof(buf));
	for (const char *c = buf; *c; c++) {
		fputc(*c, out);
		if ((c[0] == '*' && c[1] == '/') || (c[0] == '/' && c[1] == '*'))
			fputc(' ', out);
	}
}

static int from_recording(const struct options *opt, struct subject *s, struct hs_error *err)
{
	const struct hs_recorded_device *dev = NULL;
	int rc;

	rc = hs_recording_read(opt->source, &s->own_rec, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < hs_recording_device_count(s->own_rec); i++) {
		dev = hs_recording_device(s->own_rec, i);
		s->index = (unsigned int)i;
		if (opt->number < 0 || opt->number == dev->number)
			break;
		dev = NULL;
	}
	if (!dev)
		return hs_error_set(err, -ENODEV, "%s: no device with number %ld", opt->source,
				    opt->number);
	s->rec = s->own_rec;
	s->id = dev->id;
	s->name = dev->name;
	s->rdesc = dev->rdesc;
	s->rdesc_size = dev->rdesc_size;
	return 0;
}

static int from_device(const struct options *opt, struct subject *s, struct hs_error *err)
{
	const struct hs_device *dev;
	int rc;

	rc = hs_device_list_open(&s->own_list, err);
	if (rc < 0)
		return rc;
	rc = hs_device_list_find(s->own_list, opt->source, &dev, err);
	if (rc == -ENODEV)
		return hs_error_set(err, rc,
				    "%s: no recording, and no such HID device; 'hidsmith list' "
				    "shows the devices there are",
				    opt->source);
	if (rc < 0)
		return rc;
	rc = hs_device_read_rdesc(dev, s->own_rdesc, &s->rdesc_size, err);
	if (rc < 0)
		return rc;
	s->id = dev->id;
	s->name = dev->name;
	s->rdesc = s->own_rdesc;
	return 0;
}

static const char *bus_name(unsigned int bus)
{
	switch (bus) {
	case 0x03:
		return "USB";
	case 0x05:
		return "Bluetooth";
	case 0x06:
		return "virtual";
	case 0x18:
		return "I2C";
	default:
		return "bus";
	}
}

static const char *bus_macro(unsigned int bus, char *buf, size_t size)
{
	switch (bus) {
	case 0x03:
		return "BUS_USB";
	case 0x05:
		return "BUS_BLUETOOTH";
	case 0x06:
		return "BUS_VIRTUAL";
	case 0x18:
		return "BUS_I2C";
	default:
		snprintf(buf, size, "0x%02x", bus);
		return buf;
	}
}

static void write_samples(const struct subject *s, uint8_t report_id, bool numbered, FILE *out)
{
	const struct hs_entry *last = NULL;
	unsigned int shown = 0;

	for (size_t i = 0; s->rec && i < hs_recording_entry_count(s->rec); i++) {
		const struct hs_entry *e = hs_recording_entry(s->rec, i);

		if (e->type != HS_ENTRY_INPUT || e->device != s->index || !e->input.size)
			continue;
		if (numbered && e->input.data[0] != report_id)
			continue;
		/* The same report again shows nothing new. */
		if (last && last->input.size == e->input.size &&
		    !memcmp(last->input.data, e->input.data, e->input.size))
			continue;
		fputs(" *\t", out);
		for (size_t j = 0; j < e->input.size; j++)
			fprintf(out, " %02x", e->input.data[j]);
		fputc('\n', out);
		last = e;
		if (++shown == SAMPLES)
			break;
	}
}

static void write_reports(const struct subject *s, const struct hs_rdesc *rdesc, FILE *out)
{
	static const char *const types[] = { "Input", "Output", "Feature" };

	for (size_t i = 0; i < hs_rdesc_report_count(rdesc); i++) {
		const struct hs_report *r = hs_rdesc_report(rdesc, i);

		fprintf(out, " * %s report", types[r->type]);
		if (r->id)
			fprintf(out, " 0x%02x", r->id);
		fprintf(out, ", %zu bytes%s\n", r->size, r->id ? " with its ID" : "");
		if (r->type == HS_REPORT_INPUT)
			write_samples(s, r->id, hs_rdesc_numbered(rdesc, HS_REPORT_INPUT), out);
	}
}

static size_t longest_input(const struct hs_rdesc *rdesc)
{
	size_t longest = 1;

	for (size_t i = 0; i < hs_rdesc_report_count(rdesc); i++) {
		const struct hs_report *r = hs_rdesc_report(rdesc, i);

		if (r->type == HS_REPORT_INPUT && r->size > longest)
			longest = r->size;
	}
	return longest;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int write_head(const struct options *opt, const struct subject *s,
		      const struct hs_rdesc *rdesc, FILE *out, struct hs_error *err)
{
	int rc;

	fputs("// SPDX-License-Identifier: GPL-2.0-only\n/*\n * ", out);
	comment_text(s->name, out);
	fprintf(out, ", %s %04x:%04x.\n", bus_name(s->id.bus), s->id.vendor, s->id.product);
	fputs(" *\n * What is wrong\n * -------------\n"
	      " * Say here what the device does, what it should do, and how one knows.\n *\n"
	      " * Its reports\n * -----------\n",
	      out);
	write_reports(s, rdesc, out);
	fprintf(out, " *\n * Its report descriptor (%zu bytes)\n * ---------------------\n",
		s->rdesc_size);
	rc = hs_rdesc_print(s->rdesc, s->rdesc_size, " *\t", out, err);
	if (rc < 0)
		return rc;
	fputs(" *\n * Source: ", out);
	comment_text(s->rec ? file_name(opt->source) : "a device at hand", out);
	fputs("\n */\n", out);
	return 0;
}

static void write_code(const struct options *opt, const struct subject *s,
		       const struct hs_rdesc *rdesc, FILE *out)
{
	size_t room = longest_input(rdesc);
	char bus[8];

	fputs("#include <hidsmith/hid.bpf.h>\n", out);
	if (opt->io)
		fputs("#include <hidsmith/io.bpf.h>\n", out);
	fprintf(out,
		"#include <hidsmith/match.bpf.h>\n"
		"\n"
		"HID_BPF_CONFIG(HID_DEVICE(%s, HID_GROUP_ANY, 0x%04x, 0x%04x));\n"
		"\n",
		bus_macro(s->id.bus, bus, sizeof(bus)), s->id.vendor, s->id.product);
	if (opt->io)
		fputs("HS_JOBS(start);\n"
		      "\n"
		      "/* What the device must be told before it works; 0 when it has been. */\n"
		      "HS_JOB(start, .on_attach = true, .retries = 5)\n"
		      "{\n"
		      "\treturn 0;\n"
		      "}\n"
		      "\n",
		      out);
	fprintf(out,
		"/* Which of the device's interfaces: the one with this descriptor. */\n"
		"HS_PROBE(args)\n"
		"{\n"
		"\treturn args->rdesc_size == %zu ? 0 : -EINVAL;\n"
		"}\n"
		"\n"
		"/* Change data[] and return 0, or the new size. */\n"
		"HS_RDESC_FIXUP(fix_rdesc)\n"
		"{\n"
		"\treturn 0;\n"
		"}\n"
		"\n"
		"/* Change data[] and return 0, or HS_DROP. */\n"
		"HS_DEVICE_EVENT(fix_event, %zu)\n"
		"{\n"
		"%s"
		"\treturn 0;\n"
		"}\n"
		"\n"
		"HID_BPF_OPS(fixup) = {\n"
		"\t.hid_rdesc_fixup = (void *)fix_rdesc,\n"
		"\t.hid_device_event = (void *)fix_event,\n"
		"};\n"
		"\n"
		"char LICENSE[] SEC(\"license\") = \"GPL\";\n",
		s->rdesc_size, room,
		opt->io ? "\tif (hs_answer(data, size))\n\t\treturn HS_DROP;\n" : "");
}

static int write_file(const struct options *opt, const struct subject *s, const char *path,
		      struct hs_error *err)
{
	hs_autofclose FILE *out = NULL;
	struct hs_rdesc *rdesc = NULL;
	int fd, rc;

	rc = hs_rdesc_parse(s->rdesc, s->rdesc_size, &rdesc, err);
	if (rc < 0)
		return hs_error_prefix(err, "%s", opt->source);

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0) {
		rc = hs_error_set(err, -errno, "%s: %s%s", path, strerror(errno),
				  errno == EEXIST ? "; choose another name or --output" : "");
		goto out;
	}
	out = fdopen(fd, "w");
	if (!out) {
		rc = hs_error_set(err, -errno, "%s: %s", path, strerror(errno));
		close(fd);
		goto out;
	}
	rc = write_head(opt, s, rdesc, out, err);
	if (!rc)
		write_code(opt, s, rdesc, out);
	errno = 0;
	if (!rc && (fflush(out) || ferror(out))) {
		rc = errno ? -errno : -EIO;
		hs_error_set(err, rc, "%s: %s", path, strerror(-rc));
	}
	if (rc < 0)
		unlink(path);
out:
	hs_rdesc_free(rdesc);
	return rc;
}

/* "vendor__model", from which file name and detach's argument are made. */
static bool good_name(const char *name)
{
	const char *sep = strstr(name, "__");

	return sep && sep > name && sep[2] && !strstr(sep + 2, "__") && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name);
}

static int parse_number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	return errno || *end || !isdigit((unsigned char)*text) || *out > max ? -EINVAL : 0;
}

static int parse_options(int argc, char **argv, struct options *opt, struct hs_error *err)
{
	static const struct option options[] = {
		{ "io", no_argument, NULL, 'i' },
		{ "number", required_argument, NULL, 'n' },
		{ "output", required_argument, NULL, 'o' },
		{ "priority", required_argument, NULL, 'p' },
		{ 0 },
	};
	unsigned long n;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 'i':
			opt->io = true;
			break;
		case 'n':
			if (parse_number(optarg, INT32_MAX, &n) < 0)
				return hs_cli_usage(err, "new", "--number: '%s' is no number",
						    optarg);
			opt->number = (long)n;
			break;
		case 'o':
			opt->output = optarg;
			break;
		case 'p':
			if (parse_number(optarg, 9999, &opt->priority) < 0)
				return hs_cli_usage(err, "new", "--priority: '%s' is not 0 to 9999",
						    optarg);
			break;
		default:
			return hs_cli_usage_getopt(err, "new", c, argv);
		}
	}
	if (argc - optind != 2)
		return hs_cli_usage(err, "new", "a name and a recording or device are needed");
	opt->name = argv[optind];
	opt->source = argv[optind + 1];
	if (!good_name(opt->name))
		return hs_cli_usage(err, "new", "'%s' is not VENDOR__MODEL of a-z, 0-9 and '-'",
				    opt->name);
	return HS_EXIT_OK;
}

static int run(int argc, char **argv, struct hs_error *err)
{
	struct options opt = { .number = -1, .priority = 10, .output = "." };
	struct subject s = { 0 };
	char path[4096];
	struct stat st;
	int rc;

	rc = parse_options(argc, argv, &opt, err);
	if (rc != HS_EXIT_OK)
		return rc;
	if (snprintf(path, sizeof(path), "%s/%04lu-%s.bpf.c", opt.output, opt.priority, opt.name) >=
	    (int)sizeof(path))
		return hs_cli_usage(err, "new", "%s: too long", opt.output);

	if (!stat(opt.source, &st) && (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode)))
		rc = from_recording(&opt, &s, err);
	else
		rc = from_device(&opt, &s, err);
	if (!rc)
		rc = write_file(&opt, &s, path, err);
	subject_release(&s);
	if (rc < 0)
		return hs_cli_exit_code(rc);

	printf("wrote %s\n", path);
	printf("compile: clang -target bpf -mcpu=v3 -O2 -g -c %s -o %.*s.o\n", path,
	       (int)strlen(path) - 2, path);
	if (s.rec)
		printf("try:     hidsmith replay --fixup %.*s.o %s\n", (int)strlen(path) - 2, path,
		       opt.source);
	return HS_EXIT_OK;
}

const struct hs_command hs_cmd_new = {
	.name = "new",
	.summary = "begin a fixup from a recording or a device",
	.help = help,
	.run = run,
};
