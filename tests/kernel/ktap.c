// SPDX-License-Identifier: MIT
#include "ktap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct {
	int plan;
	int passed;
	int failed;
} ktap;

void ktap_start(int plan)
{
	ktap.plan = plan;
	/* What is printed before a crash of the kernel must be seen. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%d\n", plan);
}

bool ktap_result(bool ok, const char *name)
{
	if (ok)
		ktap.passed++;
	else
		ktap.failed++;
	printf("%s %d %s\n", ok ? "ok" : "not ok", ktap.passed + ktap.failed, name);
	return ok;
}

void ktap_note(const char *fmt, ...)
{
	char text[4096];
	char *line, *rest = text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	while ((line = strsep(&rest, "\n")))
		if (*line)
			printf("# %s\n", line);
}

int ktap_end(void)
{
	printf("# Totals: pass:%d fail:%d\n", ktap.passed, ktap.failed);
	if (ktap.passed + ktap.failed != ktap.plan)
		printf("# planned %d tests, ran %d\n", ktap.plan, ktap.passed + ktap.failed);
	return ktap.failed || ktap.passed != ktap.plan;
}
