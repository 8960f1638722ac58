// SPDX-License-Identifier: MIT
/*
 * plug [SECONDS]: a hand that plugs devices in and out. Reads commands, one a line, and
 * answers each with one line, which begins with "error" if it did not work, within
 * SECONDS (20):
 *
 *   plug [id=BUS:VENDOR:PRODUCT] [rdesc=HEX] [name=TEXT] [phys=TEXT] [uniq=TEXT]
 *        [silent=1] [wait=none|add|bind]
 *                      answered with the device's sysname, or "ok" with wait=none
 *   input SYSNAME HEX  the device sends a report
 *   unplug SYSNAME     answered when the kernel has removed it
 *   unplug last        the one that was plugged in last, known by name or not
 *   corrected id=... HEX CODE
 *                      plugs in a device that sends the report HEX each millisecond;
 *                      answered with the microseconds until an event of type EV_REL
 *                      and that code came out of its input node, and its sysname
 *
 * TEXT may have \xNN for any byte. A device refuses get and set requests at once; a
 * silent one answers none, and the kernel waits 5 s for each.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/input.h>
#include <linux/uhid.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEVICES_MAX 64

/* A mouse with three buttons, X and Y. */
static const char default_rdesc[] = "05010902a1010901a10005091901290315002501950375018102"
				    "9501750581010501093009311581257f750895028106c0c0";

struct device {
	int fd;
	bool silent;
	char sysname[64];
};

static struct device devices[DEVICES_MAX];
static size_t n_devices;
static long long wait_ms = 20000;

static long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static size_t unhex(const char *s, __u8 *out, size_t size)
{
	size_t n = 0;

	for (; isxdigit((unsigned char)s[0]) && isxdigit((unsigned char)s[1]) && n < size; s += 2)
		out[n++] = (__u8)(hex_digit(s[0]) << 4 | hex_digit(s[1]));
	return n;
}

/* \xNN to bytes; as much as the kernel takes. */
static void unescape(const char *s, __u8 *out, size_t size)
{
	size_t n = 0;

	while (*s && n + 1 < size) {
		if (s[0] == '\\' && s[1] == 'x' && isxdigit((unsigned char)s[2]) &&
		    isxdigit((unsigned char)s[3])) {
			out[n++] = (__u8)(hex_digit(s[2]) << 4 | hex_digit(s[3]));
			s += 4;
		} else {
			out[n++] = (__u8)*s++;
		}
	}
	out[n] = 0;
}

static void serve_one(struct device *dev)
{
	struct uhid_event ev, answer = { 0 };

	if (read(dev->fd, &ev, sizeof(ev)) <= 0 || dev->silent)
		return;
	if (ev.type == UHID_GET_REPORT) {
		answer.type = UHID_GET_REPORT_REPLY;
		answer.u.get_report_reply.id = ev.u.get_report.id;
		answer.u.get_report_reply.err = EIO;
	} else if (ev.type == UHID_SET_REPORT) {
		answer.type = UHID_SET_REPORT_REPLY;
		answer.u.set_report_reply.id = ev.u.set_report.id;
		answer.u.set_report_reply.err = EIO;
	}
	if (answer.type && write(dev->fd, &answer, sizeof(answer)) < 0)
		perror("plug: answer");
}

/* Serve all devices until there is input, or for @ms. Returns whether there is input. */
static bool serve(int ms)
{
	struct pollfd fds[DEVICES_MAX + 1] = { { .fd = STDIN_FILENO, .events = POLLIN } };
	long long end = now_us() + ms * 1000LL;

	for (;;) {
		long long left = ms < 0 ? -1 : (end - now_us()) / 1000;

		/* With a time to wait for, commands have to wait. */
		if (ms >= 0)
			fds[0].fd = -1;
		for (size_t i = 0; i < n_devices; i++)
			fds[i + 1] = (struct pollfd){ .fd = devices[i].fd, .events = POLLIN };
		if (ms >= 0 && left <= 0)
			left = 0;
		if (poll(fds, n_devices + 1, (int)left) <= 0)
			return false;
		for (size_t i = 0; i < n_devices; i++)
			if (fds[i + 1].revents)
				serve_one(&devices[i]);
		if (ms < 0 && fds[0].revents)
			return true;
	}
}

static bool known(const char *sysname)
{
	for (size_t i = 0; i < n_devices; i++)
		if (!strcmp(devices[i].sysname, sysname))
			return true;
	return false;
}

