/* SPDX-License-Identifier: MIT */
/*
 * A HID device made with uhid, with a thread that answers what the kernel asks.
 * It has input report 1, feature report 2 and output report 3, of 16 bytes each
 * with the report ID, and vendor usages, so that only hidraw claims it.
 */
#ifndef TESTS_KERNEL_DEVICE_H
#define TESTS_KERNEL_DEVICE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define REPORT_SIZE  16
#define MAX_REQUESTS 65536

struct device {
	int fd;
	int id; /* of the hid device, the suffix of its name */
	char name[32]; /* below /sys/bus/hid/devices */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool hold; /* do not answer requests now */
	bool stop;
	unsigned int requests; /* SET_REPORTs seen */
	unsigned int answered;
	uint64_t last_time; /* of the last SET_REPORT, CLOCK_MONOTONIC */
	uint8_t last[REPORT_SIZE]; /* and its bytes */
};

/* Returns when the device is bound to its driver. */
struct device *device_new(void);

/* Destroys the device and frees it. */
void device_free(struct device *dev);

/* Sends input report 1 with a number in bytes 1-4. */
void device_send(struct device *dev, uint32_t number);

/* The same in a report of this many bytes, REPORT_SIZE or more; the others are 0x5a. */
void device_send_long(struct device *dev, uint32_t number, size_t size);

/* Takes its driver from it, or gives it that again; it has the driver in both cases
 * when device_new() returns.
 */
void device_unbind(struct device *dev);
void device_bind(struct device *dev);

/* From now on requests wait for an answer, until false. */
void device_hold(struct device *dev, bool hold);

/* Waits for the n-th SET_REPORT, counted from the beginning; false after ms. */
bool device_wait_request(struct device *dev, unsigned int n, unsigned int ms);

#endif
