// SPDX-License-Identifier: MIT
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * Length of the character at @s and its number in *@code; 0 if the bytes are no
 * character: too long a form, a surrogate, beyond U+10FFFF, or cut off.
 */
static size_t decode(const unsigned char *s, uint32_t *code)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;
	uint32_t c;

	if (s[0] < 0x80) {
		*code = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;

	c = s[0] & (0xffU >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		/* The terminating NUL ends this, too. */
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code = c;
	return len;
}

static bool harmless(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == '\\')
		return false;
	/* Marks, embeddings, overrides and isolates of writing direction, and the
	 * separators that some terminals take for a line break.
	 */
	return c != 0x061c && c != 0x200e && c != 0x200f && !(c >= 0x2028 && c <= 0x202e) &&
	       !(c >= 0x2066 && c <= 0x2069);
}

/* @stay: ASCII characters that are left as they are beside the harmless ones */
static char *escape(const char *s, const char *stay, char *buf, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *u = (const unsigned char *)s;
	size_t n = 0;

	if (!size)
		return buf;
	while (*u) {
		uint32_t c;
		size_t len = decode(u, &c);

		if (len && (harmless(c) || (c < 0x80 && strchr(stay, (int)c)))) {
			if (n + len >= size)
				break;
			memcpy(buf + n, u, len);
			n += len;
			u += len;
			continue;
		}
		len = len ? len : 1;
		if (n + 4 * len >= size)
			break;
		for (; len; len--, u++) {
			buf[n++] = '\\';
			buf[n++] = 'x';
			buf[n++] = hex[*u >> 4];
			buf[n++] = hex[*u & 0xf];
		}
	}
	buf[n] = '\0';
	return buf;
}

char *hs_escape(const char *s, char *buf, size_t size)
{
	return escape(s, "", buf, size);
}

char *hs_harmless(const char *s)
{
	size_t size = HS_ESCAPE_SIZE(strlen(s));
	char *buf = malloc(size);

	return buf ? escape(s, "\n\t\\", buf, size) : NULL;
}

char *hs_utf8(const char *s, char *buf, size_t size)
{
	static const char replacement[] = "\xef\xbf\xbd";
	const unsigned char *u = (const unsigned char *)s;
	size_t n = 0;

	if (!size)
		return buf;
	while (*u) {
		uint32_t c;
		size_t len = decode(u, &c);
		const void *from = len ? (const void *)u : replacement;
		size_t room = len ? len : sizeof(replacement) - 1;

		if (n + room >= size)
			break;
		memcpy(buf + n, from, room);
		n += room;
		u += len ? len : 1;
	}
	buf[n] = '\0';
	return buf;
}
