// SPDX-License-Identifier: GPL-2.0-only
/* The same jobs in a fixup that the kernel does not call when a driver probes. */
#define NO_RDESC
#include "io.bpf.c"
