/* SPDX-License-Identifier: MIT */
/* JSON that several subcommands write. */
#ifndef HS_CLI_JSON_H
#define HS_CLI_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/hid/report.h"
#include "core/recording/recording.h"

/* A text that may hold any bytes, as a valid JSON string; null for NULL. */
struct json_object *hs_json_text(const char *s);

void hs_json_add_text(struct json_object *obj, const char *key, const char *value);
void hs_json_add_number(struct json_object *obj, const char *key, uint64_t value);
void hs_json_add_bool(struct json_object *obj, const char *key, bool value);

/* Bytes as recordings have them: "02 b0 04". */
struct json_object *hs_json_hex(const uint8_t *data, size_t size);

/* {"bus": "0003", "vendor": "28bd", "product": "0914"} into @obj. */
void hs_json_add_id(struct json_object *obj, const struct hs_hid_id *id);

/* The layout of all reports and the collections, into @obj. */
void hs_json_add_layout(struct json_object *obj, const struct hs_rdesc *rdesc);

/* Array of what a report says: [{"usage": "X", "page": 1, "id": 48, "value": 5}, ...] */
struct json_object *hs_json_values(const struct hs_rdesc *rdesc, enum hs_report_type type,
				   const uint8_t *data, size_t size);

/* Write @obj in one line and free it. */
void hs_json_print_line(struct json_object *obj);

/* Write @obj over several lines, indented, and free it. */
void hs_json_print(struct json_object *obj);

#endif /* HS_CLI_JSON_H */
