/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HS_FOR_EACH(M, a, b, c) is M(a) M(b) M(c), for up to some 300 arguments: the
 * preprocessor is made to look at the rest of the list again and again.
 */
#ifndef HIDSMITH_FOREACH_H
#define HIDSMITH_FOREACH_H

#define HS_PARENS     ()
#define HS_SCAN(...)  HS_SCAN4(HS_SCAN4(HS_SCAN4(HS_SCAN4(__VA_ARGS__))))
#define HS_SCAN4(...) HS_SCAN3(HS_SCAN3(HS_SCAN3(HS_SCAN3(__VA_ARGS__))))
#define HS_SCAN3(...) HS_SCAN2(HS_SCAN2(HS_SCAN2(HS_SCAN2(__VA_ARGS__))))
#define HS_SCAN2(...) HS_SCAN1(HS_SCAN1(HS_SCAN1(HS_SCAN1(__VA_ARGS__))))
#define HS_SCAN1(...) __VA_ARGS__

#define HS_FOR_EACH(macro, ...) __VA_OPT__(HS_SCAN(HS_FOR_EACH_STEP(macro, __VA_ARGS__)))
#define HS_FOR_EACH_STEP(macro, first, ...) \
	macro(first) __VA_OPT__(HS_FOR_EACH_AGAIN HS_PARENS(macro, __VA_ARGS__))
#define HS_FOR_EACH_AGAIN() HS_FOR_EACH_STEP

#define HS_PASTE_(a, b) a##b
#define HS_PASTE(a, b)  HS_PASTE_(a, b)

#endif /* HIDSMITH_FOREACH_H */
