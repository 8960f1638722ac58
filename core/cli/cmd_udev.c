// SPDX-License-Identifier: MIT
#include "core/cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <libudev.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/cli/fixups.h"
#include "core/cli/objects.h"
#include "core/fixup/fixup.h"
#include "core/hotplug/hotplug.h"
#include "core/hotplug/sandbox.h"

static const char help[] =
	"usage: hidsmith udev add DEVICE\n"
	"       hidsmith udev remove DEVICE\n"
	"       hidsmith udev refresh [DEVICE]\n"
	"       hidsmith udev detach [DEVICE]\n"
	"\n"
	"What udev's rule and the packages start; needs root. DEVICE is a sysname, such as\n"
	"0003:28BD:0914.0004. Objects are taken from where only root can write.\n"
	"\n"
	"  add      attach what matches a device that has appeared, and print what is\n"
	"           attached as udev properties\n"
	"  remove   remove what a device left behind that has gone\n"
	"  refresh  attach again what has changed, to one device or all; detach what is\n"
	"           no longer installed, or switched off\n"
	"  detach   detach what add and refresh attached, from one device or all\n"
	"\n"
	"  -v, --verbose   say what was done, too\n"
	"  -h, --help\n"
	"\n"
	"hidsmith.conf(5) switches devices, fixups or everything off.\n";

struct session {
	struct hs_hotplug hotplug;
	struct udev_device *device; /* NULL: properties are in the environment */
	bool verbose;
};

/* To the journal, too: udev keeps for itself what its programs say. */
static void write_log(int priority, const char *text, void *data)
{
	const struct session *session = data;
	hs_autofree char *shown = hs_harmless(text);

	if (!shown || (priority > LOG_NOTICE && !session->verbose))
		return;
	fprintf(stderr, "hidsmith: %s\n", shown);
	syslog(priority, "%s", shown);
}

/* main() prints the error, too. */
static void log_error(const struct hs_error *err)
{
	hs_autofree char *shown = hs_harmless(err->text);

	syslog(LOG_ERR, "%s", shown ? shown : strerror(ENOMEM));
}

static const char *property(const char *name, void *data)
{
	const struct session *session = data;

	return session->device ? udev_device_get_property_value(session->device, name)
			       : getenv(name);
}

static int run_one(struct session *session, const char *verb, const char *sysname,
		   struct hs_error *err)
{
	if (!strcmp(verb, "add"))
		return hs_hotplug_add(&session->hotplug, sysname, err);
	if (!strcmp(verb, "remove"))
		return hs_hotplug_remove(&session->hotplug, sysname, err);
	if (!strcmp(verb, "refresh"))
		return hs_hotplug_refresh(&session->hotplug, sysname, err);
	return hs_hotplug_detach(&session->hotplug, sysname, err);
}

/* Like run_one(), with udev's properties from its database. */
static int run_present(struct session *session, struct udev *udev, const char *verb,
		       const char *sysname, struct hs_error *err)
{
	const char *ignore;
	int rc;

	session->device = udev_device_new_from_subsystem_sysname(udev, "hid", sysname);
	ignore = session->device ? property("HIDSMITH_IGNORE_DEVICE", session) : NULL;
	if (ignore && !strcmp(ignore, "1"))
		verb = "detach";
	rc = run_one(session, verb, sysname, err);
	udev_device_unref(session->device);
	session->device = NULL;
	return rc;
}

static int run_all(struct session *session, const char *verb, struct hs_error *err)
{
	/* What is here has a record or a device; one of them is enough for each verb. */
	const char *root = strcmp(verb, "refresh") ? HS_STATE_ROOT : "/sys/bus/hid/devices";
	struct udev *udev = udev_new();
	DIR *dir = opendir(root);
	struct dirent *entry;
	int rc = 0;

	while (dir && udev && (entry = readdir(dir))) {
		struct hs_error one = { 0 };
		int r;

		if (!hs_hotplug_sysname_ok(entry->d_name))
			continue;
		r = run_present(session, udev, verb, entry->d_name, &one);
		/* One device must not keep the others; the first error is the result. */
		if (r < 0 && !rc) {
			rc = r;
			*err = one;
		} else if (r < 0) {
			write_log(LOG_ERR, one.text, session);
		}
	}
	if (dir)
		closedir(dir);
	udev_unref(udev);
	return rc;
}

static int run_verb(struct session *session, const char *verb, const char *sysname,
		    struct hs_error *err)
{
	hs_autofree char *dirs = NULL;
	struct hs_config *config = NULL;
	int rc;

	/* Before the sandbox closes the door to sockets. */
	openlog("hidsmith", LOG_NDELAY | LOG_PID, LOG_DAEMON);
	rc = hs_sandbox_enter(err);
	if (!rc)
		rc = hs_config_read(HS_CONFIG_PATH, HS_OPEN_TRUSTED_ONLY, &config, err);
	if (!rc) {
		dirs = hs_cli_trusted_dirs(config);
		rc = dirs ? 0 : hs_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	}
	if (!rc) {
		session->hotplug = (struct hs_hotplug){ .dirs = dirs,
							.config = config,
							.property = property,
							.log = write_log,
							.data = session };
		if (!sysname)
			rc = run_all(session, verb, err);
		else
			rc = run_one(session, verb, sysname, err);
	}
	if (!strcmp(verb, "add") && sysname && hs_hotplug_sysname_ok(sysname))
		hs_state_print(sysname, stdout);
	if (rc < 0)
		log_error(err);
	hs_config_free(config);
	return rc;
}

static bool is_verb(const char *s)
{
	return !strcmp(s, "add") || !strcmp(s, "remove") || !strcmp(s, "refresh") ||
	       !strcmp(s, "detach");
}

static int run(int argc, char **argv, struct hs_error *err)
{
	static const struct option options[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct session session = { 0 };
	const char *verb, *sysname;
	int c, rc;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":v", options, NULL)) != -1) {
		if (c != 'v')
			return hs_cli_usage_getopt(err, "udev", c, argv);
		session.verbose = true;
	}
	if (optind >= argc || !is_verb(argv[optind]))
		return hs_cli_usage(err, "udev", "which of add, remove, refresh and detach?");
	verb = argv[optind];
	sysname = argv[optind + 1];
	if (argc - optind > 2)
		return hs_cli_usage(err, "udev", "one device at most");
	if (!sysname && (!strcmp(verb, "add") || !strcmp(verb, "remove")))
		return hs_cli_usage(err, "udev", "which device?");
	if (sysname && !hs_hotplug_sysname_ok(sysname))
		return hs_cli_usage(err, "udev",
				    "DEVICE is not a sysname, such as 0003:28BD:0914.0004");
	rc = run_verb(&session, verb, sysname, err);
	return rc < 0 ? hs_cli_exit_code(rc) : HS_EXIT_OK;
}

const struct hs_command hs_cmd_udev = {
	.name = "udev",
	.summary = "what udev and the packages start",
	.help = help,
	.run = run,
};
