// SPDX-License-Identifier: MIT
#include "core/replay/replay.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/device/evdev.h"
#include "core/device/uhid.h"
#include "core/replay/fixups.h"

#define DEFAULT_TIMEOUT_MS 10000
/* Without a fixup nobody asks; the kernel's own requests come at once. */
#define UNFIXED_TIMEOUT_MS 500
/* How long the host gets to act on an answer before the next report, at most. */
#define SETTLE_US 50000
/* What a fixup does after the last report it does within this time. */
#define LAST_SETTLE_US 50000
/* Below hid-multitouch's 100 ms, with room for where in the gap its timer began. */
#define STALL_MS       60
#define POLL_MS        10
#define EVENTS_AT_ONCE 256

struct session;

/* What of the driver runs by the clock, beside autorepeat, which is off. */
enum timers {
	TIMERS_NONE,
	TIMERS_CONTACTS, /* only while a contact is down */
	TIMERS_UNKNOWN,
};

/* Contacts of a multitouch node that are down, as its events say. */
struct contacts {
	unsigned int slot;
	uint64_t down; /* a bit for each slot; the last stands for those above, too */
};

/* One device of the recording while it is played. */
struct player {
	struct session *session;
	unsigned int index;
	const struct hs_recorded_device *recorded;
	struct hs_uhid *uhid;
	struct hs_evdev *evdev;
	size_t first_node; /* in the capture */
	int hidraw;
	bool attached; /* has pins */
	enum timers timers;
	struct contacts *contacts; /* for each node */
	bool was_down; /* a contact was, before the last report */
	bool silenced; /* a request did not come: its reports are withheld */
	/* Under the session's lock. */
	struct hs_script *script;
	bool answering; /* a late answer is on its way ... */
	uint64_t answer_due_us; /* ... and is due at this time of the play */
};

struct session {
	const struct hs_recording *rec;
	const struct hs_replay_opts *opts;
	struct hs_replay *result;
	unsigned int timeout_ms;
	struct player *players;
	size_t n_players;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	_Atomic size_t reached; /* steps of the plan that were begun */
	uint64_t start_us; /* of the play, CLOCK_MONOTONIC */
	uint64_t coarse_ms; /* when the last report was sent; 0: after a wait */
	uint64_t now_us; /* time of the play for the events that come */
	unsigned int now_line; /* and the recording's line that is played */
};

static uint64_t clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void __attribute__((format(printf, 2, 3))) say(const struct session *s, const char *fmt, ...)
{
	char text[512];
	va_list args;

	if (!s->opts->log)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	s->opts->log(text, s->opts->log_data);
}

static bool is_cancelled(const struct session *s)
{
	return s->opts->cancel && *s->opts->cancel;
}

static bool is_paced(const struct session *s)
{
	return s->opts->realtime || s->opts->plan.interval_us;
}

/* --- the device's side of requests, in the devices' threads --- */

static void on_request(struct hs_request *req, void *data)
{
	struct player *p = data;
	struct session *s = p->session;
	size_t step;

	pthread_mutex_lock(&s->lock);
	step = hs_script_request(p->script, atomic_load(&s->reached), req);
	if (req->type != HS_REQUEST_OUTPUT && req->late_ms && step != SIZE_MAX) {
		p->answering = true;
		p->answer_due_us =
			s->result->plan.steps[step].time_us + (uint64_t)req->late_ms * 1000;
	}
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void on_answered(void *data)
{
	struct player *p = data;

	pthread_mutex_lock(&p->session->lock);
	p->answering = false;
	pthread_cond_broadcast(&p->session->changed);
	pthread_mutex_unlock(&p->session->lock);
}

static void on_refused(const char *what, unsigned int report_id, void *data)
{
	struct player *p = data;

	pthread_mutex_lock(&p->session->lock);
	hs_script_refused(p->script, atomic_load(&p->session->reached), what, report_id);
	pthread_mutex_unlock(&p->session->lock);
}

static void on_state(enum hs_uhid_state state, void *data)
{
	(void)state;
	(void)data;
}

static const struct hs_uhid_ops uhid_ops = {
	.request = on_request,
	.answered = on_answered,
	.refused = on_refused,
	.state = on_state,
};

/* Sleep until something changed, at most @ms. With the lock held. */
static void wait_change(struct session *s, unsigned int ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += (long)ms * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&s->changed, &s->lock, &ts);
}

/* --- events --- */

