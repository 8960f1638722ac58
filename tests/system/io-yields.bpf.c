// SPDX-License-Identifier: GPL-2.0-only
/* The same jobs in a fixup that leaves devices to a driver which the test's kernel has. */
#define YIELDS_TO "hid-multitouch"
#include "io.bpf.c"
