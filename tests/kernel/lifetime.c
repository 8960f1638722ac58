// SPDX-License-Identifier: MIT
/*
 * What a callback that sleeps runs on must not go away under it.
 */
#include "device.h"
#include "harness.h"
#include "progs/lifetime.h"

#include <bpf/bpf.h>
#include <string.h>
#include <unistd.h>

enum kind { WQ, TIMER };

struct scene {
	struct device *dev;
	struct bpf_object *obj;
	struct bpf_link *link;
};

static struct scene start_scene(enum kind kind, bool flood)
{
	struct scene s = { .dev = device_new() };

	if (kind == TIMER)
		check(kernel_has_func("bpf_timer_set_sleepable_cb"),
		      "the kernel has no bpf_timer_set_sleepable_cb()");
	s.obj = open_object("lifetime");
	set_const(s.obj, "use_timer", kind == TIMER);
	set_const(s.obj, "flood", flood);
	set_const(s.obj, "hid_id", s.dev->id);
	set_hid_id(s.obj, "lifetime", s.dev->id);
	load_object(s.obj);
	s.link = bpf_map__attach_struct_ops(bpf_object__find_map_by_name(s.obj, "lifetime"));
	check(s.link, "the program does not attach");
	device_hold(s.dev, true);
	return s;
}

/* Leaves the callback blocked in its first request. */
static struct scene block_callback(enum kind kind)
{
	struct scene s = start_scene(kind, false);

	device_send(s.dev, 0);
	check(device_wait_request(s.dev, 1, 3000), "the callback did not run");
	return s;
}

/* Let RCU, work queues and whoever wants the memory have their time. */
static void let_go(void)
{
	sleep_ms(300);
	for (int i = 0; i < 8; i++) {
		struct bpf_object *other = open_object("lifetime");

		load_object(other);
		bpf_object__close(other);
	}
	sleep_ms(100);
}

static void finish(struct scene *s)
{
	let_go();
	device_hold(s->dev, false);
	check(device_wait_request(s->dev, 2, 3000), "the callback did not go on");
	check_int("second request's mark", s->dev->last[1], 2);
	sleep_ms(50);
	device_free(s->dev);
}

static void unload(enum kind kind)
{
	struct scene s = block_callback(kind);

	bpf_link__destroy(s.link);
	bpf_object__close(s.obj);
	finish(&s);
}

static void wq_unload(void)
{
	unload(WQ);
}

static void timer_unload(void)
{
	unload(TIMER);
}

/* The map's last reference from user space goes first, the link stays. */
static void last_map_ref(enum kind kind)
{
	struct scene s = block_callback(kind);

	bpf_object__close(s.obj);
	let_go();
	bpf_link__destroy(s.link);
	finish(&s);
}

static void wq_last_map_ref(void)
{
	last_map_ref(WQ);
}

static void timer_last_map_ref(void)
{
	last_map_ref(TIMER);
}

/* The link goes, the descriptors a moment later. */
static void detach(enum kind kind)
{
	struct scene s = block_callback(kind);

	check(!bpf_link__detach(s.link), "the link does not detach");
	let_go();
	bpf_link__destroy(s.link);
	bpf_object__close(s.obj);
	finish(&s);
}

static void wq_detach(void)
{
	detach(WQ);
}

static void timer_detach(void)
{
	detach(TIMER);
}

/* The device goes: the request ends at once, the callback after that. */
static void device_gone(enum kind kind)
{
	struct scene s = block_callback(kind);

	bpf_link__destroy(s.link);
	bpf_object__close(s.obj);
	let_go();
	device_free(s.dev);
	sleep_ms(200);
}

static void wq_device_gone(void)
{
	device_gone(WQ);
}

static void timer_device_gone(void)
{
	device_gone(TIMER);
}

/* One callback waits for the device's answer, the others for their turn to ask, and uhid's
 * queue is full. It takes a while until the last one has found that the device is gone,
 * longer than the device takes to go.
 */
static void requests_queued(enum kind kind)
{
	struct scene s = start_scene(kind, true);
	volatile uint32_t *started = find_var(s.obj, "started");
	volatile uint32_t *ended = find_var(s.obj, "ended");

	for (int i = 0; i < NR_CALLBACKS; i++)
		device_send(s.dev, i);
	check(wait_for(*started == NR_CALLBACKS, 20000), "only %u callbacks run", *started);
	check(device_wait_request(s.dev, 1, 3000), "no request came");
	device_free(s.dev);
	check(wait_for(*ended == NR_CALLBACKS, 20000), "only %u callbacks ended", *ended);
	bpf_link__destroy(s.link);
	bpf_object__close(s.obj);
}

static void wq_requests_queued(void)
{
	requests_queued(WQ);
}

static void timer_requests_queued(void)
{
	requests_queued(TIMER);
}

const struct test lifetime_tests[] = {
	{ "lifetime/wq-unload", "unload while a bpf_wq callback blocks", wq_unload },
	{ "lifetime/wq-last-map-ref", "the same, map first", wq_last_map_ref },
	{ "lifetime/wq-detach", "the same, by detaching the link", wq_detach },
	{ "lifetime/wq-device-gone", "the same, and the device goes", wq_device_gone },
	{ "lifetime/wq-requests-queued", "the device goes under requests of many callbacks",
	  wq_requests_queued },
	{ "lifetime/timer-unload", "unload while a sleepable timer callback blocks", timer_unload },
	{ "lifetime/timer-last-map-ref", "the same, map first", timer_last_map_ref },
	{ "lifetime/timer-detach", "the same, by detaching the link", timer_detach },
	{ "lifetime/timer-device-gone", "the same, and the device goes", timer_device_gone },
	{ "lifetime/timer-requests-queued", "the device goes under requests of many callbacks",
	  timer_requests_queued },
	{ 0 },
};
