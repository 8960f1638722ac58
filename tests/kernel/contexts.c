// SPDX-License-Identifier: MIT
/*
 * What the verifier takes and refuses, by where the code may sleep.
 */
#include "harness.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GFP_ATOMIC            0x820
#define GFP_KERNEL            0xcc0
#define BPF_PSEUDO_KFUNC_CALL 2

static char verifier_log[1 << 20];

/* Loads one program of an object alone. Returns the object, or NULL if the
 * program was refused; either way verifier_log has the verifier's words.
 */
static struct bpf_object *load_one(const char *object, const char *name, unsigned int level)
{
	struct bpf_object *obj = open_object(object);
	struct bpf_program *prog;

	prog = bpf_object__find_program_by_name(obj, name);
	check(prog, "no program %s", name);
	bpf_program__set_autoload(prog, true);
	memset(verifier_log, 0, 64);
	bpf_program__set_log_buf(prog, verifier_log, sizeof(verifier_log));
	bpf_program__set_log_level(prog, level);
	if (bpf_object__load(obj)) {
		bpf_object__close(obj);
		return NULL;
	}
	log_clear();
	return obj;
}

static struct bpf_object *must_load(const char *name)
{
	struct bpf_object *obj = load_one("contexts", name, 1);

	check(obj, "%s was refused: %s", name, verifier_log);
	return obj;
}

static void accept(const char *name)
{
	bpf_object__close(must_load(name));
}

/* Refused, and for this reason: each text must be in the log. */
static void reject_for(const char *name, const char *const *texts)
{
	struct bpf_object *obj = load_one("contexts", name, 1);

	check(!obj, "%s was accepted", name);
	log_clear();
	for (; *texts; texts++)
		check(strstr(verifier_log, *texts), "the log has no \"%s\" but: %s", *texts,
		      verifier_log);
}

#define reject(name, ...) reject_for(name, (const char *const[]){ __VA_ARGS__, NULL })

static unsigned int count(const char *text)
{
	unsigned int n = 0;

	for (const char *p = verifier_log; (p = strstr(p, text)); p++)
		n++;
	return n;
}

static struct bpf_prog_info info_of(struct bpf_object *obj, const char *name,
				    struct bpf_insn *insns, size_t *nr)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = bpf_program__fd(bpf_object__find_program_by_name(obj, name));

	if (nr) {
		info.xlated_prog_insns = (__u64)(unsigned long)insns;
		info.xlated_prog_len = *nr * sizeof(*insns);
	}
	check(!bpf_prog_get_info_by_fd(fd, &info, &len), "no information about %s", name);
	if (nr)
		*nr = info.xlated_prog_len / sizeof(*insns);
	return info;
}

static unsigned int verified_insns(const char *name)
{
	struct bpf_object *obj = must_load(name);
	unsigned int n = info_of(obj, name, NULL, NULL).verified_insns;

	bpf_object__close(obj);
	return n;
}

/* The allocation flags that the verifier gave to the program's
 * bpf_task_storage_get(): there is one call of it.
 */
static void check_gfp(const char *name, int want)
{
	static struct bpf_insn insns[4096];
	size_t nr = sizeof(insns) / sizeof(insns[0]);
	struct bpf_object *obj = must_load(name);
	unsigned int found = 0;

	info_of(obj, name, insns, &nr);
	for (size_t i = 0; i + 1 < nr; i++) {
		/* r5 = flags, right before the call */
		if (insns[i].code != (BPF_ALU64 | BPF_MOV | BPF_K) ||
		    insns[i].dst_reg != BPF_REG_5 || insns[i + 1].code != (BPF_JMP | BPF_CALL) ||
		    insns[i + 1].src_reg != 0)
			continue;
		if (insns[i].imm != GFP_ATOMIC && insns[i].imm != GFP_KERNEL)
			continue;
		found++;
		check(insns[i].imm == want, "%s allocates with %#x, not %#x", name, insns[i].imm,
		      want);
	}
	check_int("bpf_task_storage_get() calls", found, 1);
	bpf_object__close(obj);
}

static void timer_sleeps_helper(void)
{
	reject("syscall_timer_sleeps_helper", "helper call might sleep in a non-sleepable prog",
	       "bpf_copy_from_user may sleep", "('cb_sleeps_helper') is a timer callback");
}

static void timer_sleeps_kfunc(void)
{
	reject("syscall_timer_sleeps_kfunc", "must be sleepable to call sleepable kfunc",
	       "bpf_copy_from_user_str may sleep", "('cb_sleeps_kfunc') is a timer callback");
}

