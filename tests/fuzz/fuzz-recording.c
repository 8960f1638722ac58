// SPDX-License-Identifier: MIT
/* Any text: what can be read can be written, and is the same when read again. */
#include <string.h>

#include "core/recording/recording.h"
#include "fuzz.h"

static char *written(const struct hs_recording *rec, size_t *size)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, size);

	CHECK(f);
	CHECK(!hs_recording_write(rec, f));
	CHECK(!fclose(f));
	return text;
}

static void check_entries(const struct hs_recording *rec)
{
	for (size_t i = 0; i < hs_recording_entry_count(rec); i++) {
		const struct hs_entry *e = hs_recording_entry(rec, i);
		char line[128];

		CHECK(e->type == HS_ENTRY_COMMENT || e->device < hs_recording_device_count(rec));
		if (e->type == HS_ENTRY_REQUEST)
			CHECK(strlen(hs_request_format(&e->request, line, sizeof(line))) <
			      sizeof(line));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hs_recording *rec = NULL, *again = NULL;
	struct hs_error err = { 0 };
	char *first, *second;
	size_t first_size, second_size;

	if (hs_recording_parse("fuzz", (const char *)data, size, &rec, &err) < 0) {
		CHECK(!rec && err.code && err.text[0]);
		return 0;
	}
	check_entries(rec);
	first = written(rec, &first_size);
	CHECK(!hs_recording_parse("again", first, first_size, &again, &err));
	CHECK(hs_recording_device_count(rec) == hs_recording_device_count(again));
	CHECK(hs_recording_entry_count(rec) == hs_recording_entry_count(again));
	second = written(again, &second_size);
	CHECK(first_size == second_size && !memcmp(first, second, first_size));
	hs_recording_free(rec);
	hs_recording_free(again);
	free(first);
	free(second);
	return 0;
}
