/* SPDX-License-Identifier: MIT */
/* Programs of functions with a given frame and given callees, in a given order. */
#ifndef GENERATED_H
#define GENERATED_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_insn;

#define MAX_CALLS 4
#define NO_CALL   (-1)
#define MAX_FUNCS 128
#define CALLS(...)                   \
	{                            \
		__VA_ARGS__, NO_CALL \
	}
#define NO_CALLS        \
	{               \
		NO_CALL \
	}

struct generated_func {
	int frame; /* bytes */
	int calls[MAX_CALLS + 1]; /* indices of functions; NO_CALL ends the list */
	bool is_callback; /* of a timer that the main function sets it for */
};

struct generated {
	/* The main function is the first; @order says how the others follow it. */
	const struct generated_func *funcs;
	int count;
	const int *order; /* NULL: as in @funcs */
	bool callbacks_last; /* set timers after the calls, and in the opposite order */
	/* As in bpf_prog_load(). */
	int type, attach_type;
	unsigned int attach_btf_id;
};

/*
 * Loads it. Returns a descriptor or a negative errno; the verifier's messages are in
 * @log. To be called once with a program that loads before memory is limited.
 */
int load_generated(const struct generated *g, char *log, unsigned int log_size);

struct bpf_func_info;

/*
 * Says of every function of the program that it is static and returns an int. @info has
 * room for MAX_FUNCS. Returns how many there are, or a negative errno; @btf is the
 * descriptor that their type is in, and stays open.
 */
int describe_functions(const struct bpf_insn *insns, size_t count, struct bpf_func_info *info,
		       int *btf);

#endif
