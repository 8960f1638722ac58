// SPDX-License-Identifier: GPL-2.0-only
/* The next version of the fixup of the same name. */
#define USAGE 0x37
#include "../fixtures/0010-test__rdesc.bpf.c"
