/* SPDX-License-Identifier: MIT */
/*
 * A session: the devices of a recording played through uhid, with fixups or
 * without, and what came out on the host's side.
 *
 * Played as fast as possible the result is the same on every run: each report is
 * handled, and its events are read, before the next one is sent. Two things of the
 * kernel run by the clock nevertheless, and the session takes care of both:
 * autorepeat is off, and when the machine stood still for so long that
 * hid-multitouch's timer (it releases contacts that were not heard of for 100 ms)
 * may have run, the result says so.
 */
#ifndef HS_REPLAY_REPLAY_H
#define HS_REPLAY_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/fixup/fixup.h"
#include "core/recording/recording.h"
#include "core/replay/capture.h"
#include "core/replay/plan.h"
#include "core/replay/script.h"

struct hs_replay_opts {
	struct hs_plan_opts plan;
	bool realtime; /* wait until each report's time; else as fast as possible */
	bool no_grab; /* leave the events to others, too */
	/*
	 * The host has no fixup, so nobody makes its requests: the first one that
	 * does not come ends the device's part, and is no difference.
	 */
	bool unfixed;
	/* Read the reports back through hidraw and count them: hs_replay.received. */
	bool verify;
	uint64_t wait_us; /* after the devices are bound, before the first report */
	unsigned int timeout_ms; /* for a driver to bind and for a request to come; 0: 10 s */
	/* Fixups to attach to each device that they match, in this order. */
	struct hs_fixup *const *fixups;
	size_t n_fixups;
	/* And of these what matches, best first. May be NULL. */
	struct hs_fixup_set *set;
	/* What the fixups are told instead of udev's properties. */
	const struct hs_property *properties;
	size_t n_properties;
	/* Settings for those fixups that have them; one of them at least must be attached. */
	const struct hs_property *settings;
	size_t n_settings;
	/* Told what happens. May be NULL; called from the session's thread alone. */
	void (*log)(const char *text, void *data);
	void *log_data;
	/* Set by a signal handler, for instance: ends the play. May be NULL. */
	const volatile int *cancel;
};

struct hs_replay {
	struct hs_plan plan;
	struct hs_capture capture;
	struct hs_script_log requests;
	size_t sent; /* reports that the kernel took */
	size_t received; /* reports seen on hidraw, if asked to verify */
	size_t withheld; /* reports that came after a request that nobody made */
	size_t syn_dropped;
	size_t attached; /* fixups, over all devices */
	uint64_t play_us; /* from the first report to the last event */
	unsigned int stalled_ms; /* longest time without a report when none was meant; 0: none */
	unsigned int stalled_line; /* of the recording, before which it was */
};

/*
 * Play a recording.
 *
 * @result: zero-initialised; cleared with hs_replay_clear(), before the recording is
 *   freed, also after a failure
 * Returns 0 when it was played, also with differences; errors are those of
 * hs_uhid_create(), hs_uhid_wait_bound(), hs_evdev_open(), hs_fixup_attach();
 * -EINTR when cancelled
 */
int hs_replay_run(const struct hs_recording *rec, const struct hs_replay_opts *opts,
		  struct hs_replay *result, struct hs_error *err);

void hs_replay_clear(struct hs_replay *result);

/*
 * Write the differences of requests as a diff in order of time: `-` what the
 * recording says and the host did not ask, `+` what the host asked, and the input
 * reports around. @all: what agrees, too.
 */
void hs_replay_write_requests(const struct hs_replay *result, bool all, FILE *out);

#endif /* HS_REPLAY_REPLAY_H */
