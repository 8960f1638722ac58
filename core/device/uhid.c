// SPDX-License-Identifier: MIT
#include "core/device/uhid.h"

#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <linux/uhid.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "core/base/util.h"

#define UHID_PATH "/dev/uhid"
/* The kernel announces the device from a worker, which a busy machine delays. */
#define ANNOUNCE_MS 10000
/* How often to ask whether the kernel gave the device up. */
#define ALIVE_MS 100

struct hs_uhid {
	int fd;
	int stop_fd;
	char *sysname;
	struct udev *udev;
	struct udev_monitor *monitor;

	const struct hs_uhid_ops *ops;
	void *data;
	pthread_t thread;
	bool has_thread;
	bool bound; /* by the messages read so far */
	_Atomic uint64_t last_request_ms;

	/* Of the thread alone: the answer that is still to be sent. */
	bool pending;
	uint64_t pending_ms; /* when */
	size_t reply_size;
	struct uhid_event reply;

	struct uhid_event input; /* of the feeding thread alone */
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* --- the device's thread --- */

static void send_reply(struct hs_uhid *dev)
{
	/* Fails only when the device is being destroyed: nobody waits any more. */
	ssize_t ignored = write(dev->fd, &dev->reply, dev->reply_size);

	(void)ignored;
	dev->pending = false;
	dev->ops->answered(dev->data);
}

static void ask(struct hs_uhid *dev, struct hs_request *req)
{
	atomic_store(&dev->last_request_ms, now_ms());
	/* The kernel asks one thing at a time; it gave up the one before. */
	if (dev->pending) {
		dev->pending = false;
		dev->ops->answered(dev->data);
	}
	req->answer = HS_ANSWER_OK;
	dev->ops->request(req, dev->data);
}

static void plan_reply(struct hs_uhid *dev, const struct hs_request *req)
{
	if (req->answer == HS_ANSWER_SILENT) {
		dev->ops->answered(dev->data);
		return;
	}
	dev->pending = true;
	dev->pending_ms = now_ms() + req->late_ms;
	if (!req->late_ms)
		send_reply(dev);
}

static void serve_get(struct hs_uhid *dev, const struct uhid_get_report_req *get)
{
	struct uhid_get_report_reply_req *reply = &dev->reply.u.get_report_reply;
	struct hs_request req = { .report_id = get->rnum };

	if (get->rtype == UHID_OUTPUT_REPORT) {
		dev->reply.type = UHID_GET_REPORT_REPLY;
		reply->id = get->id;
		reply->err = EOPNOTSUPP;
		reply->size = 0;
		dev->reply_size = offsetof(struct uhid_event, u.get_report_reply.data);
		dev->ops->refused("get-output", get->rnum, dev->data);
		send_reply(dev);
		return;
	}

	req.type =
		get->rtype == UHID_FEATURE_REPORT ? HS_REQUEST_GET_FEATURE : HS_REQUEST_GET_INPUT;
	ask(dev, &req);

	dev->reply.type = UHID_GET_REPORT_REPLY;
	reply->id = get->id;
	reply->err = req.answer == HS_ANSWER_ERROR ? (uint16_t)req.error : 0;
	reply->size = 0;
	if (req.answer == HS_ANSWER_OK && req.answer_size <= sizeof(reply->data)) {
		reply->size = (uint16_t)req.answer_size;
		if (req.answer_size)
			memcpy(reply->data, req.answer_data, req.answer_size);
	}
	dev->reply_size = offsetof(struct uhid_event, u.get_report_reply.data) + reply->size;
	plan_reply(dev, &req);
}

static void serve_set(struct hs_uhid *dev, const struct uhid_set_report_req *set)
{
	struct uhid_set_report_reply_req *reply = &dev->reply.u.set_report_reply;
	struct hs_request req = {
		.type = set->rtype == UHID_FEATURE_REPORT ? HS_REQUEST_SET_FEATURE
							  : HS_REQUEST_SET_OUTPUT,
		.report_id = set->rnum,
		.data = set->data,
		.size = set->size,
	};

	if (set->rtype == UHID_INPUT_REPORT) {
		dev->reply.type = UHID_SET_REPORT_REPLY;
		reply->id = set->id;
		reply->err = EOPNOTSUPP;
		dev->reply_size = offsetof(struct uhid_event, u) + sizeof(*reply);
		dev->ops->refused("set-input", set->rnum, dev->data);
		send_reply(dev);
		return;
	}

	ask(dev, &req);
	dev->reply.type = UHID_SET_REPORT_REPLY;
	reply->id = set->id;
	reply->err = req.answer == HS_ANSWER_ERROR ? (uint16_t)req.error : 0;
	dev->reply_size = offsetof(struct uhid_event, u) + sizeof(*reply);
	plan_reply(dev, &req);
}

static void serve_output(struct hs_uhid *dev, const struct uhid_output_req *output)
{
	struct hs_request req = {
		.type = HS_REQUEST_OUTPUT,
		.report_id = output->size ? output->data[0] : 0,
		.data = output->data,
		.size = output->size,
	};

	/* No answer, and it may come while a get or set request is waiting. */
	atomic_store(&dev->last_request_ms, now_ms());
	dev->ops->request(&req, dev->data);
}

static void serve(struct hs_uhid *dev, const struct uhid_event *ev)
{
	switch (ev->type) {
	case UHID_GET_REPORT:
		serve_get(dev, &ev->u.get_report);
		break;
	case UHID_SET_REPORT:
		serve_set(dev, &ev->u.set_report);
		break;
	case UHID_OUTPUT:
		serve_output(dev, &ev->u.output);
		break;
	case UHID_START:
		atomic_store(&dev->last_request_ms, now_ms());
		dev->ops->state(HS_UHID_START, dev->data);
		break;
	case UHID_STOP:
		dev->ops->state(HS_UHID_STOP, dev->data);
		break;
	case UHID_OPEN:
		dev->ops->state(HS_UHID_OPEN, dev->data);
		break;
	case UHID_CLOSE:
		dev->ops->state(HS_UHID_CLOSE, dev->data);
		break;
	default:
		break;
	}
}

/* Milliseconds until the pending answer is due, -1 when there is none. */
static int next_due(const struct hs_uhid *dev)
{
	uint64_t now = now_ms();

	if (!dev->pending)
		return -1;
	return dev->pending_ms > now ? (int)(dev->pending_ms - now) : 0;
}

static void *device_thread(void *arg)
{
	struct hs_uhid *dev = arg;
	hs_autofree struct uhid_event *ev = calloc(1, sizeof(*ev));
	struct pollfd fds[] = {
		{ .fd = dev->fd, .events = POLLIN },
		{ .fd = dev->stop_fd, .events = POLLIN },
	};

	if (!ev)
		return NULL;
	for (;;) {
		int n = poll(fds, HS_ARRAY_SIZE(fds), next_due(dev));

		if (n < 0 && errno != EINTR)
			break;
		if (dev->pending && !next_due(dev))
			send_reply(dev);
		/* All that is queued: the queue has 32 places, more are lost. */
		while (n > 0 && read(dev->fd, ev, sizeof(*ev)) > 0)
			serve(dev, ev);
		if (fds[1].revents)
			break;
	}
	/* Who waits for an answer must not wait for ever. */
	if (dev->pending) {
		dev->pending = false;
		dev->ops->answered(dev->data);
	}
	return NULL;
}

static int start_thread(struct hs_uhid *dev, struct hs_error *err)
{
	sigset_t all, old;
	int rc;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&dev->thread, NULL, device_thread, dev);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc)
		return hs_error_set(err, -rc, "cannot start a thread: %s", strerror(rc));
	dev->has_thread = true;
	return 0;
}

