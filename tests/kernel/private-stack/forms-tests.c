// SPDX-License-Identifier: MIT
/*
 * Every form of an instruction that accesses a frame must do in a private frame what it
 * does on the kernel stack, also if the JIT blinds constants.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../ktap.h"
#include "private-stack.h"

#define FRAME_BYTES 304
#define MAX_INSNS   2048

/* Loads that extend the sign, which older headers lack. */
#define MEMSX 0x80

#define INSN(c, d, s, o, i)                    \
	((struct bpf_insn){ .code = (__u8)(c), \
			    .dst_reg = (d),    \
			    .src_reg = (s),    \
			    .off = (o),        \
			    .imm = (__s32)(i) })

struct code {
	struct bpf_insn insns[MAX_INSNS];
	int count;
};

static void emit(struct code *c, struct bpf_insn insn)
{
	c->insns[c->count++] = insn;
}

static void emit_set(struct code *c, int reg, unsigned long long value)
{
	emit(c, INSN(BPF_LD | BPF_DW | BPF_IMM, reg, 0, 0, value));
	emit(c, INSN(0, 0, 0, 0, value >> 32));
}

/* r6 is the checksum of all that is seen. */
static void emit_sum(struct code *c, int reg)
{
	emit(c, INSN(BPF_ALU64 | BPF_MUL | BPF_K, BPF_REG_6, 0, 0, 31));
	emit(c, INSN(BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_6, reg, 0, 0));
}

static void emit_sum_of(struct code *c, int mode, int size, int off)
{
	emit(c, INSN(BPF_LDX | mode | size, BPF_REG_1, BPF_REG_10, off, 0));
	emit_sum(c, BPF_REG_1);
}

static void emit_moves(struct code *c, int off)
{
	static const int sizes[] = { BPF_B, BPF_H, BPF_W, BPF_DW };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		emit(c, INSN(BPF_ST | BPF_MEM | sizes[i], BPF_REG_10, 0, off, 0x8796a5b4));
		emit_sum_of(c, BPF_MEM, BPF_DW, off);
		emit_set(c, BPF_REG_2, 0xf1e2d3c4b5a69788ULL);
		emit(c, INSN(BPF_STX | BPF_MEM | sizes[i], BPF_REG_10, BPF_REG_2, off, 0));
		emit_sum_of(c, BPF_MEM, sizes[i], off);
		if (sizes[i] != BPF_DW)
			emit_sum_of(c, MEMSX, sizes[i], off);
	}
}

static void emit_atomics(struct code *c, int off)
{
	static const int sizes[] = { BPF_W, BPF_DW };
	static const int ops[] = {
		BPF_ADD,  BPF_ADD | BPF_FETCH, BPF_OR,  BPF_OR | BPF_FETCH,
		BPF_AND,  BPF_AND | BPF_FETCH, BPF_XOR, BPF_XOR | BPF_FETCH,
		BPF_XCHG, BPF_CMPXCHG,
	};
	size_t i, j;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (j = 0; j < sizeof(ops) / sizeof(*ops); j++) {
			emit_set(c, BPF_REG_2, 0x1122334455667788ULL);
			/* For CMPXCHG: once what is there, once not. */
			emit(c, INSN(BPF_LDX | BPF_MEM | sizes[i], BPF_REG_0, BPF_REG_10, off, 0));
			emit(c, INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_0, 0, 0, (int)i));
			emit(c, INSN(BPF_STX | BPF_ATOMIC | sizes[i], BPF_REG_10, BPF_REG_2, off,
				     ops[j]));
			emit_sum(c, BPF_REG_0);
			emit_sum(c, BPF_REG_2);
			emit_sum_of(c, BPF_MEM, BPF_DW, off);
		}
	}
}

