/* SPDX-License-Identifier: MIT */
/* What the files of this test share. */
#ifndef PRIVATE_STACK_H
#define PRIVATE_STACK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct bpf_link;
struct bpf_object;
struct bpf_program;

struct verdict {
	bool accept;
	int private_bytes; /* on each CPU; 0 for none, -1 for any number of them */
	const char *message; /* part of the verifier's reason, if refused */
};

struct test {
	const char *name;
	/* Load one program ... */
	const char *object, *program;
	struct verdict on_series, on_base;
	/* ... or do this; returns 0 if all was as it should be, see ctx.why. */
	int (*run)(const struct test *t);
};

/* Each ends with an entry that has no name. */
extern const struct test load_tests[];
extern const struct test run_tests[];
extern const struct test tail_call_tests[];
extern const struct test hid_tests[];
extern const struct test jited_tests[];
extern const struct test order_tests[];
extern const struct test memory_tests[];
extern const struct test forms_tests[];
extern const struct test arena_tests[];

struct ctx {
	const char *dir;
	bool base;
	bool table;
	char why[512]; /* the result of the current test in words */
};

extern struct ctx ctx;

/* Opens NAME.bpf.o with no program to be loaded. */
struct bpf_object *open_object(const char *name);

/* Loads the named programs of OBJECT.bpf.o; NULL ends the list. NULL and errno on failure. */
struct bpf_object *load_programs(const char *object, const char *first, ...)
	__attribute__((sentinel));

int prog_fd(struct bpf_object *obj, const char *name);
const char *verifier_log(void);

/* Makes the verifier's reason for the last refusal, or the error, the result. */
void set_reason(int err);

/* A number from a descriptor's fdinfo, or a negative errno. */
int fdinfo(int fd, const char *key);

/* A variable of the loaded object's .bss: the map itself, not a copy. */
void *data_of(struct bpf_object *obj, const char *variable, size_t *size);
int get_int(struct bpf_object *obj, const char *variable);
void set_int(struct bpf_object *obj, const char *variable, int value);

/*
 * The object's variable trace[] has a stack trace, innermost function first; it is taken
 * out. Returns how many of the first functions of @want, which ends with NULL, are in it
 * in this order, perhaps with others between: "_name" is one of a BPF program, "name" one
 * of the kernel that begins so. check_trace() returns 0 if all are.
 */
#define TRACE_MAX 64
int take_trace(struct bpf_object *obj, const char *const *want);
int check_trace(struct bpf_object *obj, const char *const *want);

/* Attaches to uprobe_here(), in this process only. */
struct bpf_link *attach_uprobe(const struct bpf_program *prog);
__attribute__((noinline)) void uprobe_here(void);

/* BPF_PROG_TEST_RUN. Returns 0 or a negative errno. */
int test_run(int fd, int *retval);

/* Writes to a file of the kernel's. Returns 0 or a negative errno. */
int write_file(const char *dir, const char *name, const char *text);

/* See stress.c and scarce.c. Return 0 if all was as it should be. */
int stress(int seconds);
int scarce(void);

#define REPORT_SIZE 8

struct device {
	int uhid;
	int hidraw;
	unsigned int id;
};

/* Makes a uhid device. Returns 0 or a negative errno; close it in either case. */
int open_device(struct device *dev);
void close_device(struct device *dev);

/* Sends the report 01 SECOND 10 20 30 40 50 60. Returns 0 or a negative errno. */
int send_report(struct device *dev, unsigned char second);

/* The next report that comes out of the device's hidraw node, in hexadecimal. */
const char *next_report(struct device *dev);

/* Opens hid.bpf.o with only the program @program and the maps that use it. */
struct bpf_object *open_hid(const char *program, const char *map_prefix);

/* To be called before the object is loaded: which device the struct_ops map is for. */
void set_device(struct bpf_object *obj, const char *name, struct device *dev);
struct bpf_link *attach_ops(struct bpf_object *obj, const char *name);

#endif