/* --- creation --- */

static int open_monitor(struct hs_uhid *dev, struct hs_error *err)
{
	dev->udev = udev_new();
	if (!dev->udev)
		return hs_error_set(err, -ENOMEM, "out of memory");
	/* The kernel's own messages: udevd need not run. */
	dev->monitor = udev_monitor_new_from_netlink(dev->udev, "kernel");
	if (!dev->monitor ||
	    udev_monitor_filter_add_match_subsystem_devtype(dev->monitor, "hid", NULL) < 0 ||
	    udev_monitor_enable_receiving(dev->monitor) < 0)
		return hs_error_set(err, -EIO, "cannot listen to the kernel's device messages");
	udev_monitor_set_receive_buffer_size(dev->monitor, 8 << 20);
	return 0;
}

static void copy_text(__u8 *to, size_t size, const char *from)
{
	size_t n = strlen(from);

	if (n > size - 1)
		n = size - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

static int write_create(struct hs_uhid *dev, const struct hs_recorded_device *rec,
			struct hs_error *err)
{
	hs_autofree struct uhid_event *ev = calloc(1, sizeof(*ev));
	struct uhid_create2_req *create;

	if (!ev)
		return hs_error_set(err, -ENOMEM, "out of memory");
	if (!rec->rdesc_size || rec->rdesc_size > HS_RDESC_MAX)
		return hs_error_set(err, -EINVAL,
				    "report descriptor of %zu bytes; the kernel takes 1 to %d",
				    rec->rdesc_size, HS_RDESC_MAX);

	ev->type = UHID_CREATE2;
	create = &ev->u.create2;
	copy_text(create->name, sizeof(create->name), rec->name);
	copy_text(create->phys, sizeof(create->phys), rec->phys);
	copy_text(create->uniq, sizeof(create->uniq), rec->uniq);
	create->rd_size = (uint16_t)rec->rdesc_size;
	create->bus = rec->id.bus;
	create->vendor = rec->id.vendor;
	create->product = rec->id.product;
	create->version = rec->id.version;
	memcpy(create->rd_data, rec->rdesc, rec->rdesc_size);
	if (write(dev->fd, ev, sizeof(*ev)) < 0)
		return hs_error_set(err, -errno, "%s: cannot create '%s': %s", UHID_PATH, rec->name,
				    strerror(errno));
	return 0;
}

/* uhid takes an answer to nothing as long as the kernel keeps the device. */
static bool is_alive(struct hs_uhid *dev)
{
	struct {
		uint32_t type;
		struct uhid_set_report_reply_req reply;
	} __attribute__((packed)) nothing = { .type = UHID_SET_REPORT_REPLY };

	return write(dev->fd, &nothing, sizeof(nothing)) > 0;
}

/*
 * The next message of the monitor within @ms.
 *
 * @return 1 with *@out set, 0 when there was none
 */
static int next_message(struct hs_uhid *dev, int ms, struct udev_device **out)
{
	struct pollfd pfd = { .fd = udev_monitor_get_fd(dev->monitor), .events = POLLIN };

	if (poll(&pfd, 1, ms) <= 0)
		return 0;
	*out = udev_monitor_receive_device(dev->monitor);
	return *out ? 1 : 0;
}

/* Is it the device that was created? Its own uhid is the parent of all of them. */
static bool is_ours(struct udev_device *message, const struct hs_recorded_device *rec)
{
	const char *path = udev_device_get_devpath(message);
	const char *action = udev_device_get_action(message);
	const char *sysname = udev_device_get_sysname(message);
	char want[32];

	if (!path || !action || !sysname || strcmp(action, "add") != 0)
		return false;
	if (strncmp(path, "/devices/virtual/misc/uhid/", 27) != 0)
		return false;
	snprintf(want, sizeof(want), "%04X:%04X:%04X.", rec->id.bus, rec->id.vendor,
		 rec->id.product);
	return !strncmp(sysname, want, strlen(want));
}

static int find_sysname(struct hs_uhid *dev, const struct hs_recorded_device *rec,
			struct hs_error *err)
{
	uint64_t end = now_ms() + ANNOUNCE_MS;
	struct udev_device *message;

	while (now_ms() < end) {
		if (!next_message(dev, ALIVE_MS, &message)) {
			if (!is_alive(dev))
				return hs_error_set(err, -ENODEV,
						    "%s: the kernel does not take this device; its "
						    "log (dmesg) says why",
						    rec->name);
			continue;
		}
		if (is_ours(message, rec))
			dev->sysname = strdup(udev_device_get_sysname(message));
		udev_device_unref(message);
		if (dev->sysname)
			return 0;
	}
	return hs_error_set(err, -ETIMEDOUT, "%s: the kernel did not announce the device in %d s",
			    rec->name, ANNOUNCE_MS / 1000);
}

static int open_uhid(struct hs_error *err)
{
	int fd = open(UHID_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	int rc = -errno;

	if (fd >= 0)
		return fd;
	if (rc == -ENOENT || rc == -ENODEV || rc == -ENXIO)
		return hs_error_set(err, -ENOTSUP,
				    "%s: %s; the kernel needs CONFIG_UHID (modprobe uhid)",
				    UHID_PATH, strerror(-rc));
	if (rc == -EACCES || rc == -EPERM)
		return hs_error_set(err, rc, "%s: %s; run as root, or in a VM with kernel/vm",
				    UHID_PATH, strerror(-rc));
	return hs_error_set(err, rc, "%s: %s", UHID_PATH, strerror(-rc));
}

/*
 * Nothing tells which of two equal devices belongs to which descriptor, so only one
 * is created at a time: until its name is known.
 */
static int create_and_find(struct hs_uhid *dev, const struct hs_recorded_device *rec,
			   struct hs_error *err)
{
	hs_autoclose int lock = open_uhid(err);
	int rc;

	if (lock < 0)
		return lock;
	if (flock(lock, LOCK_EX) < 0)
		return hs_error_set(err, -errno, "%s: lock: %s", UHID_PATH, strerror(errno));
	rc = open_monitor(dev, err);
	if (!rc)
		rc = write_create(dev, rec, err);
	if (!rc)
		rc = start_thread(dev, err);
	if (!rc)
		rc = find_sysname(dev, rec, err);
	return rc;
}

int hs_uhid_create(const struct hs_recorded_device *rec, const struct hs_uhid_ops *ops, void *data,
		   struct hs_uhid **out, struct hs_error *err)
{
	struct hs_uhid *dev = calloc(1, sizeof(*dev));
	int rc;

	if (!dev)
		return hs_error_set(err, -ENOMEM, "out of memory");
	dev->ops = ops;
	dev->data = data;
	dev->input.type = UHID_INPUT2;
	dev->stop_fd = -1;
	atomic_store(&dev->last_request_ms, now_ms());

	rc = dev->fd = open_uhid(err);
	if (rc < 0)
		goto fail;
	dev->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (dev->stop_fd < 0) {
		rc = hs_error_set(err, -errno, "eventfd: %s", strerror(errno));
		goto fail;
	}
	rc = create_and_find(dev, rec, err);
	if (rc)
		goto fail;
	*out = dev;
	return 0;
fail:
	hs_uhid_destroy(dev);
	return rc;
}

const char *hs_uhid_sysname(const struct hs_uhid *dev)
{
	return dev->sysname;
}

/* --- life --- */

static void note_binding(struct hs_uhid *dev, struct udev_device *message)
{
	const char *action = udev_device_get_action(message);
	const char *name = udev_device_get_sysname(message);

	if (!action || !name || strcmp(name, dev->sysname) != 0)
		return;
	if (!strcmp(action, "bind"))
		dev->bound = true;
	else if (!strcmp(action, "unbind"))
		dev->bound = false;
}

int hs_uhid_wait_bound(struct hs_uhid *dev, unsigned int timeout_ms, struct hs_error *err)
{
	struct udev_device *message;

	for (;;) {
		/*
		 * The driver link in sysfs is there while probe still runs; the message
		 * comes after it. A re-probe leaves several: the last one counts.
		 */
		while (next_message(dev, dev->bound ? 0 : ALIVE_MS, &message)) {
			note_binding(dev, message);
			udev_device_unref(message);
		}
		if (dev->bound)
			return 0;
		if (!is_alive(dev))
			return hs_error_set(err, -ENODEV,
					    "%s: the kernel gave the device up; its log (dmesg) "
					    "says why",
					    dev->sysname);
		if (now_ms() - atomic_load(&dev->last_request_ms) >= timeout_ms)
			return hs_error_set(err, -ETIMEDOUT,
					    "%s: no driver bound in %u ms; the kernel's log "
					    "(dmesg) says why, such as a report descriptor it "
					    "refuses",
					    dev->sysname, timeout_ms);
	}
}

int hs_uhid_input(struct hs_uhid *dev, const uint8_t *report, size_t size)
{
	if (size > sizeof(dev->input.u.input2.data))
		return -EMSGSIZE;
	dev->input.u.input2.size = (uint16_t)size;
	memcpy(dev->input.u.input2.data, report, size);
	/* The kernel takes what is missing at the end for zeros. */
	if (write(dev->fd, &dev->input, offsetof(struct uhid_event, u.input2.data) + size) < 0)
		return -errno;
	return 0;
}

void hs_uhid_destroy(struct hs_uhid *dev)
{
	struct uhid_event ev = { .type = UHID_DESTROY };
	uint64_t one = 1;
	ssize_t ignored;

	if (!dev)
		return;
	/*
	 * The thread first: it reads what was asked while the device was there, and
	 * nothing that comes later. What is not answered the kernel ends with the device.
	 */
	if (dev->has_thread) {
		ignored = write(dev->stop_fd, &one, sizeof(one));
		pthread_join(dev->thread, NULL);
	}
	if (dev->fd >= 0)
		ignored = write(dev->fd, &ev, sizeof(ev.type));
	(void)ignored;
	hs_closep(&dev->fd);
	hs_closep(&dev->stop_fd);
	udev_monitor_unref(dev->monitor);
	udev_unref(dev->udev);
	free(dev->sysname);
	free(dev);
}
