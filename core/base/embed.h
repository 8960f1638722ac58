/* SPDX-License-Identifier: MIT */
/*
 * BPF objects that are part of the library: they work from the build tree, in a
 * package and in the VM alike, and nobody can put another one in their place.
 * Private to the library.
 */
#ifndef HS_BASE_EMBED_H
#define HS_BASE_EMBED_H

/* The file @path as name[] to name_end[]; once in a program for each @name. */
#define HS_EMBED(name, path)                                                     \
	__asm__(".pushsection .rodata\n"                                         \
		".balign 8\n" #name ":\n"                                        \
		".incbin \"" path "\"\n" #name "_end:\n"                         \
		".popsection\n");                                                \
	extern const unsigned char name[] __attribute__((visibility("hidden"))); \
	extern const unsigned char name##_end[] __attribute__((visibility("hidden")))

#endif /* HS_BASE_EMBED_H */
