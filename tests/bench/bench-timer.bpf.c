// SPDX-License-Identifier: GPL-2.0-only
#define TIMER
#include "bench-by-hand.bpf.h"
