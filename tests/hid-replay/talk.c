// SPDX-License-Identifier: MIT
/*
 * talk NAME: the host's side of a test of the player. Waits for the HID device with
 * this name, then does what standard input says through hidraw, a line each:
 *
 *   read                     an input report
 *   output BYTES             an output report
 *   set-feature BYTES        SET_REPORT(Feature)
 *   get-feature ID SIZE      GET_REPORT(Feature); ID in hex
 *   get-input ID SIZE        GET_REPORT(Input)
 *   sleep MS
 *
 * and writes what came of each to standard output.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/hidraw.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS    20000
#define REPORT_MAX 256

static void sleep_ms(long ms)
{
	const struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static bool has_name(const char *node, const char *name)
{
	char path[512], line[512], want[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/device/uevent", node);
	snprintf(want, sizeof(want), "HID_NAME=%s\n", name);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = !strcmp(line, want);
	if (f)
		fclose(f);
	return found;
}

static int open_named(const char *name)
{
	int fd = -1;

	for (int ms = 0; ms < WAIT_MS && fd < 0; ms += 10) {
		glob_t g = { 0 };

		glob("/sys/class/hidraw/*", 0, NULL, &g);
		for (size_t i = 0; i < g.gl_pathc && fd < 0; i++) {
			char node[300];

			if (!has_name(g.gl_pathv[i], name))
				continue;
			snprintf(node, sizeof(node), "/dev/%s", strrchr(g.gl_pathv[i], '/') + 1);
			fd = open(node, O_RDWR | O_CLOEXEC);
		}
		globfree(&g);
		if (fd < 0)
			sleep_ms(10);
	}
	return fd;
}

static int parse_bytes(char *text, uint8_t *bytes)
{
	int n = 0;

	for (char *word = strtok(text, " \n"); word && n < REPORT_MAX; word = strtok(NULL, " \n"))
		bytes[n++] = (uint8_t)strtoul(word, NULL, 16);
	return n;
}

static void say(const char *what, int rc, const uint8_t *bytes)
{
	printf("%s ->", what);
	if (rc < 0) {
		printf(" error %d\n", errno);
		return;
	}
	printf(" %d", rc);
	for (int i = 0; bytes && i < rc; i++)
		printf(" %02x", bytes[i]);
	putchar('\n');
}

static void do_read(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint8_t bytes[REPORT_MAX];
	int rc = -1;

	errno = ETIMEDOUT;
	if (poll(&pfd, 1, WAIT_MS) > 0)
		rc = (int)read(fd, bytes, sizeof(bytes));
	say("read", rc, bytes);
}

static void do_get(int fd, const char *what, char *args)
{
	uint8_t bytes[REPORT_MAX] = { 0 };
	unsigned int size;
	int rc;

	bytes[0] = (uint8_t)strtoul(args, &args, 16);
	size = (unsigned int)strtoul(args, NULL, 10);
	if (!size || size > sizeof(bytes))
		size = sizeof(bytes);
	rc = ioctl(fd, !strcmp(what, "get-input") ? HIDIOCGINPUT(size) : HIDIOCGFEATURE(size),
		   bytes);
	say(what, rc, bytes);
}

static void do_set(int fd, const char *what, char *args)
{
	uint8_t bytes[REPORT_MAX];
	int n = parse_bytes(args, bytes), rc;

	if (!strcmp(what, "output"))
		rc = (int)write(fd, bytes, (size_t)n);
	else
		rc = ioctl(fd, HIDIOCSFEATURE(n), bytes);
	say(what, rc, NULL);
}

static void do_line(int fd, char *line)
{
	char *args = line + strcspn(line, " \n");

	if (*args)
		*args++ = '\0';
	if (!strcmp(line, "read"))
		do_read(fd);
	else if (!strcmp(line, "sleep"))
		sleep_ms(strtol(args, NULL, 10));
	else if (!strncmp(line, "get-", 4))
		do_get(fd, line, args);
	else if (*line && *line != '#')
		do_set(fd, line, args);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[1024];
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: talk NAME\n");
		return 2;
	}
	fd = open_named(argv[1]);
	if (fd < 0) {
		fprintf(stderr, "talk: no device '%s'\n", argv[1]);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin))
		do_line(fd, line);
	close(fd);
	return 0;
}
