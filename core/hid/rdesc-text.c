// SPDX-License-Identifier: MIT
#include "core/hid/rdesc-text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/util.h"
#include "core/hid/report.h"
#include "core/hid/usages.h"

static const char *collection_name(uint32_t type)
{
	static const char *const names[] = { "Physical",   "Application", "Logical",      "Report",
					     "NamedArray", "UsageSwitch", "UsageModifier" };

	if (type < HS_ARRAY_SIZE(names))
		return names[type];
	return type >= 0x80 && type <= 0xff ? "Vendor Defined" : "Reserved";
}

/* The flags that are off have names as well; the rare ones are named when on. */
static void format_flags(const struct hs_item *item, char *buf, size_t size)
{
	uint32_t f = item->u;
	bool input = item->tag == HS_ITEM_INPUT;

	snprintf(buf, size, "%s (%s,%s,%s%s%s%s%s%s%s)", hs_item_name(item->tag),
		 f & HS_FIELD_CONSTANT ? "Cnst" : "Data", f & HS_FIELD_VARIABLE ? "Var" : "Arr",
		 f & HS_FIELD_RELATIVE ? "Rel" : "Abs", f & HS_FIELD_WRAP ? ",Wrap" : "",
		 f & HS_FIELD_NONLINEAR ? ",NonLin" : "",
		 f & HS_FIELD_NO_PREFERRED ? ",NoPref" : "", f & HS_FIELD_NULL_STATE ? ",Null" : "",
		 f & HS_FIELD_VOLATILE && !input ? ",Vol" : "",
		 f & HS_FIELD_BUFFERED_BYTES ? ",Buff" : "");
}

static void format_usage(const struct hs_item *item, uint16_t page, char *buf, size_t size)
{
	uint32_t usage = item->data_size > 2 ? item->u : HS_USAGE(page, item->u);
	char name[80];

	hs_usage_name(usage, name, sizeof(name));
	/* A minimum and a maximum are compared: there the number helps. */
	if (item->tag == HS_ITEM_USAGE)
		snprintf(buf, size, "Usage (%s)", name);
	else if (usage >> 16 == HS_PAGE_BUTTON || !hs_usage_known_name(usage))
		snprintf(buf, size, "%s (%" PRIu32 ")", hs_item_name(item->tag), usage & 0xffff);
	else
		snprintf(buf, size, "%s (%" PRIu32 ": %s)", hs_item_name(item->tag), usage & 0xffff,
			 name);
}

static void format_unit(const struct hs_item *item, char *buf, size_t size)
{
	char unit[80];

	hs_unit_format(item->u, unit, sizeof(unit));
	snprintf(buf, size, "Unit (%s)", *unit ? unit : "None");
}

static int32_t exponent(const struct hs_item *item)
{
	if (item->s & ~0xf)
		return item->s;
	return item->s > 7 ? item->s - 16 : item->s;
}

