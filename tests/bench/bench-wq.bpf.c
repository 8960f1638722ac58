// SPDX-License-Identifier: GPL-2.0-only
#include "bench-by-hand.bpf.h"
