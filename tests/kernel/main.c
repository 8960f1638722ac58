// SPDX-License-Identifier: MIT
#include "harness.h"
#include "reports.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_EXPECTED 16

static const struct test *const groups[] = {
	lifetime_tests,
	timer_tests,
	context_tests,
	input_tests,
	/* those for the debug kernel */
	stress_tests,
	checker_tests,
};
#define DEBUG_GROUPS 4

static const char usage[] =
	"usage: kernel-tests [OPTION]... [NAME]...\n"
	"\n"
	"Runs the kernel tests whose names start with one of NAME (default: all but\n"
	"stress and checkers, which are for the debug kernel), as root, on the running\n"
	"kernel. Prints KTAP. A test fails if the kernel reports anything meanwhile.\n"
	"\n"
	"  --list          print the names and what each test shows\n"
	"  --after NAME    only those that come after NAME in the list\n"
	"  --seconds N     how long each stress test runs (default 60)\n"
	"  --rounds N      stress/lifetime runs for N rounds, however long they take\n"
	"  --help\n";

unsigned int stress_seconds = 60, stress_rounds;

/* Notes which of expected_reports a report is. */
static void note_expected(const char *line, void *arg)
{
	bool *seen = arg;

	for (int i = 0; expected_reports[i].test; i++)
		seen[i] |= !!strstr(line, expected_reports[i].text);
}

/* Whether the kernel reported what it must in this test, which is mostly nothing. */
static bool reports_are_right(const struct test *t, bool passed)
{
	bool seen[MAX_EXPECTED] = { false }, any = false;
	unsigned int n = reports_read(note_expected, seen);

	for (int i = 0; expected_reports[i].test; i++) {
		if (strcmp(expected_reports[i].test, t->name))
			continue;
		any = true;
		passed |= expected_reports[i].kills;
		if (seen[i])
			continue;
		printf("# failed: the kernel did not report \"%s\"\n", expected_reports[i].text);
		return false;
	}
	return passed && (any || !n);
}

/* Between tests: there must be nothing. */
static bool no_reports(const char *when)
{
	if (!reports_read(NULL, NULL))
		return true;
	printf("# failed: that was %s\n", when);
	return false;
}

static bool wanted(const struct test *t, bool debug, char **names, int n)
{
	if (!n)
		return !debug;
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
	int status;
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
	return reports_are_right(t, WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "list", no_argument, NULL, 'l' },
		{ "after", required_argument, NULL, 'a' },
		{ "seconds", required_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'r' },
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
		case 'r':
			stress_rounds = strtoul(optarg, NULL, 10);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return 2;
		}
	}

	if (!list) {
		if (!reports_open())
			return 1;
		failed += !no_reports("before the first test");
	}

	/* once to count, once to run */
	for (int pass = 0; pass < 2; pass++) {
		past = !after;
		if (pass && !list)
			printf("KTAP version 1\n1..%u\n", total);
		for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
			for (const struct test *t = groups[g]; t->name; t++) {
				bool run = past && wanted(t, g >= DEBUG_GROUPS, argv + optind,
							  argc - optind);

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
	if (!list) {
		/* what the last test left to work queues and RCU */
		sleep_ms(300);
		failed += !no_reports("after the last test");
	}
	return failed ? 1 : 0;
}