static uint64_t event_time(const struct session *s, const struct input_event *ev)
{
	uint64_t us;

	if (!is_paced(s))
		return s->now_us;
	us = (uint64_t)ev->input_event_sec * 1000000 + (uint64_t)ev->input_event_usec;
	return us > s->start_us ? us - s->start_us : 0;
}

static void note_contact(struct contacts *c, const struct input_event *ev)
{
	if (ev->type != EV_ABS)
		return;
	if (ev->code == ABS_MT_SLOT)
		c->slot = ev->value < 0 || ev->value > 63 ? 63 : (unsigned int)ev->value;
	else if (ev->code == ABS_MT_TRACKING_ID && ev->value >= 0)
		c->down |= 1ULL << c->slot;
	else if (ev->code == ABS_MT_TRACKING_ID)
		c->down &= ~(1ULL << c->slot);
}

static bool contact_down(const struct player *p)
{
	for (size_t i = 0; p->evdev && i < p->evdev->count; i++)
		if (p->contacts[i].down)
			return true;
	return false;
}

static int keep(struct session *s, struct hs_capture_node *node, const struct input_event *ev)
{
	const struct hs_capture_event event = {
		.time_us = event_time(s, ev),
		.type = ev->type,
		.code = ev->code,
		.value = ev->value,
		.line = s->now_line,
	};

	/* These come from switching autorepeat off; the device has no part in it. */
	if (ev->type == EV_REP)
		return 0;
	if (ev->type == EV_SYN && ev->code == SYN_DROPPED)
		s->result->syn_dropped++;
	return hs_capture_add_event(node, &event);
}

static int drain_node(struct player *p, size_t index, struct hs_error *err)
{
	struct session *s = p->session;
	const struct hs_evdev_node *node = &p->evdev->nodes[index];
	struct hs_capture_node *into = &s->result->capture.nodes[p->first_node + index];
	struct input_event events[EVENTS_AT_ONCE];
	int n;

	do {
		n = hs_evdev_read(node, events, EVENTS_AT_ONCE);
		if (n < 0)
			return hs_error_set(err, n,
					    "%s: %s, at line %u of the recording; was another "
					    "driver bound, or a fixup attached?",
					    node->path, strerror(-n), s->now_line);
		for (int i = 0; i < n; i++) {
			note_contact(&p->contacts[index], &events[i]);
			if (keep(s, into, &events[i]))
				return hs_error_set(err, -ENOMEM, "out of memory");
		}
	} while (n == EVENTS_AT_ONCE);
	return 0;
}

static void count_received(struct player *p)
{
	uint8_t report[HS_REPORT_MAX];

	while (read(p->hidraw, report, sizeof(report)) > 0)
		p->session->result->received++;
}

/* Read all events of one device. */
static int drain(struct player *p, struct hs_error *err)
{
	for (size_t i = 0; p->evdev && i < p->evdev->count; i++) {
		int rc = drain_node(p, i, err);

		if (rc)
			return rc;
	}
	if (p->hidraw >= 0)
		count_received(p);
	return 0;
}

static int drain_all(struct session *s, struct hs_error *err)
{
	for (size_t i = 0; i < s->n_players; i++) {
		int rc = drain(&s->players[i], err);

		if (rc)
			return rc;
	}
	return 0;
}

/* Read events until @end_us of CLOCK_MONOTONIC. */
static int idle_until(struct session *s, uint64_t end_us, struct hs_error *err)
{
	for (;;) {
		uint64_t now = clock_us(CLOCK_MONOTONIC);
		uint64_t left = end_us > now ? end_us - now : 0;
		struct timespec ts;
		int rc = drain_all(s, err);

		if (rc || !left)
			return rc;
		if (is_cancelled(s))
			return hs_error_set(err, -EINTR, "interrupted");
		if (left > POLL_MS * 1000)
			left = POLL_MS * 1000;
		ts.tv_sec = 0;
		ts.tv_nsec = (long)left * 1000;
		nanosleep(&ts, NULL);
	}
}

static int idle(struct session *s, uint64_t us, struct hs_error *err)
{
	s->coarse_ms = 0;
	return idle_until(s, clock_us(CLOCK_MONOTONIC) + us, err);
}

/* --- bringing the devices up --- */

static int open_hidraw(const char *sysname)
{
	char path[300];
	struct dirent *entry;
	DIR *dir;
	int fd = -1;

	snprintf(path, sizeof(path), "/sys/bus/hid/devices/%s/hidraw", sysname);
	dir = opendir(path);
	while (dir && fd < 0 && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "hidraw", 6) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/%.32s", entry->d_name);
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return fd;
}

