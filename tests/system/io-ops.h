/* SPDX-License-Identifier: MIT */
/* What a report of the test's device asks io.bpf.c to do; see there. */
#ifndef TESTS_SYSTEM_IO_OPS_H
#define TESTS_SYSTEM_IO_OPS_H

enum op {
	OP_RUN = 1,
	OP_RUN_AFTER,
	OP_CANCEL,
	OP_ASK,
	OP_SLOW,
	OP_FAIL,
	OP_TICK,
	OP_POST,
	OP_POST_10,
	OP_RUN_3,
	OP_CANCEL_FAIL,
	OP_CANCEL_TICK,
	OP_RUN_SLOW_RUN,
	OP_CANCEL_ASK,
	OP_SLEEP, /* so many tenths of a second */
	OP_EACH,
	OP_RUN_POST,
	OP_ASK_LONG, /* for an answer that is 16 bytes long */
	OP_TICK_ERROR, /* the result of all further ticks */
	OP_NO_CONTEXT, /* 1: the device cannot be had, 0: it can */
	OP_ANSWER = 0x40,
	OP_INJECTED, /* of the fixup, to userspace */
	OP_RUN_INJECTED, /* of the fixup, to itself */
};

/* The argument of an answer that the fixup lets pass. */
#define ANSWER_PASSES 0x17
/* Arguments of a post that injects OP_RUN_INJECTED, as a report of this kind. */
#define POST_INPUT   0x70
#define POST_FEATURE 0x71
/* The first attempt fails; of the second one, it asks for one more run, too. */
#define POST_FAILS          0x80
#define POST_FAILS_AND_ASKS 0x8f

#endif