/* The kernel gives the name; the newest of that identity is ours. */
static bool find_sysname(struct device *dev, const char *id, bool bound)
{
	char pattern[128];
	bool found = false;
	glob_t g;

	snprintf(pattern, sizeof(pattern), "/sys/devices/virtual/misc/uhid/%s.*%s", id,
		 bound ? "/driver" : "");
	if (glob(pattern, 0, NULL, &g))
		return false;
	for (size_t i = 0; i < g.gl_pathc && !found; i++) {
		char *name = g.gl_pathv[i] + strlen("/sys/devices/virtual/misc/uhid/");

		name[strcspn(name, "/")] = 0;
		found = !known(name);
		if (found)
			snprintf(dev->sysname, sizeof(dev->sysname), "%s", name);
	}
	globfree(&g);
	return found;
}

static void remove_device(size_t index)
{
	struct uhid_event ev = { .type = UHID_DESTROY };

	if (write(devices[index].fd, &ev, sizeof(ev)) < 0)
		perror("plug: destroy");
	close(devices[index].fd);
	memmove(&devices[index], &devices[index + 1],
		(--n_devices - index) * sizeof(devices[index]));
}

static void plug(char *args)
{
	struct uhid_event ev = { .type = UHID_CREATE2 };
	struct uhid_create2_req *create = &ev.u.create2;
	const char *rdesc = default_rdesc, *wait = "bind";
	struct device *dev = &devices[n_devices];
	char id[32] = "0003:1234:5678";
	unsigned int bus, vendor, product;

	*dev = (struct device){ 0 };
	strcpy((char *)create->name, "plug");
	for (char *arg = strtok(args, " "); arg; arg = strtok(NULL, " ")) {
		char *value = strchr(arg, '=');

		if (!value)
			continue;
		*value++ = 0;
		if (!strcmp(arg, "id"))
			snprintf(id, sizeof(id), "%s", value);
		else if (!strcmp(arg, "rdesc"))
			rdesc = value;
		else if (!strcmp(arg, "name"))
			unescape(value, create->name, sizeof(create->name));
		else if (!strcmp(arg, "phys"))
			unescape(value, create->phys, sizeof(create->phys));
		else if (!strcmp(arg, "uniq"))
			unescape(value, create->uniq, sizeof(create->uniq));
		else if (!strcmp(arg, "silent"))
			dev->silent = *value == '1';
		else if (!strcmp(arg, "wait"))
			wait = value;
	}
	if (n_devices == DEVICES_MAX || sscanf(id, "%x:%x:%x", &bus, &vendor, &product) != 3) {
		puts("error: id, or too many");
		return;
	}
	/* as the kernel prints them */
	snprintf(id, sizeof(id), "%04X:%04X:%04X", bus, vendor, product);
	create->bus = (__u16)bus;
	create->vendor = vendor;
	create->product = product;
	create->rd_size = (__u16)unhex(rdesc, create->rd_data, sizeof(create->rd_data));
	dev->fd = open("/dev/uhid", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (dev->fd < 0 || write(dev->fd, &ev, sizeof(ev)) < 0) {
		printf("error: %s\n", strerror(errno));
		return;
	}
	n_devices++;
	if (!strcmp(wait, "none")) {
		puts("ok");
		return;
	}
	for (int ms = 0; ms < wait_ms; ms++) {
		if (find_sysname(dev, id, !strcmp(wait, "bind"))) {
			puts(dev->sysname);
			return;
		}
		serve(1);
	}
	puts("error: the device did not appear");
}

static struct device *find(const char *sysname)
{
	if (!strcmp(sysname, "last"))
		return n_devices ? &devices[n_devices - 1] : NULL;
	for (size_t i = 0; i < n_devices; i++)
		if (!strcmp(devices[i].sysname, sysname))
			return &devices[i];
	return NULL;
}

static void input(struct device *dev, const char *hex)
{
	struct uhid_event ev = { .type = UHID_INPUT2 };

	ev.u.input2.size = (__u16)unhex(hex, ev.u.input2.data, sizeof(ev.u.input2.data));
	puts(write(dev->fd, &ev, sizeof(ev)) < 0 ? "error: input" : "ok");
}

/* Open the device's event node, as soon as there is one. */
static int open_event(const struct device *dev)
{
	char pattern[160], path[64];
	int fd = -1;
	glob_t g;

	snprintf(pattern, sizeof(pattern), "/sys/devices/virtual/misc/uhid/%s/input/input*/event*",
		 dev->sysname);
	if (glob(pattern, 0, NULL, &g))
		return -1;
	snprintf(path, sizeof(path), "/dev/input/%s", strrchr(g.gl_pathv[0], '/') + 1);
	globfree(&g);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd;
}

/* Returns 1 if the event came, 0 if not, -1 if the node has gone. */
static int read_events(int fd, unsigned int code)
{
	struct input_event ev;
	ssize_t n;

	while ((n = read(fd, &ev, sizeof(ev))) == sizeof(ev))
		if (ev.type == EV_REL && ev.code == code)
			return 1;
	return n < 0 && errno != EAGAIN ? -1 : 0;
}

static void corrected(char *args)
{
	struct uhid_event create = { .type = UHID_CREATE2 };
	struct uhid_event input = { .type = UHID_INPUT2 };
	struct device *dev = &devices[n_devices];
	unsigned int bus, vendor, product, code;
	char id[32], hex[64];
	long long start = now_us();
	int event = -1, came = 0;

	*dev = (struct device){ 0 };
	if (n_devices == DEVICES_MAX ||
	    sscanf(args, "id=%x:%x:%x %63s %u", &bus, &vendor, &product, hex, &code) != 5) {
		puts("error: arguments");
		return;
	}
	snprintf(id, sizeof(id), "%04X:%04X:%04X", bus, vendor, product);
	strcpy((char *)create.u.create2.name, "plug");
	create.u.create2.bus = (__u16)bus;
	create.u.create2.vendor = vendor;
	create.u.create2.product = product;
	create.u.create2.rd_size = (__u16)unhex(default_rdesc, create.u.create2.rd_data,
						sizeof(create.u.create2.rd_data));
	input.u.input2.size = (__u16)unhex(hex, input.u.input2.data, sizeof(input.u.input2.data));
	dev->fd = open("/dev/uhid", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (dev->fd < 0 || write(dev->fd, &create, sizeof(create)) < 0) {
		printf("error: %s\n", strerror(errno));
		return;
	}
	n_devices++;
	while (!came && now_us() - start < wait_ms * 1000) {
		if (!dev->sysname[0])
			find_sysname(dev, id, false);
		if (event < 0 && dev->sysname[0])
			event = open_event(dev);
		if (event >= 0 && write(dev->fd, &input, sizeof(input)) < 0)
			break;
		came = event < 0 ? 0 : read_events(event, code);
		/* The re-probe makes a new node. */
		if (came < 0) {
			close(event);
			event = -1;
			came = 0;
		}
		if (!came)
			serve(1);
	}
	if (event >= 0)
		close(event);
	if (came)
		printf("%lld %s\n", now_us() - start, dev->sysname);
	else
		puts("error: no such event");
}

static void command(char *line)
{
	char *args = line + strcspn(line, " ");
	char *rest;
	struct device *dev;

	if (*args)
		*args++ = 0;
	if (!strcmp(line, "plug")) {
		plug(args);
		return;
	}
	if (!strcmp(line, "corrected")) {
		corrected(args);
		return;
	}
	rest = args + strcspn(args, " ");
	if (*rest)
		*rest++ = 0;
	dev = find(args);
	if (!dev) {
		printf("error: no device %s\n", args);
	} else if (!strcmp(line, "unplug")) {
		remove_device((size_t)(dev - devices));
		puts("ok");
	} else if (!strcmp(line, "input")) {
		input(dev, rest);
	} else {
		printf("error: no command %s\n", line);
	}
}

int main(int argc, char **argv)
{
	char line[16384];
	size_t used = 0;

	if (argc > 1)
		wait_ms = atoi(argv[1]) * 1000LL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Read by hand: what stdio has buffered poll() does not see. */
	while (serve(-1)) {
		ssize_t n = read(STDIN_FILENO, line + used, sizeof(line) - 1 - used);
		char *end;

		if (n <= 0)
			break;
		used += (size_t)n;
		line[used] = 0;
		while ((end = strchr(line, '\n'))) {
			*end++ = 0;
			command(line);
			used -= (size_t)(end - line);
			memmove(line, end, used + 1);
		}
	}
	return 0;
}
