// SPDX-License-Identifier: MIT
#include "core/hid/report-text.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/util.h"
#include "core/hid/usages.h"

const char *hs_report_type_name(enum hs_report_type type)
{
	static const char *const names[] = { "input", "output", "feature" };

	return names[type];
}

static void print_usages(const struct hs_field *field, FILE *out)
{
	/* Vendors like to give every byte the next usage: a few tell enough. */
	const size_t most = 4;
	char name[80];

	for (size_t i = 0; i < field->n_usages && i < most; i++) {
		const struct hs_usage_range *r = &field->usages[i];

		fprintf(out, "%s%s", i ? ", " : "", hs_usage_name(r->min, name, sizeof(name)));
		if (r->max != r->min)
			fprintf(out, " to %s", hs_usage_name(r->max, name, sizeof(name)));
	}
	if (field->n_usages > most)
		fprintf(out, ", ... (%zu in all)", field->n_usages);
	if (!field->n_usages || field->flags & HS_FIELD_CONSTANT)
		fprintf(out, "%spadding", field->n_usages ? ", " : "");
}

static void print_range(const struct hs_field *field, FILE *out)
{
	char unit[80];

	if (!field->n_usages || field->flags & HS_FIELD_CONSTANT)
		return;
	fprintf(out, "  %" PRId64 "..%" PRId64, field->logical_min, field->logical_max);
	if (field->flags & HS_FIELD_RELATIVE)
		fputs(" relative", out);
	if (!(field->flags & HS_FIELD_VARIABLE))
		fputs(" array", out);
	if (field->flags & HS_FIELD_NULL_STATE)
		fputs(" null", out);
	if (!field->unit)
		return;
	fprintf(out, " = %g..%g %s", hs_field_physical(field, field->logical_min),
		hs_field_physical(field, field->logical_max),
		hs_unit_format(field->unit, unit, sizeof(unit)));
}

void hs_report_print_layout(const struct hs_rdesc *rdesc, const struct hs_report *report,
			    const char *prefix, FILE *out)
{
	char name[80];

	fprintf(out, "%s%s report", prefix, hs_report_type_name(report->type));
	if (hs_rdesc_numbered(rdesc, report->type))
		fprintf(out, " 0x%02x", report->id);
	fprintf(out, ", %zu byte%s", report->size, report->size == 1 ? "" : "s");
	if (report->application)
		fprintf(out, ", %s", hs_usage_name(report->application, name, sizeof(name)));
	fputc('\n', out);

	for (size_t i = 0; i < report->n_fields; i++) {
		const struct hs_field *f = report->fields[i];

		if (!f->count || !f->bit_size)
			continue;
		fprintf(out,
			"%s  byte %-3" PRIu32 " bit %" PRIu32 "  %3" PRIu32 " x %2" PRIu32
			" bit%s  ",
			prefix, f->bit_offset / 8, f->bit_offset % 8, f->count, f->bit_size,
			f->bit_size == 1 ? " " : "s");
		print_usages(f, out);
		print_range(f, out);
		fputc('\n', out);
	}
}

static void print_value(const struct hs_value *v, FILE *out)
{
	char name[80], unit[80];

	fputs(hs_usage_name(v->usage, name, sizeof(name)), out);
	if (v->null) {
		fputs("=none", out);
		return;
	}
	fprintf(out, "=%" PRId64, v->value);
	if (v->field->unit && v->field->flags & HS_FIELD_VARIABLE)
		fprintf(out, " (%g %s)", hs_field_physical(v->field, v->value),
			hs_unit_format(v->field->unit, unit, sizeof(unit)));
}

void hs_report_print_values(const struct hs_rdesc *rdesc, enum hs_report_type type,
			    const uint8_t *data, size_t size, FILE *out)
{
	const struct hs_report *report = hs_rdesc_report_of(rdesc, type, data, size);
	hs_autofree struct hs_value *values = NULL;
	int collection = -1;
	size_t n, max;

	if (!report) {
		fputs("(not in the descriptor)", out);
		return;
	}
	max = hs_report_max_values(report);
	values = calloc(max ? max : 1, sizeof(*values));
	n = values ? hs_report_values(report, data, size, values, max) : 0;
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputs(values[i].field->collection == collection ? " " : " | ", out);
		collection = values[i].field->collection;
		print_value(&values[i], out);
	}
	if (!n)
		fputs("(nothing)", out);
	if (size < report->size)
		fprintf(out, " (%zu of %zu bytes)", size, report->size);
}
