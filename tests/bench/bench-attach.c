// SPDX-License-Identifier: MIT
/*
 * How long attaching takes, and where the time goes. Runs in the VM:
 *
 *	kernel/vm -- build/tests/bench/bench-attach OBJECT.bpf.o [TIMES]
 *
 * Prints medians in microseconds. Only ratios within one run mean something.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/btf.h>

#include "core/base/util.h"
#include "core/fixup/fixup.h"
#include "tests/system/uhid-device.h"

#define TIMES_MAX 1000

enum part { OPEN, PREPARE, LOAD, PROBE, ATTACH, PIN, ALL, DETACH, KERNEL_BTF, N_PARTS };

static const char *const names[N_PARTS] = {
	[OPEN] = "open: read and check the file",
	[PREPARE] = "prepare",
	[LOAD] = "load: maps, verifier, JIT",
	[PROBE] = "probe",
	[ATTACH] = "attach, with the device's re-probe if any",
	[PIN] = "pin",
	[ALL] = "all of it",
	[DETACH] = "detach",
	[KERNEL_BTF] = "for scale: parsing the kernel's BTF, a part of load",
};

static uint64_t taken[N_PARTS][TIMES_MAX];

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int once(const char *path, const char *sysname, size_t i, struct hs_error *err)
{
	struct hs_attach_timing t = { 0 };
	struct hs_attach_opts opts = { .size = sizeof(opts), .timing = &t };
	struct hs_fixup *fixup = NULL;
	uint64_t start = now_us(), opened, attached, detached;
	int rc;

	rc = hs_fixup_open(path, 0, &fixup, err);
	if (rc < 0)
		return rc;
	opened = now_us();
	rc = hs_fixup_attach(fixup, sysname, &opts, err);
	attached = now_us();
	hs_fixup_free(fixup);
	if (rc < 0)
		return rc;
	rc = hs_fixup_detach(sysname, NULL, NULL, err);
	detached = now_us();
	if (rc < 0)
		return rc;
	btf__free(btf__load_vmlinux_btf());

	taken[OPEN][i] = opened - start;
	taken[PREPARE][i] = t.prepare;
	taken[LOAD][i] = t.load;
	taken[PROBE][i] = t.probe;
	taken[ATTACH][i] = t.attach;
	taken[PIN][i] = t.pin;
	taken[ALL][i] = attached - start;
	taken[DETACH][i] = detached - attached;
	taken[KERNEL_BTF][i] = now_us() - detached;
	return 0;
}

/* A device with the first of the object's ids; probe programs may want more. */
static int plug(const char *path, struct uhid_device *dev, struct hs_error *err)
{
	static const uint8_t rdesc[] = {
		0x05, 0x01, /* Usage Page (Generic Desktop) */
		0x09, 0x02, /* Usage (Mouse) */
		0xa1, 0x01, /* Collection (Application) */
		0x15, 0x00, 0x25, 0x7f, /* Logical Minimum (0), Maximum (127) */
		0x09, 0x30, /*  Usage (X) */
		0x75, 0x08, 0x95, 0x02, /*  Report Size (8), Count (2) */
		0x81, 0x06, /*  Input (Data,Var,Rel) */
		0xc0, /* End Collection */
	};
	struct uhid_description d = { .name = "bench",
				      .phys = "",
				      .uniq = "bench-attach",
				      .rdesc = rdesc,
				      .rdesc_size = sizeof(rdesc) };
	const struct hs_match *match;
	struct hs_fixup *fixup = NULL;
	int rc;

	rc = hs_fixup_open(path, 0, &fixup, err);
	if (rc < 0)
		return rc;
	match = &hs_fixup_info(fixup)->matches[0];
	d.bus = match->bus ? match->bus : 3;
	d.vendor = match->vendor;
	d.product = match->product;
	hs_fixup_free(fixup);
	rc = uhid_device_create(dev, &d);
	if (rc < 0)
		hs_error_set(err, rc, "/dev/uhid: %s", strerror(-rc));
	return rc;
}

int main(int argc, char **argv)
{
	size_t times = argc > 2 ? strtoul(argv[2], NULL, 10) : 20;
	struct uhid_device dev = { .fd = -1 };
	struct hs_error err = { 0 };
	int rc;

	if (argc < 2 || argc > 3 || !times || times > TIMES_MAX) {
		fprintf(stderr, "usage: bench-attach OBJECT.bpf.o [TIMES]\n");
		return 2;
	}
	rc = plug(argv[1], &dev, &err);
	for (size_t i = 0; !rc && i < times; i++)
		rc = once(argv[1], dev.sysname, i, &err);
	if (rc < 0) {
		fprintf(stderr, "bench-attach: %s\n", err.text);
		return 1;
	}
	printf("%s, median of %zu:\n", argv[1], times);
	for (int part = 0; part < N_PARTS; part++) {
		qsort(taken[part], times, sizeof(taken[part][0]), compare);
		printf("%9llu us  %s\n", (unsigned long long)taken[part][times / 2], names[part]);
	}
	uhid_device_destroy(&dev);
	return 0;
}
