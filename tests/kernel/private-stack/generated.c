// SPDX-License-Identifier: MIT
/* Makes and loads programs whose functions are in the order that a test wants. */
#include "generated.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "private-stack.h"

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })

/* Two instructions for each callback's address, two for its timer's, and a call. */
#define MAX_INSNS (MAX_FUNCS * (MAX_CALLS + 5 + 3))

struct program {
	struct bpf_insn insns[MAX_INSNS];
	int count;
	int start[MAX_FUNCS]; /* of each function, by its index */
	/* Of the instructions that name a function: which one. Others: NO_CALL. */
	int refers_to[MAX_INSNS];
	struct bpf_func_info info[MAX_FUNCS];
	int map;
};

static void emit(struct program *p, struct bpf_insn insn)
{
	p->refers_to[p->count] = NO_CALL;
	p->insns[p->count++] = insn;
}

static void emit_call(struct program *p, int func)
{
	emit(p, INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0));
	p->refers_to[p->count - 1] = func;
}

/* bpf_timer_set_callback() for the timer at the start of the map's only value. */
static void emit_set_callback(struct program *p, int func)
{
	emit(p, INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, p->map));
	emit(p, INSN(0, 0, 0, 0, 0));
	emit(p, INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2, BPF_PSEUDO_FUNC, 0, 0));
	p->refers_to[p->count - 1] = func;
	emit(p, INSN(0, 0, 0, 0, 0));
	emit(p, INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_timer_set_callback));
}

static void emit_callbacks(struct program *p, const struct generated *g)
{
	int i, func;

	for (i = 0; i < g->count; i++) {
		func = g->callbacks_last ? g->count - 1 - i : i;
		if (g->funcs[func].is_callback)
			emit_set_callback(p, func);
	}
}

static void emit_function(struct program *p, const struct generated *g, int func)
{
	const struct generated_func *f = &g->funcs[func];
	int i;

	p->start[func] = p->count;
	if (f->frame)
		emit(p, INSN(BPF_ST | BPF_DW | BPF_MEM, BPF_REG_10, 0, (__s16)-f->frame, 1));
	if (!func && !g->callbacks_last)
		emit_callbacks(p, g);
	for (i = 0; f->calls[i] != NO_CALL; i++)
		emit_call(p, f->calls[i]);
	if (!func && g->callbacks_last)
		emit_callbacks(p, g);
	emit(p, INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0));
	emit(p, INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

/* Now that all functions have their place. */
static void resolve(struct program *p)
{
	int i;

	for (i = 0; i < p->count; i++)
		if (p->refers_to[i] != NO_CALL)
			p->insns[i].imm = p->start[p->refers_to[i]] - i - 1;
}

/* The kernel wants to know that callbacks are static functions; one type is enough. */
static int load_btf(int *id)
{
	static int fd = -1, type;
	struct btf *btf;
	int ret, proto;

	*id = type;
	if (fd >= 0)
		return fd;
	btf = btf__new_empty();
	if (!btf)
		return -errno;
	ret = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	proto = ret < 0 ? ret : btf__add_func_proto(btf, ret);
	type = proto < 0 ? proto : btf__add_func(btf, "function", BTF_FUNC_STATIC, proto);
	fd = type < 0 ? type : btf__load_into_kernel(btf);
	if (!fd)
		fd = btf__fd(btf);
	/* The descriptor belongs to the object. */
	if (fd >= 0)
		btf__set_fd(btf, -1);
	btf__free(btf);
	*id = type;
	return fd;
}

static bool names_function(const struct bpf_insn *insn)
{
	return (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL) ||
	       (insn->code == (BPF_LD | BPF_DW | BPF_IMM) && insn->src_reg == BPF_PSEUDO_FUNC);
}

int describe_functions(const struct bpf_insn *insns, size_t count, struct bpf_func_info *info,
		       int *btf)
{
	int n = 0, type;
	size_t i, k;

	*btf = load_btf(&type);
	if (*btf < 0)
		return *btf;
	for (i = 0; i < count; i++) {
		bool begins = !i;

		for (k = 0; k < count && !begins; k++)
			begins = names_function(&insns[k]) && k + insns[k].imm + 1 == i;
		if (!begins)
			continue;
		if (n == MAX_FUNCS)
			return -E2BIG;
		info[n++] = (struct bpf_func_info){ .insn_off = (__u32)i, .type_id = (__u32)type };
	}
	return n;
}

int load_generated(const struct generated *g, char *log, unsigned int log_size)
{
	static struct program p;
	static struct bpf_object *maps;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = log_size,
		    .log_level = 4, /* errors and statistics only */
		    .expected_attach_type = (enum bpf_attach_type)g->attach_type,
		    .attach_btf_id = g->attach_btf_id, .func_info = p.info,
		    .func_info_cnt = (__u32)g->count, .func_info_rec_size = sizeof(p.info[0]));
	int i, func, err, btf, type;

	log[0] = 0;
	if (!maps) {
		/* Its maps alone. */
		maps = open_object("run");
		err = maps ? bpf_object__load(maps) : -ENOENT;
		if (err) {
			bpf_object__close(maps);
			maps = NULL;
			return err;
		}
	}
	btf = load_btf(&type);
	if (btf < 0)
		return btf;
	p.map = bpf_object__find_map_fd_by_name(maps, "elems");
	p.count = 0;
	for (i = 0; i < g->count; i++) {
		func = i && g->order ? g->order[i - 1] : i;
		p.info[i] = (struct bpf_func_info){ .insn_off = (__u32)p.count,
						    .type_id = (__u32)type };
		emit_function(&p, g, func);
	}
	resolve(&p);
	opts.prog_btf_fd = (__u32)btf;
	return bpf_prog_load((enum bpf_prog_type)g->type, "generated", "GPL", p.insns,
			     (size_t)p.count, &opts);
}
