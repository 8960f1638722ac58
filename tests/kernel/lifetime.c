// SPDX-License-Identifier: MIT
/*
 * What a callback that sleeps runs on must not go away under it, and programs are
 * attached to devices that are not there yet, or not any more.
 */
#include "device.h"
#include "harness.h"
#include "progs/input.h"
#include "progs/lifetime.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
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
	s.obj = open_for_device("lifetime", s.dev->id);
	set_const(s.obj, "use_timer", kind == TIMER);
	set_const(s.obj, "flood", flood);
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

static struct bpf_object *load_input(struct device *dev)
{
	struct bpf_object *obj = open_for_device("input", dev->id);

	load_object(obj);
	return obj;
}

static struct bpf_link *attach_input(struct bpf_object *obj)
{
	return bpf_map__attach_struct_ops(bpf_object__find_map_by_name(obj, "input"));
}

/* The kernel knows the device's reports while it has a driver, only. */
static void attach_unbound(void)
{
	struct scene s = { .dev = device_new() };
	volatile struct input_counts *counts;

	device_unbind(s.dev);
	s.obj = load_input(s.dev);
	counts = find_var(s.obj, "counts");
	s.link = attach_input(s.obj);
	check(s.link, "the program does not attach: %s", strerror(errno));
	/* the second time it is attached before */
	for (unsigned int sent = 0; sent < 200;) {
		device_bind(s.dev);
		for (unsigned int i = 0; i < 100; i++)
			device_send(s.dev, sent++);
		check_int("reports that the handler saw", counts->hardware, sent);
		check_int("reports out of order or twice", counts->out_of_order, 0);
		check_int("size of a report", counts->size, REPORT_SIZE);
		check(counts->room >= REPORT_SIZE, "the handler has memory for %u bytes of %d",
		      counts->room, REPORT_SIZE);
		device_unbind(s.dev);
	}
	bpf_link__destroy(s.link);
	bpf_object__close(s.obj);
	device_free(s.dev);
}

struct attacher {
	struct bpf_object *obj;
	bool stop;
	unsigned int links, refused;
	unsigned int gone; /* of the refused: with -ENODEV */
};

/* The device is gone (-ENODEV), or there is none of that number any more (-EINVAL). */
static void check_refused(int err)
{
	check(err == ENODEV || err == EINVAL, "attaching gives \"%s\"", strerror(err));
}

static void *attach_all_the_time(void *arg)
{
	struct attacher *a = arg;

	on_cpu(1);
	while (!__atomic_load_n(&a->stop, __ATOMIC_ACQUIRE)) {
		struct bpf_link *link = attach_input(a->obj);

		if (!link) {
			check_refused(errno);
			a->gone += errno == ENODEV;
			__atomic_add_fetch(&a->refused, 1, __ATOMIC_RELEASE);
			continue;
		}
		__atomic_add_fetch(&a->links, 1, __ATOMIC_RELEASE);
		bpf_link__destroy(link);
	}
	return NULL;
}

static void attach_destroy(void)
{
	unsigned int links = 0, gone = 0, rounds = 40;

	on_cpu(0);
	for (unsigned int i = 0; i < rounds; i++) {
		struct device *dev = device_new();
		struct attacher a = { .obj = load_input(dev) };
		unsigned int refused;
		pthread_t thread;

		check(!pthread_create(&thread, NULL, attach_all_the_time, &a), "no thread");
		check(wait_for(__atomic_load_n(&a.links, __ATOMIC_ACQUIRE), 3000),
		      "the program was not attached");
		sleep_ms(i % 7);
		device_free(dev);
		/* and some times after it, one of which may have begun before */
		refused = __atomic_load_n(&a.refused, __ATOMIC_ACQUIRE);
		check(wait_for(__atomic_load_n(&a.refused, __ATOMIC_ACQUIRE) > refused + 1, 3000),
		      "the program is attached to a device that is gone");
		__atomic_store_n(&a.stop, true, __ATOMIC_RELEASE);
		pthread_join(thread, NULL);
		check(!attach_input(a.obj), "the program attaches to nothing");
		check_refused(errno);
		links += a.links;
		gone += a.gone;
		bpf_object__close(a.obj);
	}
	note("attached %u times to %u devices, refused %u times while they went", links, rounds,
	     gone);
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
	{ "lifetime/attach-unbound", "a program attached before the driver sees its reports",
	  attach_unbound },
	{ "lifetime/attach-destroy", "attaching while the device goes works or gives -ENODEV",
	  attach_destroy },
	{ 0 },
};
