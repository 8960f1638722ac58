// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a BPF helper write where it must not. No program that the verifier accepts
 * leaves its frame, so that somebody else has to do it for a test: with this module,
 * bpf_probe_read_kernel() for 'size' bytes also writes the bytes 'before' and 'after'
 * them.
 */
#include <linux/kprobes.h>
#include <linux/module.h>

static unsigned int size, before, after;
module_param(size, uint, 0444);
module_param(before, uint, 0444);
module_param(after, uint, 0444);

/* The helper's arguments are destination, size and source. */
static int at_helper(struct kprobe *probe, struct pt_regs *regs)
{
	if (regs->si != size)
		return 0;
	regs->di -= before;
	regs->si += before + after;
	return 0;
}

static struct kprobe helper = {
	.symbol_name = "bpf_probe_read_kernel",
	.pre_handler = at_helper,
};

static int __init overrun_init(void)
{
	return register_kprobe(&helper);
}

static void __exit overrun_exit(void)
{
	unregister_kprobe(&helper);
}

module_init(overrun_init);
module_exit(overrun_exit);
MODULE_DESCRIPTION("Lets bpf_probe_read_kernel() write past its buffer, for a test");
MODULE_LICENSE("GPL");
