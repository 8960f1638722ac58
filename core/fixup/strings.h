/* SPDX-License-Identifier: MIT */
/* Memory of descriptions: texts that live as long as what they describe. */
#ifndef HS_FIXUP_STRINGS_H
#define HS_FIXUP_STRINGS_H

#include <stddef.h>

struct hs_strings {
	char **texts;
	size_t n;
};

/* A copy that lives until hs_strings_free(); NULL if there is no memory. */
const char *hs_strings_keep(struct hs_strings *strings, const char *s);

void hs_strings_free(struct hs_strings *strings);

/*
 * One more element, zeroed, at the end of an array.
 *
 * @array_ptr: points to the pointer to the array, which readers may have as const
 * @n: number of elements; incremented
 *
 * Returns the element, or NULL if there is no memory.
 */
void *hs_grow(const void *array_ptr, size_t *n, size_t size);

/* Free an array that readers have as const. */
void hs_free_const(const void *array);

#endif /* HS_FIXUP_STRINGS_H */
