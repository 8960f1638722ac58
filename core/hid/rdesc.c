// SPDX-License-Identifier: MIT
#include "core/hid/rdesc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/util.h"
#include "core/hid/item.h"

/* The kernel's limits (include/linux/hid.h, v6.12). */
#define MAX_USAGES      12288
#define MAX_REPORT_SIZE 256 /* bits of one element */
#define MAX_FIELDS      256 /* of one report */
#define GLOBAL_STACK    4
/* One byte less than a buffer of uhid, the smaller of the transports'. */
#define MAX_REPORT_BITS ((4096 - 1) * 8)

/* Fields and collections are found one by one and never go away again. */
struct report {
	struct hs_report pub; /* must be first */
	uint32_t bits; /* so far */
	const struct hs_field **fields;
	size_t n_described; /* fields that are no padding: the kernel limits these */
};

struct field {
	struct hs_field pub; /* must be first */
	struct hs_usage_range usages[];
};

struct hs_rdesc {
	struct report *reports;
	size_t n_reports;
	struct hs_collection *collections;
	size_t n_collections;
	int16_t index[HS_REPORT_TYPES][256]; /* into reports, -1 if there is none */
	bool numbered[HS_REPORT_TYPES];
};

struct globals {
	uint32_t usage_page;
	int64_t logical_min, logical_max;
	int64_t physical_min, physical_max;
	int32_t unit_exponent;
	uint32_t unit;
	uint32_t report_size, report_count, report_id;
};

struct locals {
	struct hs_usage_range usages[MAX_USAGES];
	bool extended[MAX_USAGES]; /* the item has a usage page of its own */
	size_t n_ranges;
	uint32_t n_usages;
	uint32_t usage_min;
	unsigned int delimiter_depth, delimiter_branch;
};

struct parser {
	struct hs_rdesc *rdesc;
	struct hs_error *err;
	struct hs_item item;
	struct globals global, stack[GLOBAL_STACK];
	unsigned int stack_depth;
	int collection; /* the innermost open one */
	struct locals local;
};