static void timer_requests(void)
{
	reject("syscall_timer_requests", "must be sleepable to call sleepable kfunc hid_bpf_");
}

static void timer_of_wq_sleeps(void)
{
	reject("syscall_wq_sets_timer_that_sleeps", "bpf_copy_from_user_str may sleep",
	       "is a timer callback");
}

static void plain_timer_sleeps(void)
{
	reject("plain_timer_sleeps", "bpf_copy_from_user_str may sleep", "is a timer callback");
}

static void sleepable_sleeps(void)
{
	accept("plain_sleepable_sleeps");
	accept("plain_timer_sets_sleepable");
	accept("plain_sleepable_g_sleeps");
}

static void same_callback_both_ways(void)
{
	reject("plain_same_cb_both_ways", "bpf_copy_from_user_str may sleep");
}

static void not_a_timer(void)
{
	reject("plain_not_a_timer", "doesn't point to 'struct bpf_timer'");
}

static void global_neutral_both(void)
{
	accept("plain_wq_g_neutral");
	accept("syscall_timer_g_neutral");
	accept("syscall_rcu_g_neutral");
}

static void global_sleeps_plain(void)
{
	reject("plain_g_sleeps", "bpf_copy_from_user_str may sleep",
	       "('g_sleeps') is called in a non-sleepable context by insn", "('plain_g_sleeps')");
}

static void global_sleeps_from_timer(void)
{
	reject("syscall_timer_g_sleeps", "bpf_copy_from_user_str may sleep",
	       "('g_sleeps') is called in a non-sleepable context by insn", "('cb_g_sleeps')");
}

static void global_sleeps_under_rcu(void)
{
	reject("syscall_rcu_g_sleeps", "bpf_copy_from_user_str may sleep",
	       "('g_sleeps') is called in a non-sleepable context by insn");
}

static void global_sleeps_from_wq(void)
{
	accept("plain_wq_g_sleeps");
}

static void global_sleeps_both(void)
{
	reject("plain_both_g_sleeps", "bpf_copy_from_user_str may sleep",
	       "('g_sleeps') is called in a non-sleepable context by insn");
}

static void global_through_two(void)
{
	accept("plain_wq_g_calls_calls_sleeps");
	reject("plain_both_g_calls_calls_sleeps", "bpf_copy_from_user_str may sleep",
	       "('g_sleeps') is called in a non-sleepable context by insn", "of func#",
	       "('g_calls_sleeps')");
}

static void recursion_of_contexts(void)
{
	accept("plain_recursion_of_contexts");
}

static void storage_sleepable(void)
{
	check_gfp("syscall_storage", GFP_KERNEL);
}

static void storage_wq(void)
{
	check_gfp("plain_wq_only_storage", GFP_KERNEL);
}

static void storage_timer(void)
{
	check_gfp("syscall_timer_storage", GFP_ATOMIC);
}

static void storage_both(void)
{
	check_gfp("syscall_timer_g_storage", GFP_ATOMIC);
	check_gfp("syscall_rcu_g_storage", GFP_ATOMIC);
	check_gfp("plain_wq_g_storage", GFP_ATOMIC);
}

static void rcu_trust(void)
{
	accept("plain_g_trusts_rcu");
	reject("plain_wq_g_trusts_rcu", "('g_trusts_rcu') is called in a sleepable context by insn",
	       "('cb_g_trusts_rcu')");
}

/* The kernel holds a lock where it calls these, of a program that may sleep. */
static void callback_under_rcu_sleeps(void)
{
	reject("syscall_hash_each_sleeps", "bpf_copy_from_user may sleep",
	       "('each_sleeps') is called in a read side section of RCU");
	reject("syscall_array_and_hash_each_sleeps", "bpf_copy_from_user may sleep",
	       "('each_sleeps') is called in a read side section of RCU");
	reject("syscall_find_vma_sleeps", "bpf_copy_from_user may sleep",
	       "('vma_sleeps') is called in a read side section of RCU");
	accept("syscall_array_each_sleeps");
}

static void loops_both(void)
{
	accept("plain_wq_g_loops");
}

static void map_of_wrong_type(void)
{
	reject("plain_wq_trie", "Sleepable programs can only use array, hash");
}

static void map_used_elsewhere(void)
{
	accept("plain_trie_wq_else");
}

