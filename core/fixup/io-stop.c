// SPDX-License-Identifier: MIT
#include "core/fixup/io-stop.h"

#include <errno.h>
#include <linux/types.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf/hidsmith/io_status.h"

/* Some jobs send several requests, and each may take its 5 s until `stop` is seen. */
#define WAIT_MS 12000
#define STEP_MS 1

static void sleep_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	nanosleep(&t, NULL);
}

static int stop_and_wait(struct hs_io_status *status)
{
	__atomic_store_n(&status->stop, 1, __ATOMIC_SEQ_CST);
	for (int ms = 0; ms < WAIT_MS; ms += STEP_MS) {
		if (!__atomic_load_n(&status->busy, __ATOMIC_SEQ_CST))
			return 0;
		sleep_ms(STEP_MS);
	}
	return -ETIMEDOUT;
}

int hs_io_stop(int map)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	struct hs_io_status *status;
	size_t length;
	int rc = 0;

	if (bpf_map_get_info_by_fd(map, &info, &size) || strcmp(info.name, HS_IO_STATUS_MAP) ||
	    info.value_size < sizeof(*status))
		return 0;

	/* A mapping, because writing the whole value would undo what jobs count. */
	length = (info.value_size + 4095) & ~(size_t)4095;
	status = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (status == MAP_FAILED)
		return 0;
	if (status->version == HS_IO_VERSION)
		rc = stop_and_wait(status);
	munmap(status, length);
	return rc;
}
