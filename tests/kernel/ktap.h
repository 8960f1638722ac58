/* SPDX-License-Identifier: MIT */
/* KTAP output for the tests that run in the VM. */
#ifndef KTAP_H
#define KTAP_H

#include <stdbool.h>

/* Prints version and plan; call once, before the first test. */
void ktap_start(int plan);

/* Prints the result of the next test. Returns @ok. */
bool ktap_result(bool ok, const char *name);

/* Prints a diagnostic line, or several if the text has line ends in it. */
void ktap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints the totals and returns the exit status: 0 if all of the plan passed. */
int ktap_end(void);

#endif