/* The frame's address, in a register and as an argument of a helper. */
static void emit_pointers(struct code *c, int off)
{
	emit(c, INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_7, BPF_REG_10, 0, 0));
	emit(c, INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_7, 0, 0, off));
	emit(c, INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_7, 0, 0, 0x12345678));
	emit_sum_of(c, BPF_MEM, BPF_DW, off);
	/* From where there is nothing: it writes zeroes. */
	emit(c, INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_7, 0, 0));
	emit(c, INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, 3));
	emit(c, INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0));
	emit(c, INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel));
	emit(c, INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_8, BPF_REG_10, 0, 0));
	emit(c, INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_8, off, 0));
	emit_sum(c, BPF_REG_1);
	/* The other form of a pointer: r10 as the source of an addition. */
	emit(c, INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_8, 0, 0, off));
	emit(c, INSN(BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_8, BPF_REG_10, 0, 0));
	emit(c, INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_8, 0, 0));
	emit_sum(c, BPF_REG_1);
}

/* A main program of so many bytes, and a function that accesses both ends of its frame. */
static void make_program(struct code *c, int main_bytes)
{
	static const int offsets[] = { -16, -128, -136, -FRAME_BYTES };
	size_t i;

	c->count = 0;
	if (main_bytes)
		emit(c, INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -main_bytes, 1));
	emit(c, INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1));
	emit(c, INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
	emit(c, INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_6, 0, 0, 1));
	for (i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		emit(c, INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, offsets[i], 7));
		emit_moves(c, offsets[i]);
		emit_atomics(c, offsets[i]);
		emit_pointers(c, offsets[i]);
	}
	/* 32 bits are returned. */
	emit(c, INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_0, BPF_REG_6, 0, 0));
	emit(c, INSN(BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_0, 0, 0, 32));
	emit(c, INSN(BPF_ALU64 | BPF_XOR | BPF_X, BPF_REG_0, BPF_REG_6, 0, 0));
	emit(c, INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

/* Loads and runs it. Returns 0 or a negative errno. */
static int checksum(int main_bytes, bool private, int *sum)
{
	static char log[1 << 16];
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = sizeof(log),
		    .log_level = 4);
	static struct code c;
	int fd, err;

	make_program(&c, main_bytes);
	log[0] = 0;
	fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "forms", "GPL", c.insns, (size_t)c.count,
			   &opts);
	if (fd < 0) {
		snprintf(ctx.why, sizeof(ctx.why), "%s", strerror(-fd));
		if (strstr(log, "combined stack size of 2 calls is 608"))
			snprintf(ctx.why, sizeof(ctx.why), "refused: 608 bytes in 2 functions");
		else
			ktap_note("%.3000s", log);
		return fd;
	}
	err = (fdinfo(fd, "priv_stack") > 0) == private ? test_run(fd, sum) : -EPROTO;
	if (err)
		snprintf(ctx.why, sizeof(ctx.why), "%d bytes of private stack, test run: %s",
			 fdinfo(fd, "priv_stack"), strerror(-err));
	close(fd);
	return err;
}

static int compare(void)
{
	int on_stack = 0, in_private = 0;

	/* With what the main program has, it does not fit the kernel stack. */
	if (checksum(0, false, &on_stack))
		return 1;
	if (checksum(FRAME_BYTES, true, &in_private))
		return !ctx.base || !strstr(ctx.why, "608 bytes");
	snprintf(ctx.why, sizeof(ctx.why),
		 on_stack == in_private ? "the same as on the kernel stack"
					: "checksums: private %08x, on the kernel stack %08x",
		 (unsigned int)in_private, (unsigned int)on_stack);
	return on_stack != in_private || ctx.base;
}

static int forms(const struct test *t)
{
	(void)t;
	return compare();
}

static int write_harden(const char *value)
{
	int err = 0, fd = open("/proc/sys/net/core/bpf_jit_harden", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, 1) != 1)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* Each constant comes out of two instructions more. */
static int blinded(const struct test *t)
{
	int err = write_harden("2");

	(void)t;
	if (err) {
		snprintf(ctx.why, sizeof(ctx.why), "bpf_jit_harden: %s", strerror(-err));
		return 1;
	}
	err = compare();
	write_harden("0");
	return err;
}

const struct test forms_tests[] = {
	{ .name = "frame-accesses", .run = forms },
	{ .name = "frame-accesses-blinded", .run = blinded },
	{},
};
