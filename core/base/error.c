// SPDX-License-Identifier: MIT
#include "core/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int hs_error_set(struct hs_error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;

	err->code = code;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return code;
}

int hs_error_prefix(struct hs_error *err, const char *fmt, ...)
{
	char rest[sizeof(err->text)];
	va_list args;
	int n;

	if (!err)
		return 0;

	memcpy(rest, err->text, sizeof(rest));
	va_start(args, fmt);
	n = vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(err->text))
		snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s", rest);
	return err->code;
}
