// SPDX-License-Identifier: MIT
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct test *const groups[] = {
	lifetime_tests, timer_tests, context_tests, input_tests, stress_tests,
};

static const char usage[] =
	"usage: kernel-tests [OPTION]... [NAME]...\n"
	"\n"
	"Runs the kernel tests whose names start with one of NAME (default: all but\n"
	"stress), as root, on the running kernel. Prints KTAP.\n"
	"\n"
	"  --list          print the names and what each test shows\n"
	"  --after NAME    only those that come after NAME in the list\n"
	"  --seconds N     how long each stress test runs (default 60)\n"
	"  --help\n";

unsigned int stress_seconds = 60;
/* What the kernel says when it finds itself in error. */
static bool is_report(const char *line)
{
	static const char *const signs[] = {
		"BUG:",
		"WARNING:",
		"KASAN:",
		"INFO: possible",
		"INFO: task",
		"INFO: rcu",
		"ODEBUG:",
		"possible recursive locking",
		"possible circular locking",
		"inconsistent lock state",
		"suspicious RCU usage",
		"sleeping function called",
		"scheduling while atomic",
		"refcount_t:",
		"Oops",
		"stack-out-of-bounds",
		"lockdep",
		"held lock freed",
		"bad unlock balance",
	};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(line, signs[i]))
			return true;
	return false;
}

static int open_kernel_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* Whether the kernel reported nothing since the log was opened. */
static bool kernel_is_silent(int fd)
{
	char line[8192];
	bool silent = true;
	ssize_t n;

	if (fd < 0) {
		printf("# /dev/kmsg: %s\n", strerror(errno));
		return false;
	}
	/* EPIPE: some lines were overwritten, go on with the next */
	while ((n = read(fd, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n <= 0)
			continue;
		line[n] = '\0';
		if (!is_report(line))
			continue;
		printf("# kernel: %s", strchr(line, ';') ? strchr(line, ';') + 1 : line);
		silent = false;
	}
	return silent;
}

static bool wanted(const struct test *t, char **names, int n)
{
	if (!n)
		return strncmp(t->name, "stress/", 7) != 0;
	for (int i = 0; i < n; i++)
		if (!strncmp(t->name, names[i], strlen(names[i])))
			return true;
	return false;
}

/* Each test in a process of its own: it starts clean, and whatever it leaves
 * open, mapped or running goes away in one moment, as when a program crashes.
 */
static bool run_test(const struct test *t)
{
	int status, kmsg = open_kernel_log();
	bool silent;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		t->run();
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return false;
	if (WIFSIGNALED(status))
		printf("# killed by signal %d\n", WTERMSIG(status));
	silent = kernel_is_silent(kmsg);
	close(kmsg);
	return silent && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "list", no_argument, NULL, 'l' },
		{ "after", required_argument, NULL, 'a' },
		{ "seconds", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	unsigned int total = 0, number = 0, failed = 0;
	const char *after = NULL;
	bool list = false, past = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (opt) {
		case 'l':
			list = true;
			break;
		case 'a':
			after = optarg;
			break;
		case 's':
			stress_seconds = strtoul(optarg, NULL, 10);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return 2;
		}
	}

	/* once to count, once to run */
	for (int pass = 0; pass < 2; pass++) {
		past = !after;
		if (pass && !list)
			printf("KTAP version 1\n1..%u\n", total);
		for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
			for (const struct test *t = groups[g]; t->name; t++) {
				bool run = past && wanted(t, argv + optind, argc - optind);

				if (after && !strcmp(t->name, after))
					past = true;
				if (!run)
					continue;
				if (!pass) {
					total++;
				} else if (list) {
					printf("%s\t%s\n", t->name, t->story);
				} else {
					bool ok;

					/* for the log of a kernel that dies in it */
					printf("# run %s\n", t->name);
					ok = run_test(t);
					failed += !ok;
					printf("%s %u %s\n", ok ? "ok" : "not ok", ++number,
					       t->name);
					fflush(stdout);
				}
			}
		}
	}
	if (!list && !total) {
		fprintf(stderr, "kernel-tests: no test of that name; see --list\n");
		return 2;
	}
	return failed ? 1 : 0;
}