const char *hs_item_format(const struct hs_item *item, uint16_t usage_page, int signed_max,
			   char *buf, size_t size)
{
	const char *name = hs_item_name(item->tag);
	char page[40];

	switch (item->tag) {
	case HS_ITEM_INPUT:
	case HS_ITEM_OUTPUT:
	case HS_ITEM_FEATURE:
		format_flags(item, buf, size);
		break;
	case HS_ITEM_COLLECTION:
		snprintf(buf, size, "Collection (%s)", collection_name(item->u));
		break;
	case HS_ITEM_USAGE_PAGE:
		snprintf(buf, size, "Usage Page (%s)",
			 hs_usage_page_format((uint16_t)item->u, page, sizeof(page)));
		break;
	case HS_ITEM_USAGE:
	case HS_ITEM_USAGE_MINIMUM:
	case HS_ITEM_USAGE_MAXIMUM:
		format_usage(item, usage_page, buf, size);
		break;
	case HS_ITEM_UNIT:
		format_unit(item, buf, size);
		break;
	case HS_ITEM_UNIT_EXPONENT:
		snprintf(buf, size, "%s (%" PRId32 ")", name, exponent(item));
		break;
	case HS_ITEM_LOGICAL_MINIMUM:
	case HS_ITEM_PHYSICAL_MINIMUM:
		snprintf(buf, size, "%s (%" PRId32 ")", name, item->s);
		break;
	case HS_ITEM_LOGICAL_MAXIMUM:
	case HS_ITEM_PHYSICAL_MAXIMUM:
		snprintf(buf, size, "%s (%" PRId64 ")", name,
			 signed_max ? (int64_t)item->s : (int64_t)item->u);
		break;
	case HS_ITEM_END_COLLECTION:
	case HS_ITEM_PUSH:
	case HS_ITEM_POP:
		snprintf(buf, size, "%s", name);
		break;
	case HS_ITEM_DELIMITER:
		snprintf(buf, size, "Delimiter (%s)", item->u ? "Open" : "Close");
		break;
	case HS_ITEM_LONG:
		snprintf(buf, size, "Long Item (%zu bytes)", item->data_size);
		break;
	default:
		if (name)
			snprintf(buf, size, "%s (%" PRIu32 ")", name, item->u);
		else
			snprintf(buf, size, "Reserved 0x%02x (%" PRIu32 ")", item->tag, item->u);
	}
	return buf;
}

/* The global state that changes the meaning of later items; Push and Pop keep it. */
struct globals {
	uint16_t usage_page;
	bool logical_signed, physical_signed;
};

struct printer {
	struct globals global, stack[4];
	unsigned int depth; /* of Push */
	unsigned int indent; /* of collections */
};

static void track(struct printer *p, const struct hs_item *item)
{
	switch (item->tag) {
	case HS_ITEM_USAGE_PAGE:
		p->global.usage_page = (uint16_t)item->u;
		break;
	case HS_ITEM_LOGICAL_MINIMUM:
		p->global.logical_signed = item->s < 0;
		break;
	case HS_ITEM_PHYSICAL_MINIMUM:
		p->global.physical_signed = item->s < 0;
		break;
	case HS_ITEM_PUSH:
		if (p->depth < HS_ARRAY_SIZE(p->stack))
			p->stack[p->depth++] = p->global;
		break;
	case HS_ITEM_POP:
		if (p->depth)
			p->global = p->stack[--p->depth];
		break;
	}
}

static void print_item(const struct printer *p, const struct hs_item *item, const uint8_t *bytes,
		       const char *prefix, FILE *out)
{
	bool signed_max = item->tag == HS_ITEM_LOGICAL_MAXIMUM ? p->global.logical_signed
							       : p->global.physical_signed;
	/* A crafted descriptor must not make lines of any length. */
	int indent = p->indent < 32 ? (int)p->indent : 32;
	char words[128], hex[6 * 258 + 1];
	size_t n = 0;

	for (size_t i = 0; i < item->size && n + 7 <= sizeof(hex); i++)
		n += (size_t)sprintf(hex + n, "0x%02x, ", bytes[i]);
	hex[n - 1] = '\0';
	hs_item_format(item, p->global.usage_page, signed_max, words, sizeof(words));
	fprintf(out, "%s%-30s // %*s%-*s %zu\n", prefix, hex, indent, "", 42 - indent, words,
		item->offset);
}

int hs_rdesc_print(const uint8_t *rdesc, size_t size, const char *prefix, FILE *out,
		   struct hs_error *err)
{
	struct printer p = { 0 };
	struct hs_item item;
	size_t offset = 0;
	int rc;

	while ((rc = hs_item_next(rdesc, size, &offset, &item, err)) > 0) {
		if (item.tag == HS_ITEM_END_COLLECTION && p.indent)
			p.indent--;
		track(&p, &item);
		print_item(&p, &item, rdesc + item.offset, prefix, out);
		if (item.tag == HS_ITEM_COLLECTION)
			p.indent++;
	}
	return rc;
}
