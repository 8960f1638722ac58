/* SPDX-License-Identifier: MIT */
/*
 * Recordings of real devices, which are not part of the source tree: the directory
 * that HIDSMITH_RECORDINGS names.
 */
#ifndef TESTS_UNIT_REAL_RECORDINGS_H
#define TESTS_UNIT_REAL_RECORDINGS_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/recording/recording.h"

/* Call @check for each; skips the test if there is no such directory. */
static inline void
for_each_real_recording(void (*check)(const struct hs_recording *rec, void *data), void *data)
{
	const char *dir = getenv("HIDSMITH_RECORDINGS");
	DIR *d = dir ? opendir(dir) : NULL;
	struct dirent *de;
	size_t files = 0;

	if (!d) {
		print_message("HIDSMITH_RECORDINGS (%s): no such directory\n", dir ? dir : "unset");
		skip();
	}
	while ((de = readdir(d))) {
		struct hs_recording *rec = NULL;
		struct hs_error err = { 0 };
		char path[4096];

		if (!strstr(de->d_name, ".hid"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		if (hs_recording_read(path, &rec, &err))
			fail_msg("%s", err.text);
		check(rec, data);
		hs_recording_free(rec);
		files++;
	}
	closedir(d);
	print_message("%zu recordings\n", files);
	assert_true(files > 0);
}

#endif