#define fail(p, fmt, ...) \
	hs_error_set((p)->err, -EINVAL, "offset %zu: " fmt, (p)->item.offset, ##__VA_ARGS__)

static int no_memory(struct parser *p)
{
	return hs_error_set(p->err, -ENOMEM, "report descriptor: out of memory");
}

static void reset_locals(struct locals *local)
{
	local->n_ranges = 0;
	local->n_usages = 0;
	local->usage_min = 0;
	local->delimiter_depth = 0;
	local->delimiter_branch = 0;
}

/*
 * A usage of one or two bytes gets the page that is valid where it stands. The
 * main item looks again, see use_last_page().
 */
static uint32_t complete(const struct parser *p, uint32_t usage)
{
	return p->item.data_size > 2 ? usage : p->global.usage_page << 16 | (usage & 0xffff);
}

static void add_range(struct parser *p, uint32_t min, uint32_t max)
{
	struct locals *local = &p->local;

	local->usages[local->n_ranges] = (struct hs_usage_range){ min, max };
	local->extended[local->n_ranges++] = p->item.data_size > 2;
	local->n_usages += max - min + 1;
}

static int add_usage(struct parser *p)
{
	uint32_t usage = complete(p, p->item.u);

	if (p->local.n_usages >= MAX_USAGES)
		return fail(p, "more than %d usages", MAX_USAGES);
	add_range(p, usage, usage);
	return 0;
}

static int add_usages(struct parser *p)
{
	uint32_t min = p->local.usage_min, max = p->item.u;
	uint32_t n_usages = p->local.n_usages;

	/* As the kernel counts, with its overflow: a maximum below the minimum
	 * stands for as many usages as there is room for.
	 */
	if (max - min + n_usages >= MAX_USAGES) {
		max = MAX_USAGES - n_usages + min - 1;
		if (!max)
			return fail(p, "more than %d usages", MAX_USAGES);
	}
	if (max < min)
		return 0;
	if (max - min >= MAX_USAGES - n_usages)
		return fail(p, "more than %d usages", MAX_USAGES);
	if (p->item.data_size > 2) {
		add_range(p, min, max);
		return 0;
	}
	/* Within a page usages begin again at 0 after the last one. */
	max = (min & 0xffff) + (max - min);
	min &= 0xffff;
	if (max > 0xffff) {
		add_range(p, complete(p, min), complete(p, 0xffff));
		min = 0x10000;
	}
	add_range(p, complete(p, min), complete(p, max));
	return 0;
}

static int local_item(struct parser *p)
{
	struct locals *local = &p->local;

	switch (p->item.tag) {
	case HS_ITEM_DELIMITER:
		if (p->item.u) {
			if (local->delimiter_depth)
				return fail(p, "a delimiter within a delimiter");
			local->delimiter_depth++;
			local->delimiter_branch++;
		} else {
			if (!local->delimiter_depth)
				return fail(p, "a delimiter is closed that was not opened");
			local->delimiter_depth--;
		}
		return 0;
	}
	/* Of alternative usages the first set counts. */
	if (local->delimiter_branch > 1)
		return 0;
	switch (p->item.tag) {
	case HS_ITEM_USAGE:
		return add_usage(p);
	case HS_ITEM_USAGE_MINIMUM:
		local->usage_min = p->item.u;
		return 0;
	case HS_ITEM_USAGE_MAXIMUM:
		return add_usages(p);
	}
	return 0;
}

static int global_item(struct parser *p)
{
	struct globals *g = &p->global;
	const struct hs_item *item = &p->item;

	switch (item->tag) {
	case HS_ITEM_USAGE_PAGE:
		g->usage_page = item->u & 0xffff;
		return 0;
	case HS_ITEM_LOGICAL_MINIMUM:
		g->logical_min = item->s;
		return 0;
	case HS_ITEM_LOGICAL_MAXIMUM:
		g->logical_max = g->logical_min < 0 ? item->s : (int64_t)item->u;
		return 0;
	case HS_ITEM_PHYSICAL_MINIMUM:
		g->physical_min = item->s;
		return 0;
	case HS_ITEM_PHYSICAL_MAXIMUM:
		g->physical_max = g->physical_min < 0 ? item->s : (int64_t)item->u;
		return 0;
	case HS_ITEM_UNIT_EXPONENT:
		/* Most descriptors have one nibble here, some a whole byte. */
		g->unit_exponent = item->s;
		if (!(item->s & ~0xf))
			g->unit_exponent = item->s > 7 ? item->s - 16 : item->s;
		return 0;
	case HS_ITEM_UNIT:
		g->unit = item->u;
		return 0;
	case HS_ITEM_REPORT_SIZE:
		if (item->u > MAX_REPORT_SIZE)
			return fail(p, "Report Size %u; the kernel takes at most %d bits", item->u,
				    MAX_REPORT_SIZE);
		g->report_size = item->u;
		return 0;
	case HS_ITEM_REPORT_COUNT:
		if (item->u > MAX_USAGES)
			return fail(p, "Report Count %u; the kernel takes at most %d", item->u,
				    MAX_USAGES);
		g->report_count = item->u;
		return 0;
	case HS_ITEM_REPORT_ID:
		if (!item->u || item->u > 0xff)
			return fail(p, "Report ID %u; 1 to 255 are possible", item->u);
		g->report_id = item->u;
		return 0;
	case HS_ITEM_PUSH:
		if (p->stack_depth == GLOBAL_STACK)
			return fail(p, "more than %d Push", GLOBAL_STACK);
		p->stack[p->stack_depth++] = *g;
		return 0;
	case HS_ITEM_POP:
		if (!p->stack_depth)
			return fail(p, "Pop without Push");
		*g = p->stack[--p->stack_depth];
		return 0;
	}
	return fail(p, "unknown global item 0x%02x", item->tag);
}

/*
 * A Usage Page between a usage and the main item counts for that usage: the
 * kernel goes back until it finds one of the right page.
 */
static void use_last_page(struct parser *p)
{
	struct locals *local = &p->local;
	uint32_t page = p->global.usage_page;

	for (size_t i = local->n_ranges; i-- > 0;) {
		struct hs_usage_range *r = &local->usages[i];

		if (local->extended[i])
			continue;
		if (r->max >> 16 == page)
			break;
		r->min = page << 16 | (r->min & 0xffff);
		r->max = page << 16 | (r->max & 0xffff);
	}
}

static int open_collection(struct parser *p)
{
	struct hs_rdesc *rdesc = p->rdesc;
	struct hs_collection *c;

	c = reallocarray(rdesc->collections, rdesc->n_collections + 1, sizeof(*c));
	if (!c)
		return no_memory(p);
	rdesc->collections = c;
	c[rdesc->n_collections] = (struct hs_collection){
		.type = (uint8_t)p->item.u,
		.usage = p->local.n_ranges ? p->local.usages[0].min : 0,
		.parent = p->collection,
		.offset = p->item.offset,
	};
	p->collection = (int)rdesc->n_collections++;
	return 0;
}

static int close_collection(struct parser *p)
{
	if (p->collection < 0)
		return fail(p, "End Collection without Collection");
	p->collection = p->rdesc->collections[p->collection].parent;
	return 0;
}

static uint32_t application(const struct parser *p)
{
	for (int i = p->collection; i >= 0; i = p->rdesc->collections[i].parent)
		if (p->rdesc->collections[i].type == 1)
			return p->rdesc->collections[i].usage;
	return 0;
}

static struct report *get_report(struct parser *p, enum hs_report_type type)
{
	struct hs_rdesc *rdesc = p->rdesc;
	uint8_t id = (uint8_t)p->global.report_id;
	struct report *r;

	if (rdesc->index[type][id] >= 0)
		return &rdesc->reports[rdesc->index[type][id]];
	r = reallocarray(rdesc->reports, rdesc->n_reports + 1, sizeof(*r));
	if (!r)
		return NULL;
	rdesc->reports = r;
	r += rdesc->n_reports;
	*r = (struct report){ .pub = { .type = type, .id = id, .application = application(p) } };
	rdesc->index[type][id] = (int16_t)rdesc->n_reports++;
	if (id)
		rdesc->numbered[type] = true;
	return r;
}

static int main_field(struct parser *p, enum hs_report_type type)
{
	const struct globals *g = &p->global;
	size_t n_ranges = p->local.n_ranges;
	struct report *report = get_report(p, type);
	const struct hs_field **fields;
	struct field *field;
	uint32_t bits = g->report_size * g->report_count;

	if (!report)
		return no_memory(p);
	if (g->logical_max < g->logical_min)
		return fail(p, "Logical Maximum %lld is less than Logical Minimum %lld",
			    (long long)g->logical_max, (long long)g->logical_min);
	if (bits > MAX_REPORT_BITS - report->bits)
		return fail(p, "report %u is too long: %u bits, at most %d are possible",
			    report->pub.id, report->bits + bits, MAX_REPORT_BITS);

	fields = reallocarray(report->fields, report->pub.n_fields + 1, sizeof(*fields));
	if (!fields)
		return no_memory(p);
	report->fields = fields;
	/* The kernel ignores what it has no room for, but the bits count. */
	if (n_ranges && report->n_described == MAX_FIELDS)
		n_ranges = 0;
	field = malloc(sizeof(*field) + n_ranges * sizeof(field->usages[0]));
	if (!field)
		return no_memory(p);
	memcpy(field->usages, p->local.usages, n_ranges * sizeof(field->usages[0]));
	field->pub = (struct hs_field){
		.type = type,
		.report_id = report->pub.id,
		.flags = p->item.u,
		.bit_offset = report->bits,
		.bit_size = g->report_size,
		.count = g->report_count,
		.logical_min = g->logical_min,
		.logical_max = g->logical_max,
		.physical_min = g->physical_min,
		.physical_max = g->physical_max,
		.unit_exponent = g->unit_exponent,
		.unit = g->unit,
		.usages = field->usages,
		.n_usages = n_ranges,
		.collection = p->collection,
		.offset = p->item.offset,
	};
	report->bits += bits;
	report->n_described += n_ranges > 0;
	fields[report->pub.n_fields++] = &field->pub;
	return 0;
}

static int main_item(struct parser *p)
{
	int rc = 0;

	use_last_page(p);
	switch (p->item.tag) {
	case HS_ITEM_INPUT:
		rc = main_field(p, HS_REPORT_INPUT);
		break;
	case HS_ITEM_OUTPUT:
		rc = main_field(p, HS_REPORT_OUTPUT);
		break;
	case HS_ITEM_FEATURE:
		rc = main_field(p, HS_REPORT_FEATURE);
		break;
	case HS_ITEM_COLLECTION:
		rc = open_collection(p);
		break;
	case HS_ITEM_END_COLLECTION:
		rc = close_collection(p);
		break;
	}
	reset_locals(&p->local);
	return rc;
}

static int parse_items(struct parser *p, const uint8_t *rdesc, size_t size)
{
	size_t offset = 0;
	int rc;

	while ((rc = hs_item_next(rdesc, size, &offset, &p->item, p->err)) > 0) {
		if (p->item.tag == HS_ITEM_LONG)
			return fail(p, "a long item; the kernel takes none");
		switch (HS_ITEM_TYPE(p->item.tag)) {
		case HS_ITEM_TYPE_MAIN:
			rc = main_item(p);
			break;
		case HS_ITEM_TYPE_GLOBAL:
			rc = global_item(p);
			break;
		case HS_ITEM_TYPE_LOCAL:
			rc = local_item(p);
			break;
		}
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	p->item.offset = size;
	if (!size)
		return fail(p, "the descriptor is empty");
	if (p->collection >= 0)
		return fail(p, "the collection of offset %zu is not closed",
			    p->rdesc->collections[p->collection].offset);
	if (p->local.delimiter_depth)
		return fail(p, "a delimiter is not closed");
	return 0;
}

static int by_type(const void *a, const void *b)
{
	const struct hs_report *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	/* In the order they were found, which their fields' offsets show. */
	return x->fields[0]->offset < y->fields[0]->offset ? -1 : 1;
}

/* What is known only now that the last item has been seen. */
static void finish(struct hs_rdesc *rdesc)
{
	for (size_t i = 0; i < rdesc->n_reports; i++) {
		struct report *r = &rdesc->reports[i];
		unsigned int id_bits = rdesc->numbered[r->pub.type] ? 8 : 0;

		for (size_t j = 0; j < r->pub.n_fields; j++)
			((struct hs_field *)r->fields[j])->bit_offset += id_bits;
		r->pub.fields = r->fields;
		r->pub.size = (r->bits + id_bits + 7) / 8;
	}
	if (rdesc->n_reports)
		qsort(rdesc->reports, rdesc->n_reports, sizeof(*rdesc->reports), by_type);
	for (size_t i = 0; i < rdesc->n_reports; i++)
		rdesc->index[rdesc->reports[i].pub.type][rdesc->reports[i].pub.id] = (int16_t)i;
}

int hs_rdesc_parse(const uint8_t *rdesc, size_t size, struct hs_rdesc **out, struct hs_error *err)
{
	/* Too large for the stack. */
	hs_autofree struct parser *p = malloc(sizeof(*p));
	int rc;

	if (!p)
		return hs_error_set(err, -ENOMEM, "report descriptor: out of memory");
	p->err = err;
	p->global = (struct globals){ 0 };
	p->stack_depth = 0;
	p->collection = -1;
	reset_locals(&p->local);
	p->rdesc = calloc(1, sizeof(*p->rdesc));
	if (!p->rdesc)
		return no_memory(p);
	memset(p->rdesc->index, 0xff, sizeof(p->rdesc->index));
	rc = parse_items(p, rdesc, size);
	if (rc < 0) {
		hs_rdesc_free(p->rdesc);
		return rc;
	}
	finish(p->rdesc);
	*out = p->rdesc;
	return 0;
}

void hs_rdesc_free(struct hs_rdesc *rdesc)
{
	if (!rdesc)
		return;
	for (size_t i = 0; i < rdesc->n_reports; i++) {
		for (size_t j = 0; j < rdesc->reports[i].pub.n_fields; j++)
			free((void *)rdesc->reports[i].fields[j]);
		free(rdesc->reports[i].fields);
	}
	free(rdesc->reports);
	free(rdesc->collections);
	free(rdesc);
}

size_t hs_rdesc_report_count(const struct hs_rdesc *rdesc)
{
	return rdesc->n_reports;
}

const struct hs_report *hs_rdesc_report(const struct hs_rdesc *rdesc, size_t index)
{
	return index < rdesc->n_reports ? &rdesc->reports[index].pub : NULL;
}

const struct hs_report *hs_rdesc_find(const struct hs_rdesc *rdesc, enum hs_report_type type,
				      uint8_t id)
{
	int index = rdesc->index[type][id];

	return index < 0 ? NULL : &rdesc->reports[index].pub;
}

bool hs_rdesc_numbered(const struct hs_rdesc *rdesc, enum hs_report_type type)
{
	return rdesc->numbered[type];
}

const struct hs_report *hs_rdesc_report_of(const struct hs_rdesc *rdesc, enum hs_report_type type,
					   const uint8_t *data, size_t size)
{
	if (!rdesc->numbered[type])
		return hs_rdesc_find(rdesc, type, 0);
	return size ? hs_rdesc_find(rdesc, type, data[0]) : NULL;
}

size_t hs_rdesc_collection_count(const struct hs_rdesc *rdesc)
{
	return rdesc->n_collections;
}

const struct hs_collection *hs_rdesc_collection(const struct hs_rdesc *rdesc, size_t index)
{
	return index < rdesc->n_collections ? &rdesc->collections[index] : NULL;
}

uint32_t hs_field_usage_count(const struct hs_field *field)
{
	uint32_t n = 0;

	for (size_t i = 0; i < field->n_usages; i++)
		n += field->usages[i].max - field->usages[i].min + 1;
	return n;
}

uint32_t hs_field_usage(const struct hs_field *field, uint32_t index)
{
	for (size_t i = 0; i < field->n_usages; i++) {
		uint32_t n = field->usages[i].max - field->usages[i].min + 1;

		if (index < n)
			return field->usages[i].min + index;
		index -= n;
	}
	return field->n_usages ? field->usages[field->n_usages - 1].max : 0;
}
