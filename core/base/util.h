/* SPDX-License-Identifier: MIT */
/* Small helpers that every room may use; private to the library and command. */
#ifndef HS_BASE_UTIL_H
#define HS_BASE_UTIL_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HS_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void hs_freep(void *p)
{
	free(*(void **)p);
}

static inline void hs_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void hs_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* Clean-up when a local variable goes out of scope. */
#define hs_autofree   __attribute__((cleanup(hs_freep)))
#define hs_autoclose  __attribute__((cleanup(hs_closep)))
#define hs_autofclose __attribute__((cleanup(hs_fclosep)))

/* Move a value out of a variable that has one of the clean-ups above. */
#define hs_steal_ptr(p)                     \
	({                                  \
		__typeof__(p) hs_tmp = (p); \
		(p) = NULL;                 \
		hs_tmp;                     \
	})
#define hs_steal_fd(fd)            \
	({                         \
		int hs_tmp = (fd); \
		(fd) = -1;         \
		hs_tmp;            \
	})

#endif /* HS_BASE_UTIL_H */
