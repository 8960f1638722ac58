// SPDX-License-Identifier: GPL-2.0-only
/*
 * Process 1 of the VM that kernel/vm boots. The root is the host's, read-only: an
 * overlay makes it writable, then the command that lies in the exchange directory
 * runs, and the machine goes off. In C, because as a script it took half of the
 * time of a short run: each mount(8) is read through 9p and emulated.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXCHANGE "/run/hidsmith-vm"
#define P9_OPTS  "trans=virtio,version=9p2000.L,msize=262144"

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* To the kernel's log: that is what kernel/vm shows when there is no exit status. */
static void say(const char *fmt, ...)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	va_list args;

	va_start(args, fmt);
	vdprintf(fd >= 0 ? fd : STDERR_FILENO, fmt, args);
	va_end(args);
	if (fd >= 0)
		close(fd);
}

static void off(void)
{
	sync();
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void do_mount(const char *source, const char *target, const char *type, unsigned long flags,
		     const char *data)
{
	if (mkdir(target, 0755) && errno != EEXIST)
		say("vm-init: mkdir %s: %s\n", target, strerror(errno));
	if (mount(source, target, type, flags, data)) {
		say("<2>vm-init: mount %s on %s: %s\n", type, target, strerror(errno));
		off();
	}
}

/* File systems that a kernel may lack: tests that need them will say so. */
static void try_mount(const char *type, const char *target)
{
	if (!access(target, F_OK))
		mount("none", target, type, 0, NULL);
}

static void make_root_writable(void)
{
	do_mount("none", "/mnt", "tmpfs", 0, "mode=0755");
	mkdir("/mnt/upper", 0755);
	mkdir("/mnt/work", 0755);
	do_mount("none", "/mnt/root", "overlay", 0,
		 "lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work");

	/*
	 * A real root and not a chroot: udevd and others look for the difference.
	 * The old one is below us afterwards, and can go.
	 */
	if (chdir("/mnt/root") || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) ||
	    chdir("/")) {
		say("<2>vm-init: pivot_root: %s\n", strerror(errno));
		off();
	}
}

static void mount_all(void)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" },
		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },
		{ "/proc/self/fd/2", "/dev/stderr" },
	};

	do_mount("none", "/proc", "proc", 0, NULL);
	do_mount("none", "/sys", "sysfs", 0, NULL);
	do_mount("none", "/dev", "devtmpfs", 0, NULL);
	do_mount("none", "/dev/shm", "tmpfs", 0, NULL);
	do_mount("none", "/run", "tmpfs", 0, "mode=0755");
	mkdir("/dev/pts", 0755);
	try_mount("devpts", "/dev/pts");
	try_mount("bpf", "/sys/fs/bpf");
	try_mount("debugfs", "/sys/kernel/debug");
	try_mount("tracefs", "/sys/kernel/tracing");
	try_mount("securityfs", "/sys/kernel/security");
	try_mount("cgroup2", "/sys/fs/cgroup");
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i][0], links[i][1]) && errno != EEXIST)
			say("vm-init: %s: %s\n", links[i][1], strerror(errno));
}

/* EXCHANGE/writableN holds the directory that the share writableN belongs on. */
static void mount_writable(void)
{
	char file[64], tag[32], dir[4096];

	for (int i = 0;; i++) {
		ssize_t n;
		int fd;

		snprintf(tag, sizeof(tag), "writable%d", i);
		snprintf(file, sizeof(file), EXCHANGE "/%s", tag);
		fd = open(file, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		n = read(fd, dir, sizeof(dir) - 1);
		close(fd);
		if (n <= 1)
			continue;
		dir[n - 1] = '\0'; /* the line's end */
		do_mount(tag, dir, "9p", 0, P9_OPTS ",cache=none");
	}
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
}

/* The virtio port that carries the command's output: /dev/vportNp@port. */
static int open_port(int port)
{
	DIR *dev = opendir("/dev");
	struct dirent *d;
	int fd = -1;

	while (dev && (d = readdir(dev))) {
		int n, p;
		char end;

		if (sscanf(d->d_name, "vport%dp%d%c", &n, &p, &end) == 2 && p == port) {
			fd = openat(dirfd(dev), d->d_name, O_WRONLY | O_CLOEXEC);
			break;
		}
	}
	if (dev)
		closedir(dev);
	return fd;
}

static void run_command(void)
{
	int in = open(EXCHANGE "/stdin", O_RDONLY | O_CLOEXEC);
	int out = open_port(1), err = open_port(2);

	if (in < 0 || out < 0 || err < 0) {
		say("<2>vm-init: no port for the command's output\n");
		_exit(125);
	}
	setsid();
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	execl("/bin/bash", "bash", EXCHANGE "/command", (char *)NULL);
	say("<2>vm-init: /bin/bash: %s\n", strerror(errno));
	_exit(125);
}

static void write_status(int status)
{
	int fd = open(EXCHANGE "/status", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || dprintf(fd, "%d\n",
			      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)) < 0)
		say("<2>vm-init: exit status not written: %s\n", strerror(errno));
	if (fd >= 0)
		close(fd);
}

/*
 * The frequency of the host's time stamp counter, which is the emulated CPU's, too. The
 * VM itself may fail to measure it when the host is busy, and count jiffies then.
 */
static int print_tsc_khz(void)
{
	struct timespec a, b;
	unsigned long long from, to, ns;

	clock_gettime(CLOCK_MONOTONIC_RAW, &a);
	from = __builtin_ia32_rdtsc();
	usleep(100000);
	clock_gettime(CLOCK_MONOTONIC_RAW, &b);
	to = __builtin_ia32_rdtsc();
	ns = (b.tv_sec - a.tv_sec) * 1000000000ULL + b.tv_nsec - a.tv_nsec;
	printf("%llu\n", (to - from) * 1000000 / ns);
	return 0;
}

int main(int argc, char **argv)
{
	int status = 0;
	pid_t child, pid;

	if (argc > 1 && !strcmp(argv[1], "--tsc-khz"))
		return print_tsc_khz();

	make_root_writable();
	mount_all();
	do_mount("exchange", EXCHANGE, "9p", 0, P9_OPTS);
	mount_writable();
	loopback_up();

	child = fork();
	if (!child)
		run_command();
	/* Orphans come to us, too. */
	do {
		pid = wait(&status);
	} while (pid != child && (pid > 0 || errno == EINTR));
	if (pid == child)
		write_status(status);
	off();
}