static enum timers find_timers(const char *sysname)
{
	char path[300], target[300];
	const char *driver;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/hid/devices/%s/driver", sysname);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return TIMERS_UNKNOWN;
	target[n] = '\0';
	driver = strrchr(target, '/');
	driver = driver ? driver + 1 : target;
	if (!strcmp(driver, "hid-generic"))
		return TIMERS_NONE;
	return strcmp(driver, "hid-multitouch") ? TIMERS_UNKNOWN : TIMERS_CONTACTS;
}

static int create(struct player *p, struct hs_error *err)
{
	struct session *s = p->session;
	char name[HS_ESCAPE_SIZE(128)];
	int rc;

	hs_escape(p->recorded->name, name, sizeof(name));
	rc = hs_uhid_create(p->recorded, &uhid_ops, p, &p->uhid, err);
	if (!rc)
		rc = hs_uhid_wait_bound(p->uhid, s->timeout_ms, err);
	if (rc)
		return rc;
	say(s, "%s: '%s'", hs_uhid_sysname(p->uhid), name);
	return 0;
}

static int attach(struct session *s, struct hs_error *err)
{
	hs_autofree bool *fixups = calloc(s->opts->n_fixups + 1, sizeof(*fixups));
	hs_autofree bool *settings = calloc(s->opts->n_settings + 1, sizeof(*settings));
	struct hs_replay_used used = { .fixups = fixups, .settings = settings };

	if (!fixups || !settings)
		return hs_error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < s->n_players; i++) {
		struct player *p = &s->players[i];
		int rc = hs_replay_attach(s->opts, hs_uhid_sysname(p->uhid), &used, err);

		if (rc < 0)
			return rc;
		p->attached = rc > 0;
		s->result->attached += (size_t)rc;
		/* A new descriptor makes the kernel probe the device again. */
		rc = hs_uhid_wait_bound(p->uhid, s->timeout_ms, err);
		if (rc)
			return rc;
	}
	return hs_replay_check_used(s->opts, &used, err);
}

static int open_nodes(struct player *p, struct hs_error *err)
{
	struct session *s = p->session;
	unsigned int flags = 0;
	int rc;

	if (!s->opts->no_grab)
		flags |= HS_EVDEV_GRAB;
	if (!is_paced(s))
		flags |= HS_EVDEV_NO_REPEAT;
	rc = hs_evdev_open(hs_uhid_sysname(p->uhid), flags, &p->evdev, err);
	if (rc)
		return rc;
	p->timers = find_timers(hs_uhid_sysname(p->uhid));
	p->contacts = calloc(p->evdev->count + 1, sizeof(*p->contacts));
	if (!p->contacts)
		return hs_error_set(err, -ENOMEM, "out of memory");
	p->first_node = s->result->capture.count;
	for (size_t i = 0; i < p->evdev->count; i++) {
		rc = hs_capture_add_node(&s->result->capture, p->evdev->nodes[i].name);
		if (rc < 0)
			return hs_error_set(err, rc, "out of memory");
	}
	if (s->opts->verify) {
		p->hidraw = open_hidraw(hs_uhid_sysname(p->uhid));
		if (p->hidraw < 0)
			return hs_error_set(err, -ENODEV, "%s: no hidraw node to verify with",
					    hs_uhid_sysname(p->uhid));
	}
	return 0;
}

static void take_away(struct player *p)
{
	hs_autofree char *sysname = NULL;

	if (p->uhid && p->attached)
		sysname = strdup(hs_uhid_sysname(p->uhid));
	hs_evdev_close(p->evdev);
	p->evdev = NULL;
	free(p->contacts);
	p->contacts = NULL;
	hs_closep(&p->hidraw);
	p->hidraw = -1;
	hs_uhid_destroy(p->uhid);
	p->uhid = NULL;
	/* After the device: else the kernel would probe it once more without fixup. */
	if (sysname)
		hs_fixup_detach(sysname, NULL, NULL, NULL);
}

/* --- playing --- */

/* Can a timer of a driver have run since the report before the last? */
static bool timer_possible(const struct session *s)
{
	for (size_t i = 0; i < s->n_players; i++) {
		const struct player *p = &s->players[i];

		if (!p->uhid || p->timers == TIMERS_NONE)
			continue;
		if (p->timers == TIMERS_UNKNOWN || p->was_down || contact_down(p))
			return true;
	}
	return false;
}

/*
 * Drivers' timers see a pause that the recording has not: say so. From one call to
 * the next a report was sent, too, and the machine may have stood still within.
 */
