// SPDX-License-Identifier: MIT
/* Reads what the JIT made of a program and compares it with patterns. */
#include "machine-code.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "private-stack.h"

static void set_names(struct machine_code *code, const struct bpf_prog_info *info)
{
	const struct bpf_func_info *funcs = (void *)(uintptr_t)info->func_info;
	struct btf *btf = btf__load_from_kernel_by_id(info->btf_id);
	const struct btf_type *t;
	unsigned int i;

	for (i = 0; btf && i < info->nr_func_info && i < code->count; i++) {
		t = btf__type_by_id(btf, funcs[i].type_id);
		snprintf(code->functions[i].name, sizeof(code->functions[i].name), "%s",
			 btf__name_by_offset(btf, t->name_off));
	}
	btf__free(btf);
}

int read_machine_code(int fd, struct machine_code *code)
{
	struct bpf_prog_info info = {};
	struct bpf_func_info *funcs = NULL;
	__u32 size = sizeof(info), *sizes = NULL, i;
	__u64 *addresses = NULL;
	size_t at = 0;
	int err;

	*code = (struct machine_code){};
	err = bpf_prog_get_info_by_fd(fd, &info, &size);
	if (err)
		return err;
	code->count = info.nr_jited_func_lens;
	code->image = malloc(info.jited_prog_len);
	code->functions = calloc(code->count, sizeof(*code->functions));
	sizes = calloc(code->count, sizeof(*sizes));
	addresses = calloc(code->count, sizeof(*addresses));
	funcs = calloc(code->count, sizeof(*funcs));
	err = -ENOMEM;
	if (!code->image || !code->functions || !sizes || !addresses || !funcs)
		goto out;

	info = (struct bpf_prog_info){
		.jited_prog_len = info.jited_prog_len,
		.jited_prog_insns = (uintptr_t)code->image,
		.nr_jited_func_lens = code->count,
		.jited_func_lens = (uintptr_t)sizes,
		.nr_jited_ksyms = code->count,
		.jited_ksyms = (uintptr_t)addresses,
		.nr_func_info = info.nr_func_info ? code->count : 0,
		.func_info_rec_size = sizeof(*funcs),
		.func_info = info.nr_func_info ? (uintptr_t)funcs : 0,
	};
	size = sizeof(info);
	err = bpf_prog_get_info_by_fd(fd, &info, &size);
	if (err)
		goto out;
	/* The kernel clears these for who may not see its addresses. */
	err = -EPERM;
	if (!info.jited_prog_insns || !info.jited_ksyms || !info.jited_func_lens)
		goto out;
	for (i = 0; i < code->count; i++) {
		code->functions[i].code = code->image + at;
		code->functions[i].size = sizes[i];
		code->functions[i].address = addresses[i];
		at += sizes[i];
	}
	if (info.nr_func_info)
		set_names(code, &info);
	err = at == info.jited_prog_len ? 0 : -EPROTO;
out:
	free(funcs);
	free(addresses);
	free(sizes);
	if (err)
		free_machine_code(code);
	return err;
}

void free_machine_code(struct machine_code *code)
{
	free(code->functions);
	free(code->image);
	*code = (struct machine_code){};
}

const struct function *function_named(const struct machine_code *code, const char *name)
{
	unsigned int i;

	for (i = 0; i < code->count; i++)
		if (!strcmp(code->functions[i].name, name))
			return &code->functions[i];
	return NULL;
}

/* Where the kernel has @name; 0 if nowhere, and for the first per-CPU variable. */
static unsigned long long kernel_symbol(const char *name)
{
	unsigned long long at, found = 0;
	char line[512], symbol[256];
	FILE *f = fopen("/proc/kallsyms", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %*c %255s", &at, symbol) != 2 || strcmp(symbol, name))
			continue;
		found = at;
		break;
	}
	if (f)
		fclose(f);
	return found;
}

static unsigned long long little_endian(const unsigned char *p, int bytes)
{
	unsigned long long value = 0;

	while (bytes--)
		value = value << 8 | p[bytes];
	return value;
}

struct matching {
	const struct machine_code *code;
	const struct function *f;
	unsigned long long *top;
};

/* Is there a call at @at that leads to @name? */
static bool calls(const struct matching *m, size_t at, const char *name)
{
	const struct function *callee = function_named(m->code, name);
	unsigned long long target;

	if (m->f->code[at] != 0xe8)
		return false;
	target = m->f->address + at + 5 +
		 (unsigned long long)(int)little_endian(m->f->code + at + 1, 4);
	return target == (callee ? callee->address : kernel_symbol(name));
}

/* Length of the return that ends the function at @at, or -1. */
static int length_of_return(const struct function *f, size_t at)
{
	size_t len = f->code[at] == 0xc3 ? 1 : f->code[at] == 0xe9 ? 5 : 0;

	/* An int3 follows where speculation behind it must stop. */
	if (len && at + len + 1 == f->size && f->code[at + len] == 0xcc)
		len++;
	return len && at + len == f->size ? (int)len : -1;
}

/* Length of the code at @at that is what @token says, or -1. */
static int match_token(const struct matching *m, size_t at, const char *token)
{
	const unsigned char *p = m->f->code + at;
	size_t left = m->f->size - at;
	int bytes;

	if (!strcmp(token, "..."))
		return (int)left;
	if (!left)
		return -1;
	if (!strcmp(token, "??"))
		return 1;
	if (!strcmp(token, "ret"))
		return length_of_return(m->f, at);
	if (!strncmp(token, "call:", 5))
		return left >= 5 && calls(m, at, token + 5) ? 5 : -1;
	if (*token == '@')
		return left >= 4 && little_endian(p, 4) == (unsigned int)kernel_symbol(token + 1)
			       ? 4
			       : -1;
	if (!strncmp(token, "top", 3)) {
		bytes = atoi(token + 3) / 8;
		if (left < (size_t)bytes)
			return -1;
		*m->top = little_endian(p, bytes);
		return bytes;
	}
	return *p == strtoul(token, NULL, 16) ? 1 : -1;
}

static bool differs(const struct matching *m, size_t at, const char *token)
{
	size_t i;
	int n;

	n = snprintf(ctx.why, sizeof(ctx.why), "%s: '%s' expected at byte %zu:", m->f->name, token,
		     at);
	for (i = 0; i < m->f->size && n < (int)sizeof(ctx.why) - 8; i++)
		n += snprintf(ctx.why + n, sizeof(ctx.why) - (size_t)n, "%s%02x",
			      i == at ? " >" : " ", m->f->code[i]);
	return false;
}

bool code_matches(const struct machine_code *code, const struct function *f, const char *pattern,
		  unsigned long long *top)
{
	struct matching m = { code, f, top };
	bool optional = false, skip = false;
	size_t at = 0, start = 0;
	char token[64];
	int n, len;

	while (sscanf(pattern, " %63s%n", token, &n) == 1) {
		pattern += n;
		if (*token == '[') {
			optional = true;
			skip = false;
			start = at;
			memmove(token, token + 1, strlen(token));
		}
		n = (int)strlen(token) - 1;
		if (optional && token[n] == ']') {
			token[n] = 0;
			optional = false;
		} else {
			n = 0;
		}
		len = skip ? 0 : match_token(&m, at, token);
		if (len < 0 && (optional || n)) {
			at = start;
			skip = true;
		} else if (len < 0) {
			return differs(&m, at, token);
		} else {
			at += (size_t)len;
		}
		if (!optional)
			skip = false;
	}
	return at == f->size || differs(&m, at, "end");
}
