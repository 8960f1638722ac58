/* SPDX-License-Identifier: MIT */
/* What the kernel says in its log when it finds itself in error. */
#ifndef TESTS_KERNEL_REPORTS_H
#define TESTS_KERNEL_REPORTS_H

#include <stdbool.h>

/* Opens the log, from its beginning: what the kernel said before must not be missed
 * either. Prints why if that fails.
 */
bool reports_open(void);

/* Prints the reports since the last call, each with the lines after it, as KTAP
 * comments. Calls 'found', if there is one, with the line that makes it a report.
 * Returns the number of reports.
 */
unsigned int reports_read(void (*found)(const char *line, void *arg), void *arg);

#endif
