/* SPDX-License-Identifier: MIT */
/*
 * Errors of the library: a negative errno goes up the stack, and beside it one
 * text that names the thing, the reason and, where there is one, the next step.
 * The library never prints; the command prints the text once.
 */
#ifndef HS_BASE_ERROR_H
#define HS_BASE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What went wrong, in words.
 *
 * Zero-initialise it. Functions that take one accept NULL, for callers who need
 * no text.
 */
struct hs_error {
	/** Negative errno, the same value that the function returned. */
	int code;
	/** One line without newline at its end, "thing: reason; next step".
	 * A verifier log may follow on further lines.
	 */
	char text[4096];
};

/**
 * Set an error.
 *
 * @err may be NULL
 * @code a negative errno
 * @return @code, so that a caller can write `return hs_error_set(...)`
 */
int hs_error_set(struct hs_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * Put "@fmt: " in front of an error that is set already.
 *
 * @return the code it had
 */
int hs_error_prefix(struct hs_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif

#endif /* HS_BASE_ERROR_H */
