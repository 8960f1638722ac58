// SPDX-License-Identifier: MIT
/*
 * Any bytes as a report descriptor: every report of it can be taken apart, and a
 * value that is put into a report comes out again.
 */
#include <string.h>

#include "core/hid/rdesc-text.h"
#include "core/hid/rdesc.h"
#include "core/hid/report-text.h"
#include "core/hid/report.h"
#include "core/recording/recording.h"
#include "fuzz.h"

static void check_field(const struct hs_field *field, uint8_t *report, size_t size)
{
	int64_t v, back;

	CHECK(field->logical_min <= field->logical_max);
	CHECK(field->bit_offset + (uint64_t)field->bit_size * field->count <= size * 8);
	if (!field->count) {
		CHECK(hs_field_extract(field, report, size, 0, &v) < 0);
		return;
	}
	CHECK(!hs_field_extract(field, report, size, field->count - 1, &v));
	CHECK(hs_field_extract(field, report, size, field->count, &v) < 0);
	if (!hs_field_insert(field, report, size, field->count - 1, field->logical_min)) {
		CHECK(!hs_field_extract(field, report, size, field->count - 1, &back));
		CHECK(back == field->logical_min);
	}
	CHECK(!field->n_usages == !hs_field_usage_count(field));
	hs_field_physical(field, v);
}

static void check_report(const struct hs_rdesc *rdesc, const struct hs_report *report,
			 const uint8_t *data, size_t size, FILE *null)
{
	size_t max = hs_report_max_values(report), n;
	struct hs_value *values = calloc(max ? max : 1, sizeof(*values));
	uint8_t bytes[HS_REPORT_MAX] = { 0 };

	CHECK(values);
	CHECK(report->size <= sizeof(bytes));
	memcpy(bytes, data, size < sizeof(bytes) ? size : sizeof(bytes));
	if (hs_rdesc_numbered(rdesc, report->type))
		bytes[0] = report->id;
	CHECK(hs_rdesc_find(rdesc, report->type, report->id) == report);
	CHECK(hs_rdesc_report_of(rdesc, report->type, bytes, sizeof(bytes)) == report);

	n = hs_report_values(report, bytes, report->size, values, max);
	CHECK(n <= max);
	CHECK(hs_report_values(report, bytes, report->size / 2, values, max) <= n);
	hs_report_print_layout(rdesc, report, "", null);
	hs_report_print_values(rdesc, report->type, bytes, report->size, null);
	for (size_t i = 0; i < report->n_fields; i++)
		check_field(report->fields[i], bytes, report->size);
	free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hs_rdesc *rdesc = NULL;
	struct hs_error err = { 0 };
	FILE *null;

	if (size > HS_RDESC_MAX)
		return 0;
	null = fopen("/dev/null", "we");
	CHECK(null);
	hs_rdesc_print(data, size, "", null, NULL);
	if (hs_rdesc_parse(data, size, &rdesc, &err) < 0) {
		CHECK(!rdesc && err.code && !strncmp(err.text, "offset ", 7));
	} else {
		for (size_t i = 0; i < hs_rdesc_report_count(rdesc); i++)
			check_report(rdesc, hs_rdesc_report(rdesc, i), data, size, null);
		for (size_t i = 0; i < hs_rdesc_collection_count(rdesc); i++)
			CHECK(hs_rdesc_collection(rdesc, i)->parent < (int)i);
	}
	hs_rdesc_free(rdesc);
	fclose(null);
	return 0;
}
