// SPDX-License-Identifier: MIT
/*
 * A test that passes because nothing was reported is worth as much as those who
 * report. Each of them is provoked here, with the modules that the kernel has for
 * that and one of ours, and the harness must see what it says. Run in a VM for
 * themselves: lockdep goes off with its first report.
 */
#define _GNU_SOURCE
#include "checkers.h"

#include "guards.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char debugfs[] = "/sys/kernel/debug";

static void mount_debugfs(void)
{
	if (mount("debugfs", debugfs, "debugfs", 0, NULL) && errno != EBUSY)
		fail("%s: %s", debugfs, strerror(errno));
}

bool lockdep_is_on(void)
{
	FILE *f = fopen("/proc/lockdep_stats", "r");
	char line[256];
	int on = 0;

	check(f, "/proc/lockdep_stats: %s (run it on the debug kernel)", strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " debug_locks: %d", &on) == 1)
			break;
	fclose(f);
	return on;
}

char *scan_for_leaks(void)
{
	static const char path[] = "/sys/kernel/debug/kmemleak";
	static char found[4096];
	ssize_t n;
	int fd;

	mount_debugfs();
	fd = open(path, O_RDWR | O_CLOEXEC);
	check(fd >= 0, "%s: %s (run it on the debug kernel)", path, strerror(errno));
	/* Nothing younger than 5 s is a leak, and what is being freed needs its
	 * grace periods; a leak is one twice.
	 */
	for (int i = 0; i < 2; i++) {
		sleep_ms(6000);
		check(write(fd, "scan", 4) == 4, "kmemleak does not scan: %s", strerror(errno));
	}
	n = read(fd, found, sizeof(found) - 1);
	check(n >= 0, "%s: %s", path, strerror(errno));
	found[n] = '\0';
	close(fd);
	return n ? found : NULL;
}

/* kernel/build puts modules beside the kernel, and kernel/vm says where. */
int load_module(const char *name, const char *params)
{
	const char *dir = getenv("HIDSMITH_KERNEL");
	char path[PATH_MAX];
	int fd, err = 0;

	check(dir, "HIDSMITH_KERNEL is not set: kernel/vm does it");
	snprintf(path, sizeof(path), "%s/modules/%s.ko", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	check(fd >= 0, "%s: %s (run it on the debug kernel)", path, strerror(errno));
	if (syscall(SYS_finit_module, fd, params, 0))
		err = -errno;
	close(fd);
	return err;
}

void unload_module(const char *name)
{
	check(!syscall(SYS_delete_module, name, 0), "%s.ko stays: %s", name, strerror(errno));
}

/* Every checker that the tests on the debug kernel count on. */
static void config(void)
{
	static const char *const options[] = {
		"KASAN_GENERIC",
		"KASAN_VMALLOC",
		"PROVE_LOCKING",
		"PROVE_RCU",
		"DEBUG_ATOMIC_SLEEP",
		"DEBUG_OBJECTS_FREE",
		"DEBUG_OBJECTS_TIMERS",
		"DEBUG_OBJECTS_WORK",
		"DEBUG_OBJECTS_RCU_HEAD",
		"DEBUG_KMEMLEAK",
		"DEBUG_LIST",
	};
	const size_t n = sizeof(options) / sizeof(options[0]);
	FILE *f = popen("zcat /proc/config.gz", "r");
	bool set[sizeof(options) / sizeof(options[0])] = { false };
	char line[256], want[64];

	check(f, "zcat: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		for (size_t i = 0; i < n; i++) {
			snprintf(want, sizeof(want), "CONFIG_%s=y\n", options[i]);
			set[i] |= !strcmp(line, want);
		}
	}
	check(!pclose(f), "/proc/config.gz can't be read");
	for (size_t i = 0; i < n; i++)
		check(set[i], "the kernel has no CONFIG_%s", options[i]);
	check(lockdep_is_on(), "lockdep is off");
}

/* The kernel tests it at every boot, and says so. */
static void debug_objects(void)
{
	FILE *f = popen("dmesg", "r");
	bool passed = false;
	char line[1024];

	check(f, "dmesg: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		passed |= !!strstr(line, "ODEBUG: selftest passed");
	pclose(f);
	check(passed, "no \"ODEBUG: selftest passed\" in the kernel's log");
}

static void kmemleak(void)
{
	const char *found;

	check_int("kmemleak-test.ko", load_module("kmemleak-test", ""), 0);
	unload_module("kmemleak_test");
	found = scan_for_leaks();
	check(found && strstr(found, "unreferenced object"), "kmemleak did not find a leak");
}

static void crash(const char *how)
{
	static const char path[] = "/sys/kernel/debug/provoke-crash/DIRECT";
	int err, fd;

	err = load_module("lkdtm", "");
	check(!err || err == -EEXIST, "lkdtm.ko: %s", strerror(-err));
	mount_debugfs();
	fd = open(path, O_WRONLY | O_CLOEXEC);
	check(fd >= 0, "%s: %s", path, strerror(errno));
	check(write(fd, how, strlen(how)) == (ssize_t)strlen(how), "%s: %s", how, strerror(errno));
	close(fd);
}

/* Comes back from a system call with a spinlock, and with preemption disabled goes
 * into another one, that may sleep. It can be killed by that: it may not even take
 * a page fault.
 */
static void lock_held(void)
{
	struct sched_param first = { .sched_priority = 99 };

	/* If somebody's turn came just then, the kernel would report other things. */
	check(!sched_setscheduler(0, SCHED_FIFO, &first), "sched_setscheduler: %s",
	      strerror(errno));
	crash("SPINLOCKUP");
	open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void use_after_free(void)
{
	crash("READ_AFTER_FREE");
}

static void warning(void)
{
	crash("WARNING");
}

const struct test checker_tests[] = {
	{ "checkers/config", "all checkers are built in, lockdep is on", config },
	{ "checkers/debug-objects", "the kernel's own test of them passed", debug_objects },
	{ "checkers/kmemleak", "finds memory that a module lost", kmemleak },
	{ "checkers/guard-above", "what is written above a private stack frame is reported",
	  guards_above },
	{ "checkers/guard-below", "and what is written below one", guards_below },
	{ "checkers/guard-slot", "and in a nested event's own frames", guards_slot },
	{ "checkers/warning", "a WARN is seen", warning },
	{ "checkers/lock-held", "by lockdep, and sleeping with it by DEBUG_ATOMIC_SLEEP",
	  lock_held },
	{ "checkers/use-after-free", "is seen by KASAN", use_after_free },
	{ 0 },
};

const struct expected_report expected_reports[] = {
	{ "checkers/guard-above", "BPF private stack of program calls_fill", false },
	{ "checkers/guard-below", "BPF private stack of program calls_fill", false },
	{ "checkers/guard-slot", "BPF private stack of program in_slots", false },
	{ "checkers/warning", "WARNING: ", true },
	{ "checkers/lock-held", "lock held when returning to user space", true },
	{ "checkers/lock-held", "sleeping function called from invalid context", true },
	{ "checkers/use-after-free", "KASAN: slab-use-after-free", true },
	{ 0 },
};
