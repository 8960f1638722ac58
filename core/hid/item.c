// SPDX-License-Identifier: MIT
#include "core/hid/item.h"

#include <errno.h>

int hs_item_next(const uint8_t *rdesc, size_t size, size_t *offset, struct hs_item *item,
		 struct hs_error *err)
{
	static const uint8_t data_sizes[] = { 0, 1, 2, 4 };
	size_t left = size - *offset, head = 1;
	const uint8_t *p = rdesc + *offset;

	if (!left)
		return 0;
	*item = (struct hs_item){ .tag = p[0] & 0xfc, .offset = *offset };
	item->data_size = data_sizes[p[0] & 3];
	/* The kernel looks at the tag alone: any of these is a long item. */
	if ((p[0] & 0xf0) == 0xf0) {
		item->tag = HS_ITEM_LONG;
		head = 3;
		item->data_size = left < 2 ? 0 : p[1];
	}
	item->size = head + item->data_size;
	if (item->size > left)
		return hs_error_set(err, -EINVAL,
				    "offset %zu: the descriptor ends within an item (0x%02x needs "
				    "%zu bytes, %zu are left)",
				    *offset, p[0], item->size, left);
	item->data = p + head;
	if (head == 1)
		for (size_t i = 0; i < item->data_size; i++)
			item->u |= (uint32_t)item->data[i] << (8 * i);
	switch (head == 1 ? item->data_size : 0) {
	case 1:
		item->s = (int8_t)item->u;
		break;
	case 2:
		item->s = (int16_t)item->u;
		break;
	case 4:
		item->s = (int32_t)item->u;
		break;
	}
	*offset += item->size;
	return 1;
}

const char *hs_item_name(uint8_t tag)
{
	switch (tag) {
	case HS_ITEM_INPUT:
		return "Input";
	case HS_ITEM_OUTPUT:
		return "Output";
	case HS_ITEM_COLLECTION:
		return "Collection";
	case HS_ITEM_FEATURE:
		return "Feature";
	case HS_ITEM_END_COLLECTION:
		return "End Collection";
	case HS_ITEM_USAGE_PAGE:
		return "Usage Page";
	case HS_ITEM_LOGICAL_MINIMUM:
		return "Logical Minimum";
	case HS_ITEM_LOGICAL_MAXIMUM:
		return "Logical Maximum";
	case HS_ITEM_PHYSICAL_MINIMUM:
		return "Physical Minimum";
	case HS_ITEM_PHYSICAL_MAXIMUM:
		return "Physical Maximum";
	case HS_ITEM_UNIT_EXPONENT:
		return "Unit Exponent";
	case HS_ITEM_UNIT:
		return "Unit";
	case HS_ITEM_REPORT_SIZE:
		return "Report Size";
	case HS_ITEM_REPORT_ID:
		return "Report ID";
	case HS_ITEM_REPORT_COUNT:
		return "Report Count";
	case HS_ITEM_PUSH:
		return "Push";
	case HS_ITEM_POP:
		return "Pop";
	case HS_ITEM_USAGE:
		return "Usage";
	case HS_ITEM_USAGE_MINIMUM:
		return "Usage Minimum";
	case HS_ITEM_USAGE_MAXIMUM:
		return "Usage Maximum";
	case HS_ITEM_DESIGNATOR_INDEX:
		return "Designator Index";
	case HS_ITEM_DESIGNATOR_MINIMUM:
		return "Designator Minimum";
	case HS_ITEM_DESIGNATOR_MAXIMUM:
		return "Designator Maximum";
	case HS_ITEM_STRING_INDEX:
		return "String Index";
	case HS_ITEM_STRING_MINIMUM:
		return "String Minimum";
	case HS_ITEM_STRING_MAXIMUM:
		return "String Maximum";
	case HS_ITEM_DELIMITER:
		return "Delimiter";
	case HS_ITEM_LONG:
		return "Long Item";
	}
	return NULL;
}
