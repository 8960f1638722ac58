// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/fixup/strings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char *hs_strings_keep(struct hs_strings *strings, const char *s)
{
	char **slot = hs_grow(&strings->texts, &strings->n, sizeof(*slot));

	return slot ? *slot = strdup(s) : NULL;
}

void hs_strings_free(struct hs_strings *strings)
{
	for (size_t i = 0; i < strings->n; i++)
		free(strings->texts[i]);
	free(strings->texts);
	*strings = (struct hs_strings){ 0 };
}

void *hs_grow(const void *array_ptr, size_t *n, size_t size)
{
	void **array = (void **)(uintptr_t)array_ptr;
	char *p = realloc(*array, (*n + 1) * size);

	if (!p)
		return NULL;
	*array = p;
	memset(p + *n * size, 0, size);
	return p + (*n)++ * size;
}

void hs_free_const(const void *array)
{
	free((void *)(uintptr_t)array);
}
