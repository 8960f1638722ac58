// SPDX-License-Identifier: MIT
#include "core/cli/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/util.h"
#include "core/hid/report-text.h"
#include "core/hid/usages.h"

struct json_object *hs_json_text(const char *s)
{
	size_t size = s ? HS_ESCAPE_SIZE(strlen(s)) : 0;
	hs_autofree char *buf = s ? malloc(size) : NULL;

	return buf ? json_object_new_string(hs_utf8(s, buf, size)) : NULL;
}

void hs_json_add_text(struct json_object *obj, const char *key, const char *value)
{
	json_object_object_add(obj, key, hs_json_text(value));
}

void hs_json_add_number(struct json_object *obj, const char *key, uint64_t value)
{
	json_object_object_add(obj, key, json_object_new_uint64(value));
}

void hs_json_add_bool(struct json_object *obj, const char *key, bool value)
{
	json_object_object_add(obj, key, json_object_new_boolean(value));
}

struct json_object *hs_json_hex(const uint8_t *data, size_t size)
{
	hs_autofree char *buf = malloc(3 * size + 1);
	size_t n = 0;

	if (!buf)
		return NULL;
	buf[0] = '\0';
	for (size_t i = 0; i < size; i++)
		n += (size_t)sprintf(buf + n, i ? " %02x" : "%02x", data[i]);
	return json_object_new_string(buf);
}

void hs_json_add_id(struct json_object *obj, const struct hs_hid_id *id)
{
	char buf[16];

	snprintf(buf, sizeof(buf), "%04x", id->bus);
	json_object_object_add(obj, "bus", json_object_new_string(buf));
	snprintf(buf, sizeof(buf), "%04x", id->vendor);
	json_object_object_add(obj, "vendor", json_object_new_string(buf));
	snprintf(buf, sizeof(buf), "%04x", id->product);
	json_object_object_add(obj, "product", json_object_new_string(buf));
}

static void add_usage(struct json_object *obj, const char *key, uint32_t usage)
{
	char name[80];

	json_object_object_add(obj, key,
			       json_object_new_string(hs_usage_name(usage, name, sizeof(name))));
	json_object_object_add(obj, "page", json_object_new_int((int)(usage >> 16)));
	json_object_object_add(obj, "id", json_object_new_int((int)(usage & 0xffff)));
}

static struct json_object *json_usages(const struct hs_field *field)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < field->n_usages; i++) {
		const struct hs_usage_range *r = &field->usages[i];
		struct json_object *u = json_object_new_object();

		add_usage(u, "usage", r->min);
		json_object_object_add(u, "count", json_object_new_int64(r->max - r->min + 1));
		json_object_array_add(list, u);
	}
	return list;
}

static struct json_object *json_field(const struct hs_field *f)
{
	struct json_object *obj = json_object_new_object();
	char unit[80];

	json_object_object_add(obj, "bit_offset", json_object_new_int64(f->bit_offset));
	json_object_object_add(obj, "bit_size", json_object_new_int64(f->bit_size));
	json_object_object_add(obj, "count", json_object_new_int64(f->count));
	json_object_object_add(obj, "flags", json_object_new_int64(f->flags));
	json_object_object_add(obj, "usages", json_usages(f));
	json_object_object_add(obj, "logical_min", json_object_new_int64(f->logical_min));
	json_object_object_add(obj, "logical_max", json_object_new_int64(f->logical_max));
	json_object_object_add(obj, "physical_min", json_object_new_int64(f->physical_min));
	json_object_object_add(obj, "physical_max", json_object_new_int64(f->physical_max));
	json_object_object_add(obj, "unit_exponent", json_object_new_int(f->unit_exponent));
	json_object_object_add(obj, "unit",
			       json_object_new_string(hs_unit_format(f->unit, unit, sizeof(unit))));
	json_object_object_add(obj, "collection", json_object_new_int(f->collection));
	return obj;
}

void hs_json_add_layout(struct json_object *obj, const struct hs_rdesc *rdesc)
{
	struct json_object *collections = json_object_new_array();
	struct json_object *reports = json_object_new_array();

	for (size_t i = 0; i < hs_rdesc_collection_count(rdesc); i++) {
		const struct hs_collection *c = hs_rdesc_collection(rdesc, i);
		struct json_object *j = json_object_new_object();

		json_object_object_add(j, "type", json_object_new_int(c->type));
		add_usage(j, "usage", c->usage);
		json_object_object_add(j, "parent", json_object_new_int(c->parent));
		json_object_object_add(j, "offset", json_object_new_int64((int64_t)c->offset));
		json_object_array_add(collections, j);
	}
	for (size_t i = 0; i < hs_rdesc_report_count(rdesc); i++) {
		const struct hs_report *r = hs_rdesc_report(rdesc, i);
		struct json_object *j = json_object_new_object();
		struct json_object *fields = json_object_new_array();

		json_object_object_add(j, "type",
				       json_object_new_string(hs_report_type_name(r->type)));
		json_object_object_add(j, "report_id", json_object_new_int(r->id));
		json_object_object_add(j, "size", json_object_new_int64((int64_t)r->size));
		for (size_t k = 0; k < r->n_fields; k++)
			json_object_array_add(fields, json_field(r->fields[k]));
		json_object_object_add(j, "fields", fields);
		json_object_array_add(reports, j);
	}
	json_object_object_add(obj, "collections", collections);
	json_object_object_add(obj, "reports", reports);
}

struct json_object *hs_json_values(const struct hs_rdesc *rdesc, enum hs_report_type type,
				   const uint8_t *data, size_t size)
{
	const struct hs_report *report = hs_rdesc_report_of(rdesc, type, data, size);
	struct json_object *list = json_object_new_array();
	hs_autofree struct hs_value *values = NULL;
	size_t n, max;

	if (!report)
		return list;
	max = hs_report_max_values(report);
	values = calloc(max ? max : 1, sizeof(*values));
	n = values ? hs_report_values(report, data, size, values, max) : 0;
	for (size_t i = 0; i < n; i++) {
		const struct hs_value *v = &values[i];
		struct json_object *obj = json_object_new_object();

		add_usage(obj, "usage", v->usage);
		json_object_object_add(obj, "value",
				       v->null ? NULL : json_object_new_int64(v->value));
		if (!v->null && v->field->unit && v->field->flags & HS_FIELD_VARIABLE) {
			char unit[80];

			json_object_object_add(obj, "physical",
					       json_object_new_double(
						       hs_field_physical(v->field, v->value)));
			json_object_object_add(obj, "unit",
					       json_object_new_string(
						       hs_unit_format(v->field->unit, unit,
								      sizeof(unit))));
		}
		json_object_object_add(obj, "collection",
				       json_object_new_int(v->field->collection));
		json_object_array_add(list, obj);
	}
	return list;
}

void hs_json_print_line(struct json_object *obj)
{
	puts(json_object_to_json_string_ext(obj, JSON_C_TO_STRING_SPACED |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(obj);
}

void hs_json_print(struct json_object *obj)
{
	puts(json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(obj);
}