static void watch_stall(struct session *s, unsigned int line)
{
	uint64_t now, gap;

	now = clock_us(CLOCK_MONOTONIC_COARSE) / 1000;
	gap = s->coarse_ms ? now - s->coarse_ms : 0;
	if (gap >= STALL_MS && gap > s->result->stalled_ms && timer_possible(s)) {
		s->result->stalled_ms = (unsigned int)gap;
		s->result->stalled_line = line;
	}
	s->coarse_ms = now;
}

/* A late answer comes before the reports that the device sent after it. */
static int wait_late_answer(struct player *p, uint64_t time_us, struct hs_error *err)
{
	struct session *s = p->session;
	bool waiting = true;

	while (waiting) {
		int rc;

		pthread_mutex_lock(&s->lock);
		waiting = p->answering && p->answer_due_us <= time_us;
		if (waiting) {
			s->coarse_ms = 0;
			wait_change(s, POLL_MS);
		}
		pthread_mutex_unlock(&s->lock);
		if (!waiting)
			break;
		if (is_cancelled(s))
			return hs_error_set(err, -EINTR, "interrupted");
		rc = drain_all(s, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int play_input(struct player *p, const struct hs_plan_step *step, size_t index,
		      struct hs_error *err)
{
	const struct hs_entry *entry = step->entry;
	struct session *s = p->session;
	int rc;

	if (p->silenced || !p->uhid) {
		s->result->withheld++;
		return 0;
	}
	rc = wait_late_answer(p, step->time_us, err);
	if (rc)
		return rc;
	if (!is_paced(s))
		watch_stall(s, entry->line);
	s->now_us = step->time_us;
	s->now_line = entry->line;
	atomic_store(&s->reached, index + 1);
	rc = hs_uhid_input(p->uhid, entry->input.data, entry->input.size);
	if (rc)
		return hs_error_set(err, rc,
				    "%s: the kernel did not take the report of line %u: %s",
				    hs_uhid_sysname(p->uhid), entry->line, strerror(-rc));
	s->result->sent++;
	p->was_down = contact_down(p);
	return drain(p, err);
}

/* How long may a request take? As long as the recording says, and some more. */
static uint64_t request_timeout_us(const struct session *s, size_t index)
{
	const struct hs_plan_step *steps = s->result->plan.steps;
	uint64_t pause =
		index ? steps[index].time_us - steps[index - 1].time_us : steps[index].time_us;

	if (s->opts->unfixed)
		return UNFIXED_TIMEOUT_MS * 1000ULL;
	return (uint64_t)s->timeout_ms * 1000 + pause;
}

static bool request_done(struct player *p, size_t index)
{
	struct session *s = p->session;
	bool done;

	pthread_mutex_lock(&s->lock);
	done = hs_script_done(p->script, index);
	if (!done) {
		wait_change(s, POLL_MS);
		done = hs_script_done(p->script, index);
	}
	pthread_mutex_unlock(&s->lock);
	return done;
}

static void give_up(struct player *p, size_t index)
{
	struct session *s = p->session;

	pthread_mutex_lock(&s->lock);
	/* The device that was not asked says nothing more, and waits for no more. */
	if (!hs_script_done(p->script, index)) {
		hs_script_give_up(p->script, index, !s->opts->unfixed && !p->silenced);
		p->silenced = true;
	}
	pthread_mutex_unlock(&s->lock);
}

/* Time for the host to act on the answer, as far as the recording gave it. */
static int settle(struct session *s, size_t index, struct hs_error *err)
{
	const struct hs_plan_step *steps = s->result->plan.steps;
	uint64_t pause;

	if (index + 1 >= s->result->plan.count || steps[index + 1].entry->type != HS_ENTRY_INPUT)
		return 0;
	pause = steps[index + 1].time_us - steps[index].time_us;
	return idle(s, pause < SETTLE_US ? pause : SETTLE_US, err);
}

/* Reports after a request are sent only when it was made. */
static int play_request(struct player *p, const struct hs_plan_step *step, size_t index,
			struct hs_error *err)
{
	struct session *s = p->session;
	uint64_t end = clock_us(CLOCK_MONOTONIC) + request_timeout_us(s, index);
	int rc;

	s->now_us = step->time_us;
	s->now_line = step->entry->line;
	s->coarse_ms = 0;
	atomic_store(&s->reached, index + 1);
	while (p->uhid && !p->silenced && !request_done(p, index)) {
		if (clock_us(CLOCK_MONOTONIC) >= end)
			break;
		if (is_cancelled(s))
			return hs_error_set(err, -EINTR, "interrupted");
		rc = drain_all(s, err);
		if (rc)
			return rc;
	}
	give_up(p, index);
	return p->silenced ? 0 : settle(s, index, err);
}

static int play_unplug(struct player *p, const struct hs_plan_step *step, size_t index,
		       struct hs_error *err)
{
	struct session *s = p->session;
	int rc;

	s->now_us = step->time_us;
	s->now_line = step->entry->line;
	s->coarse_ms = 0;
	if (p->silenced || !p->uhid)
		return 0;
	atomic_store(&s->reached, index + 1);
	rc = drain(p, err);
	if (rc)
		return rc;
	say(s, "%s: unplugged", hs_uhid_sysname(p->uhid));
	take_away(p);
	return 0;
}

static int play_step(struct session *s, size_t index, struct hs_error *err)
{
	const struct hs_plan_step *step = &s->result->plan.steps[index];
	struct player *p = &s->players[step->entry->device];

	if (is_paced(s)) {
		int rc = idle_until(s, s->start_us + step->time_us, err);

		if (rc)
			return rc;
	}
	switch (step->entry->type) {
	case HS_ENTRY_INPUT:
		return play_input(p, step, index, err);
	case HS_ENTRY_REQUEST:
		return play_request(p, step, index, err);
	case HS_ENTRY_UNPLUG:
		return play_unplug(p, step, index, err);
	case HS_ENTRY_COMMENT:
		break;
	}
	return 0;
}

static int play(struct session *s, struct hs_error *err)
{
	int rc = 0;

	s->start_us = clock_us(CLOCK_MONOTONIC);
	for (size_t i = 0; !rc && i < s->result->plan.count; i++) {
		rc = play_step(s, i, err);
		if (!rc && is_cancelled(s))
			rc = hs_error_set(err, -EINTR, "interrupted");
	}
	if (!rc && !is_paced(s) && s->result->plan.inputs)
		watch_stall(s, s->now_line);
	s->result->play_us = clock_us(CLOCK_MONOTONIC) - s->start_us;
	if (!rc && (s->result->attached || s->result->plan.requests))
		rc = idle(s, LAST_SETTLE_US, err);
	return rc;
}

static int bring_up(struct session *s, struct hs_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < s->n_players; i++)
		rc = create(&s->players[i], err);
	if (!rc)
		rc = attach(s, err);
	for (size_t i = 0; !rc && i < s->n_players; i++)
		rc = open_nodes(&s->players[i], err);
	if (!rc && s->opts->wait_us)
		rc = idle(s, s->opts->wait_us, err);
	return rc;
}

static int init(struct session *s, struct hs_error *err)
{
	pthread_condattr_t attr;
	int rc = hs_plan_make(s->rec, &s->opts->plan, &s->result->plan, err);

	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (rc)
		return rc;

	s->n_players = hs_recording_device_count(s->rec);
	s->players = calloc(s->n_players ? s->n_players : 1, sizeof(*s->players));
	if (!s->players) {
		s->n_players = 0;
		return hs_error_set(err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < s->n_players; i++) {
		struct player *p = &s->players[i];

		p->session = s;
		p->index = (unsigned int)i;
		p->recorded = hs_recording_device(s->rec, i);
		p->hidraw = -1;
	}
	for (size_t i = 0; !rc && i < s->n_players; i++)
		rc = hs_script_new(s->rec, &s->result->plan, (unsigned int)i, &s->result->requests,
				   &s->players[i].script, err);
	return rc;
}

int hs_replay_run(const struct hs_recording *rec, const struct hs_replay_opts *opts,
		  struct hs_replay *result, struct hs_error *err)
{
	struct session s = { .rec = rec, .opts = opts, .result = result };
	int rc;

	s.timeout_ms = opts->timeout_ms ? opts->timeout_ms : DEFAULT_TIMEOUT_MS;
	rc = init(&s, err);
	if (!rc)
		rc = bring_up(&s, err);
	if (!rc)
		rc = play(&s, err);
	for (size_t i = 0; i < s.n_players; i++)
		take_away(&s.players[i]);
	for (size_t i = 0; i < s.n_players; i++)
		hs_script_free(s.players[i].script);
	free(s.players);
	pthread_cond_destroy(&s.changed);
	pthread_mutex_destroy(&s.lock);
	if (!rc && result->requests.out_of_memory)
		rc = hs_error_set(err, -ENOMEM, "out of memory");
	return rc;
}

void hs_replay_clear(struct hs_replay *result)
{
	hs_plan_free(&result->plan);
	hs_capture_clear(&result->capture);
	hs_script_log_clear(&result->requests);
	memset(result, 0, sizeof(*result));
}
