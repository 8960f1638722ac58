// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/hotplug/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/util.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#endif

#define CAP(n) ((uint64_t)1 << (n))

static int set_caps(uint64_t keep, struct hs_error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t have;

	if (syscall(SYS_capget, &header, data) < 0)
		return hs_error_set(err, -errno, "capabilities: %s", strerror(errno));
	have = data[0].permitted | (uint64_t)data[1].permitted << 32;
	if ((have & CAP(CAP_BPF)) == 0 || (have & CAP(CAP_PERFMON)) == 0)
		return hs_error_set(err, -EPERM,
				    "attaching needs CAP_BPF and CAP_PERFMON; run it as root");
	keep &= have;
	for (int i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted = (uint32_t)(keep >> 32 * i);
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return hs_error_set(err, -errno, "capabilities: %s", strerror(errno));
	return 0;
}

/*
 * A list of what is forbidden, not of what is allowed: what the C library and libbpf
 * need differs between their versions, and capabilities have taken the rest.
 */
static const int denied[] = {
	SYS_execve,
	SYS_execveat,
	SYS_socket,
	SYS_socketpair,
	SYS_bind,
	SYS_listen,
	SYS_connect,
	SYS_accept,
	SYS_accept4,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_pidfd_getfd,
	SYS_mount,
	SYS_umount2,
	SYS_move_mount,
	SYS_fsopen,
	SYS_fsmount,
	SYS_open_tree,
	SYS_mount_setattr,
	SYS_pivot_root,
	SYS_chroot,
	SYS_unshare,
	SYS_setns,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_setuid,
	SYS_setgid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setgroups,
	SYS_fchown,
	SYS_fchownat,
	SYS_fchmod,
	SYS_fchmodat,
	SYS_mknodat,
	SYS_linkat,
	SYS_symlinkat,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_io_uring_setup,
	SYS_open_by_handle_at,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_acct,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_sethostname,
#ifdef SYS_chown
	SYS_chown,
	SYS_lchown,
	SYS_chmod,
	SYS_mknod,
	SYS_link,
	SYS_symlink,
#endif
};

static int set_filter(struct hs_error *err)
{
#ifdef ARCH
	struct sock_filter code[HS_ARRAY_SIZE(denied) + 8];
	struct sock_fprog prog = { .filter = code };
	size_t n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < HS_ARRAY_SIZE(denied); i++)
		code[n++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)denied[i],
						     HS_ARRAY_SIZE(denied) - i, 0);
	/* x32's system calls have numbers of their own. */
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog.len = (unsigned short)n;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0 && errno != EINVAL)
		return hs_error_set(err, -errno, "seccomp: %s", strerror(errno));
#endif
	(void)err;
	return 0;
}

int hs_sandbox_enter(struct hs_error *err)
{
	uint64_t keep = CAP(CAP_BPF) | CAP(CAP_PERFMON);
	int rc;

	if (!access("/sys/kernel/btf/hid", F_OK))
		keep |= CAP(CAP_SYS_ADMIN);
	rc = set_caps(keep, err);
	if (rc < 0)
		return rc;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return hs_error_set(err, -errno, "no_new_privs: %s", strerror(errno));
	return set_filter(err);
}
