/* SPDX-License-Identifier: MIT */
/*
 * What the subcommands share. One file for each subcommand, cmd_NAME.c; the table
 * is in main.c, which is also the one place that prints errors.
 */
#ifndef HS_CLI_CLI_H
#define HS_CLI_CLI_H

#include "core/base/error.h"

/* Exit codes, documented in hidsmith(1). */
enum hs_exit {
	HS_EXIT_OK = 0,
	HS_EXIT_FAILURE = 1, /* the operation failed */
	HS_EXIT_USAGE = 2, /* wrong arguments; nothing was tried */
	HS_EXIT_DIFFERENT = 3, /* replay: events or requests differ from what is expected */
	HS_EXIT_NO_DEVICE = 4, /* no such device, or it went away */
	HS_EXIT_UNSUPPORTED = 5, /* the kernel lacks what is needed */
	HS_EXIT_PERMISSION = 6, /* needs privilege */
	HS_EXIT_BAD_INPUT = 7, /* a file is malformed: recording, object, descriptor */
};

struct hs_command {
	const char *name;
	const char *summary; /* one line of `hidsmith --help` */
	const char *help; /* all of `hidsmith NAME --help` */
	/*
	 * argv[0] is the subcommand's name. Returns an hs_exit; if that is not
	 * HS_EXIT_OK and err->text is set, main() prints it.
	 */
	int (*run)(int argc, char **argv, struct hs_error *err);
};

/* The subcommands; keep in alphabetical order. */
extern const struct hs_command hs_cmd_attach;
extern const struct hs_command hs_cmd_decode;
extern const struct hs_command hs_cmd_detach;
extern const struct hs_command hs_cmd_hwdb;
extern const struct hs_command hs_cmd_inspect;
extern const struct hs_command hs_cmd_install;
extern const struct hs_command hs_cmd_io;
extern const struct hs_command hs_cmd_list;
extern const struct hs_command hs_cmd_new;
extern const struct hs_command hs_cmd_record;
extern const struct hs_command hs_cmd_replay;
extern const struct hs_command hs_cmd_status;
extern const struct hs_command hs_cmd_udev;
extern const struct hs_command hs_cmd_uninstall;

/* Where fixups are looked for: $HIDSMITH_BPF_PATH or the installed directories. */
const char *hs_cli_bpf_path(void);

/* Exit code for a negative errno of the library. */
int hs_cli_exit_code(int error);

/* Set @err to a usage error that points to `hidsmith NAME --help`. */
int hs_cli_usage(struct hs_error *err, const char *command, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* HS_CLI_CLI_H */
