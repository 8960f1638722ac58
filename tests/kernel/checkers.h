/* SPDX-License-Identifier: MIT */
/*
 * What the debug kernel (--config debug) watches with, and asks for.
 */
#ifndef TESTS_KERNEL_CHECKERS_H
#define TESTS_KERNEL_CHECKERS_H

#include <stdbool.h>

/* Whether lockdep is still on: it goes off with its first report, and when it
 * has run out of memory.
 */
bool lockdep_is_on(void);

/* Takes more than 10 s. Returns what kmemleak reports, or NULL if that is
 * nothing; valid until the next call. Fails where there is no kmemleak.
 */
char *scan_for_leaks(void);

/* Loads NAME.ko of those that were built with the kernel. Returns 0 or a negative errno. */
int load_module(const char *name, const char *params);

/* Takes it away again, or fails. Its name has underscores, as in /proc/modules. */
void unload_module(const char *name);

#endif
