// SPDX-License-Identifier: MIT
#include "reports.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* of a report, to be printed */
#define REPORT_LINES 40

static int kernel_log = -1;

static bool is_report(const char *line)
{
	static const char *const signs[] = {
		"BUG:",
		"WARNING:",
		"KASAN:",
		"INFO: possible",
		"INFO: task",
		"INFO: rcu",
		"ODEBUG: ",
		"possible recursive locking",
		"possible circular locking",
		"inconsistent lock state",
		"suspicious RCU usage",
		"sleeping function called",
		"scheduling while atomic",
		"refcount_t:",
		"Oops",
		"stack-out-of-bounds",
		/* and not its functions in a stack trace */
		"lockdep ",
		"lockdep:",
		"held lock freed",
		"bad unlock balance",
		"lock held when",
		"BPF private stack of program",
	};

	/* Not an error, and has a word of theirs. */
	if (strstr(line, "ODEBUG: selftest passed") ||
	    strstr(line, "RCU lockdep checking is enabled"))
		return false;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(line, signs[i]))
			return true;
	return false;
}

bool reports_open(void)
{
	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kernel_log < 0)
		fprintf(stderr, "/dev/kmsg: %s\n", strerror(errno));
	return kernel_log >= 0;
}

unsigned int reports_read(void (*found)(const char *line, void *arg), void *arg)
{
	unsigned int n = 0, more = 0;
	char line[8192];
	ssize_t len;

	/* EPIPE: some lines were overwritten, go on with the next */
	while ((len = read(kernel_log, line, sizeof(line) - 1)) > 0 ||
	       (len < 0 && errno == EPIPE)) {
		if (len <= 0)
			continue;
		line[len] = '\0';
		if (is_report(line)) {
			n++;
			more = REPORT_LINES;
			if (found)
				found(line, arg);
		}
		if (more) {
			more--;
			printf("# kernel: %s", strchr(line, ';') ? strchr(line, ';') + 1 : line);
		}
	}
	return n;
}
