/* SPDX-License-Identifier: MIT */
/*
 * What libbpf says while it opens and loads an object: text for our errors, never
 * for the terminal.
 *
 * libbpf has one print function for the whole process, and no way to tell which
 * object a message is about. So ours stays installed, and sorts by thread: between
 * begin and end what this thread causes goes into its own log. Everything else is
 * passed on to the function that was there before, so that a program that uses
 * libbpf by itself beside this library keeps its messages.
 *
 * Private to core/fixup and core/device; the only place that touches libbpf_set_print().
 */
#ifndef HS_FIXUP_LIBBPF_LOG_H
#define HS_FIXUP_LIBBPF_LOG_H

#include <stddef.h>

struct hs_libbpf_log {
	char *text; /* NULL if nothing was said; cut at the front if it got too long */
	size_t size;
	struct hs_libbpf_log *outer;
};

/* Catch this thread's messages in @log until hs_libbpf_log_end(). They nest. */
void hs_libbpf_log_begin(struct hs_libbpf_log *log);

/* Stop catching. The text stays until hs_libbpf_log_free(). */
void hs_libbpf_log_end(struct hs_libbpf_log *log);

void hs_libbpf_log_free(struct hs_libbpf_log *log);

/*
 * The verifier's last @lines lines, without its statistics. Copied to @buf, "" if
 * the log has no verifier's log in it.
 *
 * Returns @buf.
 */
char *hs_libbpf_log_verifier(const struct hs_libbpf_log *log, unsigned int lines, char *buf,
			     size_t size);

/*
 * The first message that says why something failed, without libbpf's prefix and
 * newline; "" if there is none.
 *
 * Returns @buf.
 */
char *hs_libbpf_log_reason(const struct hs_libbpf_log *log, char *buf, size_t size);

#endif /* HS_FIXUP_LIBBPF_LOG_H */
