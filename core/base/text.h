/* SPDX-License-Identifier: MIT */
/*
 * Text that comes from devices and files is data: before it reaches a terminal or
 * a JSON reader it goes through these. Private to the library and command.
 */
#ifndef HS_BASE_TEXT_H
#define HS_BASE_TEXT_H

#include <stddef.h>

/*
 * Room that hs_escape() and hs_utf8() need at most for a text of @n bytes.
 */
#define HS_ESCAPE_SIZE(n) (4 * (size_t)(n) + 1)

/*
 * Make a text harmless for a terminal. Printable UTF-8 stays; control characters
 * (those above 0x7f and those that turn the writing direction, too), bytes that
 * are not UTF-8 and the backslash become \xNN, byte by byte. What does not fit is
 * cut off, never within an escape or a character.
 *
 * Returns @buf.
 */
char *hs_escape(const char *s, char *buf, size_t size);

/*
 * The same for a text of several lines of which parts may have been escaped before,
 * such as an error: line feeds, tabs and backslashes stay.
 *
 * Returns what is to be freed; NULL without memory.
 */
char *hs_harmless(const char *s);

/*
 * Make a text valid UTF-8: each byte that is not part of a character becomes
 * U+FFFD. Control characters stay; JSON writers escape them.
 *
 * Returns @buf.
 */
char *hs_utf8(const char *s, char *buf, size_t size);

#endif /* HS_BASE_TEXT_H */
