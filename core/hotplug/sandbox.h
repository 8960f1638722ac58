/* SPDX-License-Identifier: MIT */
/*
 * What the helper that udev starts cannot do any more before it has looked at the
 * first byte of a device's data.
 */
#ifndef HS_HOTPLUG_SANDBOX_H
#define HS_HOTPLUG_SANDBOX_H

#include "core/base/error.h"

/*
 * Give up, for good and for children:
 *
 * - all capabilities but CAP_BPF and CAP_PERFMON, which loading needs. Where HID is
 *   a module, libbpf asks the kernel for the module's BTF by number, which takes
 *   CAP_SYS_ADMIN, so that stays there;
 * - gaining any by exec;
 * - system calls that start programs, open sockets, mount, trace, load modules,
 *   change owners or devices: they fail with EPERM.
 *
 * Returns 0; -EPERM if a needed capability is missing; another errno. A kernel
 * without seccomp filters is no error.
 */
int hs_sandbox_enter(struct hs_error *err);

#endif /* HS_HOTPLUG_SANDBOX_H */
