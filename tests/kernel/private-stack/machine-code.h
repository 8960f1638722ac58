/* SPDX-License-Identifier: MIT */
/* What the JIT made of a program, and patterns to compare it with. */
#ifndef MACHINE_CODE_H
#define MACHINE_CODE_H

#include <stdbool.h>
#include <stddef.h>

struct function {
	char name[64]; /* empty if the program has no BTF */
	const unsigned char *code;
	size_t size;
	unsigned long long address;
};

struct machine_code {
	unsigned char *image;
	struct function *functions; /* in the order of the program, the main one first */
	unsigned int count;
};

/* Reads the image of a loaded program. Returns 0 or a negative errno. */
int read_machine_code(int fd, struct machine_code *code);
void free_machine_code(struct machine_code *code);

/* NULL if there is no such function. */
const struct function *function_named(const struct machine_code *code, const char *name);

/*
 * Compares all of the function's code with a pattern, a text of
 *
 *   1f 44         bytes in hexadecimal
 *   ??            any byte
 *   [f3 0f]       bytes that may be there or not
 *   @symbol       the low 4 bytes of the address of a symbol of the kernel
 *   call:NAME     call of a function of the program or of the kernel
 *   top64 top32   8 or 4 bytes, a number that is stored in *@top
 *   ret           a return, in any of the JIT's forms, at the function's end
 *   ...           whatever there is up to the function's end
 *
 * If they differ, puts where and how into ctx.why.
 */
bool code_matches(const struct machine_code *code, const struct function *f, const char *pattern,
		  unsigned long long *top);

/*
 * How each function begins: endbr64 with IBT, a nop for trampolines, a nop that is
 * xor rax, rax in a main program with tail calls, push rbp, mov rbp, rsp.
 */
#define ENTRY "[f3 0f 1e fa] 0f 1f 44 00 00 0f 1f 00 55 48 89 e5 [f3 0f 1e fa] "
/* movabs r9, top of the frame; add r9, gs:[this_cpu_off] */
#define PRIVATE_FRAME "49 b9 top64 65 4c 03 0c 25 @this_cpu_off "
/*
 * mov r9, gs:[current_task]; mov r9, [r9 + bpf_ctx]; mov r9, [r9 + priv_stack];
 * add r9, top of the frame within the slot
 */
#define SLOT_FRAME                  \
	"65 4c 8b 0c 25 @pcpu_hot " \
	"4d 8b 89 ?? ?? ?? ?? "     \
	"4d 8b 89 ?? ?? 00 00 "     \
	"49 81 c1 top32 "
/* push r9: the word below the saved rbp */
#define SAVE "41 51 "
/* mov r9, [rbp - 8] */
#define RELOAD "4c 8b 4d f8 "
/* leave; ret */
#define RETURN "c9 ret"

#endif
