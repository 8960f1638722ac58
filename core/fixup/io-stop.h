/* SPDX-License-Identifier: MIT */
/*
 * The end of a fixup's talk with its device (bpf/hidsmith/io.bpf.h). Private to
 * core/fixup.
 */
#ifndef HS_FIXUP_IO_STOP_H
#define HS_FIXUP_IO_STOP_H

/* The map by which a fixup with jobs shows what it does. */
#define HS_IO_STATUS_MAP "hs_status"

/*
 * Tell the jobs behind a map to end, and wait for a request that is on its way. A
 * device that does not answer makes that 5 s, the kernel's own limit.
 *
 * @map: the map called HS_IO_STATUS_MAP; any other is left alone
 *
 * Returns 0, or -ETIMEDOUT when a job still runs.
 */
int hs_io_stop(int map);

#endif /* HS_FIXUP_IO_STOP_H */
