/* SPDX-License-Identifier: MIT */
/* Tests of checker_tests: what is written past a private stack frame is reported. */
#ifndef TESTS_KERNEL_GUARDS_H
#define TESTS_KERNEL_GUARDS_H

void guards_above(void);
void guards_below(void);
void guards_slot(void);

#endif
