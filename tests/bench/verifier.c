// SPDX-License-Identifier: MIT
/*
 * What verification costs: instructions processed, and the verifier's own time,
 * for programs with global subprograms that are called in one context and in two.
 */
#include "harness.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LOADS 1000

static int compare(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return x < y ? -1 : x > y;
}

/* Loads the program once; false if the verifier refuses it. */
static bool load(const char *name, unsigned int *insns, unsigned int *usec)
{
	static char log[1 << 16];
	struct bpf_object *obj = open_object("contexts");
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, name);
	const char *line;
	bool ok;

	check(prog, "no program %s", name);
	bpf_program__set_autoload(prog, true);
	log[0] = '\0';
	bpf_program__set_log_buf(prog, log, sizeof(log));
	bpf_program__set_log_level(prog, 4);
	ok = !bpf_object__load(obj);
	log_clear();
	bpf_object__close(obj);
	line = strstr(log, "verification time");
	if (!ok || !line || sscanf(line, "verification time %u", usec) != 1)
		return false;
	line = strstr(log, "processed");
	return line && sscanf(line, "processed %u", insns) == 1;
}

int main(int argc, char **argv)
{
	static const char *const programs[] = {
		"plain_g_neutral",
		"plain_wq_only_g_neutral",
		"plain_wq_g_neutral",
		"syscall_storage",
		"syscall_rcu_g_neutral",
		"plain_wq_g_calls_calls_sleeps",
		"plain_recursion_of_contexts",
	};
	unsigned int n = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
	static unsigned int usec[MAX_LOADS];

	if (!n || n > MAX_LOADS) {
		fprintf(stderr, "usage: bench-verifier [LOADS]  (1 to %d)\n", MAX_LOADS);
		return 2;
	}
	printf("| program | instructions | verification, median us |\n|---|---|---|\n");
	for (size_t p = 0; p < sizeof(programs) / sizeof(programs[0]); p++) {
		unsigned int insns = 0, i;

		for (i = 0; i < n && load(programs[p], &insns, &usec[i]); i++)
			;
		if (i < n) {
			printf("| %s | refused | |\n", programs[p]);
			continue;
		}
		qsort(usec, n, sizeof(*usec), compare);
		printf("| %s | %u | %u |\n", programs[p], insns, usec[n / 2]);
		fflush(stdout);
	}
	return 0;
}
