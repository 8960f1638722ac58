/* SPDX-License-Identifier: MIT */
/*
 * The frame of the kernel tests: a table of tests, run one after the other as
 * root in the VM, with KTAP on standard output.
 */
#ifndef TESTS_KERNEL_HARNESS_H
#define TESTS_KERNEL_HARNESS_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

struct test {
	const char *name; /* "group/what"; the table of results shows it */
	const char *story; /* one line: what must happen */
	void (*run)(void);
};

extern const struct test lifetime_tests[], timer_tests[], context_tests[], input_tests[],
	stress_tests[], checker_tests[];

/* What the kernel must report in a test: all texts that are there for it. */
extern const struct expected_report {
	const char *test;
	const char *text;
	bool kills; /* perhaps whoever caused it: the test need not come to its own end */
} expected_reports[];

/* Ends the running test as failed, with what differed. Does not return. */
void fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

#define check(cond, ...)                   \
	do {                               \
		if (!(cond))               \
			fail(__VA_ARGS__); \
	} while (0)

#define check_int(what, got, want)                                               \
	do {                                                                     \
		long long got_ = (got), want_ = (want);                          \
		check(got_ == want_, "%s is %lld, not %lld", what, got_, want_); \
	} while (0)

/* Prints a KTAP comment. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

uint64_t now_ns(void);
void sleep_ms(unsigned int ms);

/* The calling thread stays on this CPU from now on; a test with two needs two. */
void on_cpu(int cpu);

/* Polls until 'cond' holds or the time is over; gives the condition's last value. */
#define wait_for(cond, ms)                                  \
	({                                                  \
		uint64_t end_ = now_ns() + (ms)*1000000ULL; \
		bool ok_;                                   \
		while (!(ok_ = (cond)) && now_ns() < end_)  \
			sleep_ms(1);                        \
		ok_;                                        \
	})

/* Opens progs/NAME.bpf.o, which lies beside the program. */
struct bpf_object *open_object(const char *name);

/* Sets a variable of .rodata (before loading), finds one of .bss or .data (after). */
void set_const(struct bpf_object *obj, const char *name, int value);
void *find_var(struct bpf_object *obj, const char *name);

/* Puts the device's id into the struct_ops map. */
void set_hid_id(struct bpf_object *obj, const char *map, int id);

/* Opens NAME.bpf.o for one device: its id goes into the constant hid_id and the struct_ops
 * map NAME.
 */
struct bpf_object *open_for_device(const char *name, int id);

void load_object(struct bpf_object *obj);

/* Runs a SEC("syscall") program. */
void run_prog(struct bpf_object *obj, const char *prog, void *ctx, size_t size);

/* The verifier's and libbpf's words since the last clear. */
const char *log_text(void);
void log_clear(void);

bool kernel_has_func(const char *name);

/* How long a stress test takes, and the rounds of one that counts them, or 0 (--seconds,
 * --rounds).
 */
extern unsigned int stress_seconds, stress_rounds;

#endif
