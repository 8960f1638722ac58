// SPDX-License-Identifier: MIT
#include "core/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "hidsmith_config.h"

/* One a line. */
/* clang-format off */
static const struct hs_command *const commands[] = {
	&hs_cmd_attach,
	&hs_cmd_decode,
	&hs_cmd_detach,
	&hs_cmd_hwdb,
	&hs_cmd_inspect,
	&hs_cmd_install,
	&hs_cmd_io,
	&hs_cmd_list,
	&hs_cmd_new,
	&hs_cmd_record,
	&hs_cmd_replay,
	&hs_cmd_status,
	&hs_cmd_udev,
	&hs_cmd_uninstall,
	NULL,
};
/* clang-format on */

const char *hs_cli_bpf_path(void)
{
	const char *path = getenv("HIDSMITH_BPF_PATH");

	return path && *path ? path : "/etc/hidsmith/bpf:" HS_BPF_DIR;
}

int hs_cli_exit_code(int error)
{
	switch (error < 0 ? -error : error) {
	case 0:
		return HS_EXIT_OK;
	case ENODEV:
	case ENXIO:
		return HS_EXIT_NO_DEVICE;
	case ENOTSUP:
	case ENOSYS:
		return HS_EXIT_UNSUPPORTED;
	case EPERM:
	case EACCES:
		return HS_EXIT_PERMISSION;
	case EINVAL:
	case ENOEXEC:
	case E2BIG:
		return HS_EXIT_BAD_INPUT;
	default:
		return HS_EXIT_FAILURE;
	}
}

int hs_cli_usage(struct hs_error *err, const char *command, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	hs_error_set(err, -EINVAL, "%s: %s; see 'hidsmith %s --help'", command, text, command);
	return HS_EXIT_USAGE;
}

static void usage(FILE *out)
{
	fprintf(out, "usage: hidsmith COMMAND [ARG]...\n"
		     "       hidsmith COMMAND --help\n"
		     "       hidsmith --version\n"
		     "\n"
		     "Repairs HID devices with BPF programs.\n"
		     "\n"
		     "Commands:\n");
	for (size_t i = 0; i < HS_ARRAY_SIZE(commands) && commands[i]; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "\nManual: hidsmith(1), hidsmith-kernel(7)\n");
}

static const struct hs_command *find_command(const char *name)
{
	for (size_t i = 0; i < HS_ARRAY_SIZE(commands) && commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* What was printed must have got there: "exit 0" with a full disk would be a lie. */
static int finish(int rc)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return rc;
	/* The reason of an error that an earlier write met is lost. */
	fprintf(stderr, "hidsmith: standard output: %s\n", strerror(errno ? errno : EIO));
	return rc == HS_EXIT_OK ? HS_EXIT_FAILURE : rc;
}

/* Words of devices and files are in it. */
static void print_error(const struct hs_error *err)
{
	hs_autofree char *text = hs_harmless(err->text);

	fprintf(stderr, "hidsmith: %s\n", text ? text : strerror(ENOMEM));
}

static int run_command(const struct hs_command *cmd, int argc, char **argv)
{
	struct hs_error err = { 0 };
	int rc;

	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(cmd->help, stdout);
			return HS_EXIT_OK;
		}
	}

	rc = cmd->run(argc, argv, &err);
	if (rc != HS_EXIT_OK && err.text[0])
		print_error(&err);
	return rc;
}

/*
 * A caller may have closed a standard stream. The next file that is opened would
 * get its number, and what we print would go there: to a device, of all things. So
 * its place is taken, and opened in such a way that using it still fails.
 */
static void fill_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(HS_EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	const struct hs_command *cmd;

	fill_standard_streams();
	if (argc < 2) {
		usage(stderr);
		return HS_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return finish(HS_EXIT_OK);
	}
	if (!strcmp(argv[1], "--version")) {
		printf("hidsmith %s\n", HS_VERSION);
		return finish(HS_EXIT_OK);
	}

	cmd = find_command(argv[1]);
	if (!cmd) {
		fprintf(stderr, "hidsmith: %s: no such command; 'hidsmith --help' lists them\n",
			argv[1]);
		return HS_EXIT_USAGE;
	}
	return finish(run_command(cmd, argc - 1, argv + 1));
}