/* Each global subprogram once for each context it is called in, not more. */
static void verified_once(void)
{
	struct bpf_object *obj = load_one("contexts", "plain_recursion_of_contexts", 2);

	check(obj, "refused: %s", verifier_log);
	check_int("times g_neutral is verified", count("Validating g_neutral()"), 2);
	check_int("times g_sleeps_calls_neutral is verified",
		  count("Validating g_sleeps_calls_neutral()"), 1);
	bpf_object__close(obj);

	obj = load_one("contexts", "plain_wq_g_calls_calls_sleeps", 2);
	check(obj, "refused: %s", verifier_log);
	check_int("times g_sleeps is verified", count("Validating g_sleeps()"), 1);
	bpf_object__close(obj);
}

/* Two contexts cost what the subprogram costs once more, and one costs what it
 * did: the parts add up to the whole.
 */
static void instruction_count(void)
{
	unsigned int both = verified_insns("plain_wq_g_neutral");
	unsigned int plain = verified_insns("plain_g_neutral");
	unsigned int wq = verified_insns("plain_wq_only_g_neutral");
	struct bpf_object *obj = load_one("contexts", "plain_g_neutral", 2);
	char *from = verifier_log;
	unsigned int g = 0, main_insns, total;

	check(obj, "refused: %s", verifier_log);
	from = strstr(verifier_log, "Validating g_neutral()");
	check(from, "g_neutral was not verified");
	/* instructions of g_neutral: its lines "N: (xx) ..." in the log */
	for (char *line = from; line && *line; line = strchr(line, '\n')) {
		unsigned int n, code;
		char dummy;

		line += *line == '\n';
		g += sscanf(line, "%u: (%x%c", &n, &code, &dummy) == 3 && dummy == ')';
	}
	bpf_object__close(obj);
	main_insns = plain - g;
	note("main program %u, with a work queue %u, subprogram %u, all in both contexts %u",
	     main_insns, wq - g, g, both);
	/* plain = call + g; wq = arming + callback + g; both = all of it, two exits less one */
	total = plain + wq;
	check(both <= total && both >= total - 4, "%u instructions for both, %u for each alone",
	      both, total);
}

static struct bpf_object *load_extension(const char *prog, const char *target, int target_fd,
					 __u32 flags)
{
	struct bpf_object *obj = open_object("extension");
	struct bpf_program *p = bpf_object__find_program_by_name(obj, prog);

	check(p, "no program %s", prog);
	bpf_program__set_autoload(p, true);
	check(!bpf_program__set_attach_target(p, target_fd, target), "no target %s", target);
	bpf_program__set_flags(p, flags);
	memset(verifier_log, 0, 64);
	bpf_program__set_log_buf(p, verifier_log, sizeof(verifier_log));
	bpf_program__set_log_level(p, 1);
	if (bpf_object__load(obj)) {
		bpf_object__close(obj);
		return NULL;
	}
	log_clear();
	return obj;
}

static void extension(const char *prog, const char *target, __u32 flags, const char *refused)
{
	struct bpf_object *obj = must_load("targets"), *ext;
	int fd = bpf_program__fd(bpf_object__find_program_by_name(obj, "targets"));

	ext = load_extension(prog, target, fd, flags);
	if (refused) {
		check(!ext, "%s may replace %s", prog, target);
		check(strstr(verifier_log, refused), "the log has no \"%s\" but: %s", refused,
		      verifier_log);
	} else {
		struct bpf_link *link;

		check(ext, "%s may not replace %s: %s", prog, target, verifier_log);
		link = bpf_program__attach_freplace(bpf_object__find_program_by_name(ext, prog), 0,
						    NULL);
		check(link, "%s does not attach to %s", prog, target);
		bpf_link__destroy(link);
		bpf_object__close(ext);
	}
	log_clear();
	bpf_object__close(obj);
}

static void extension_sleepable(void)
{
	extension("sleeps", "t_sleepable_only", BPF_F_SLEEPABLE, NULL);
}

static void extension_refused(void)
{
	extension("sleeps", "t_both", BPF_F_SLEEPABLE,
		  "cannot replace t_both(), which is called in a non-sleepable context");
	extension("sleeps", "t_plain_only", BPF_F_SLEEPABLE,
		  "cannot replace t_plain_only(), which is called in a non-sleepable context");
	extension("sleeps", "t_both", 0, "bpf_copy_from_user_str may sleep");
}

static void extension_neutral(void)
{
	extension("neutral", "t_both", 0, NULL);
	extension("neutral", "t_plain_only", 0, NULL);
	extension("neutral", "t_sleepable_only", 0, NULL);
}

/* RCU is not held where sleepable code calls the target. */
static void extension_rcu_trust(void)
{
	extension("trusts_rcu", "t_plain_only", 0, NULL);
	extension("trusts_rcu", "t_sleepable_only", 0, "R2 type=");
	extension("trusts_rcu", "t_both", 0, "R2 type=");
}

/* Loaded for one target, attached to another that has more contexts. */
static void extension_moved(void)
{
	struct bpf_object *obj = must_load("targets"), *ext;
	int fd = bpf_program__fd(bpf_object__find_program_by_name(obj, "targets"));
	struct bpf_program *prog;
	struct bpf_link *link;

	ext = load_extension("neutral", "t_sleepable_only", fd, 0);
	check(ext, "refused: %s", verifier_log);
	prog = bpf_object__find_program_by_name(ext, "neutral");
	link = bpf_program__attach_freplace(prog, fd, "t_both");
	check(!link, "attached where it was not verified for");
	link = bpf_program__attach_freplace(prog, 0, NULL);
	check(link, "does not attach to the target it was loaded for");
	bpf_link__destroy(link);
	bpf_object__close(ext);
	bpf_object__close(obj);
}

const struct test context_tests[] = {
	{ "context/timer-sleeps-helper", "a sleepable program's timer callback may not sleep",
	  timer_sleeps_helper },
	{ "context/timer-sleeps-kfunc", "the same with a kfunc", timer_sleeps_kfunc },
	{ "context/timer-requests", "the same with HID-BPF's kfuncs", timer_requests },
	{ "context/timer-of-wq-sleeps", "the same, set in a sleepable callback",
	  timer_of_wq_sleeps },
	{ "context/timer-sleeps-plain", "the same in a program that is not sleepable",
	  plain_timer_sleeps },
	{ "context/sleepable-sleeps", "a sleepable timer callback may sleep, wherever it is set",
	  sleepable_sleeps },
	{ "context/same-callback-both-ways", "one callback as both kinds must fit both",
	  same_callback_both_ways },
	{ "context/not-a-timer", "the kfunc takes timers only", not_a_timer },
	{ "context/global-neutral-both", "a subprogram that is legal in both contexts",
	  global_neutral_both },
	{ "context/global-sleeps-plain", "one that sleeps, called by the main program",
	  global_sleeps_plain },
	{ "context/global-sleeps-from-timer", "one that sleeps, called by a plain timer callback",
	  global_sleeps_from_timer },
	{ "context/global-sleeps-under-rcu", "one that sleeps, called with RCU held",
	  global_sleeps_under_rcu },
	{ "context/global-sleeps-from-wq", "one that sleeps, called by sleepable code only",
	  global_sleeps_from_wq },
	{ "context/global-sleeps-both", "one that sleeps, called from both", global_sleeps_both },
	{ "context/global-through-two", "one that sleeps, reached through two others",
	  global_through_two },
	{ "context/recursion", "sleepable calls neutral, which main calls too",
	  recursion_of_contexts },
	{ "context/storage-sleepable", "storage may allocate with GFP_KERNEL in sleepable code",
	  storage_sleepable },
	{ "context/storage-wq", "the same in a bpf_wq callback", storage_wq },
	{ "context/storage-timer", "and not in a sleepable program's timer callback",
	  storage_timer },
	{ "context/storage-both", "a call that is made in both allocates with GFP_ATOMIC",
	  storage_both },
	{ "context/rcu-trust", "RCU pointers are trusted where RCU is held, only", rcu_trust },
	{ "context/callback-under-rcu-sleeps",
	  "callbacks for a hash's elements and for a VMA may not sleep",
	  callback_under_rcu_sleeps },
	{ "context/loops-both", "inlined helpers in both contexts", loops_both },
	{ "context/map-of-wrong-type", "a map that is not for sleepable code", map_of_wrong_type },
	{ "context/map-used-elsewhere", "such a map, used by other code of the program",
	  map_used_elsewhere },
	{ "context/verified-once", "a subprogram is verified once for each context",
	  verified_once },
	{ "context/instruction-count", "and costs nothing where there is one context",
	  instruction_count },
	{ "context/extension-sleepable", "a sleepable program replaces a sleepable function",
	  extension_sleepable },
	{ "context/extension-refused", "but none that is called where it may not sleep",
	  extension_refused },
	{ "context/extension-neutral", "one that is legal in both replaces any",
	  extension_neutral },
	{ "context/extension-rcu-trust", "a replacement is verified for its target's contexts",
	  extension_rcu_trust },
	{ "context/extension-moved", "and can't be moved to a target that has others",
	  extension_moved },
	{ 0 },
};
