/* order_table.c - orders in force as a table. */
#include "order_table.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "output.h"
#include "table.h"
#include "when.h"

/* What it is about now, unless its name says it. */
static void
put_meant(const json_t *order, struct text *text)
{
	const json_t *meant = json_object_get(order, "destination");
	const char *name = json_text(order, "destination");
	if (!meant || strcasecmp(name, json_text(order, "name")) == 0)
		return;
	text_puts(text, text->n > 0 ? ", " : "");
	if (*name)
		text_printf(text, "of %s", name);
	else
		text_puts(text, "no such destination");
}

static void
add_row(struct table *table, const json_t *order, int64_t now_s)
{
	char buf[160];
	struct text text = TEXT(buf);
	const char *kind = json_text(order, "kind");
	table_cell(table, slice_of(kind));
	table_cell(table, slice_of(json_text(order, "name")));
	if (strcmp(kind, "limit") == 0 && json_number(order, "limit") == 0)
		text_puts(&text, "no limit");
	else if (strcmp(kind, "limit") == 0)
		text_printf(&text, "%lld at once",
		            (long long)json_number(order, "limit"));
	else if (json_flag(order, "no_limits"))
		text_puts(&text, "no limits");
	put_meant(order, &text);
	table_cell(table, text_slice(&text));
	text = TEXT(buf);
	when_print(json_number(order, "until"), &text);
	table_cell(table, text_slice(&text));
	text = TEXT(buf);
	when_print_long(json_number(order, "until") - now_s, &text);
	table_cell(table, text_slice(&text));
	table_cell(table, slice_of(json_text(order, "by")));
}

void
order_table_print(const struct view *view, const json_t *list, int64_t now_s)
{
	static const char *const headings[] = {"ORDER",  "NAME",  "",
	                                       "=UNTIL", ">LEFT", "BY"};
	struct table *table = table_new(view, headings, COUNT_OF(headings));
	const json_t *order;
	size_t i;
	json_array_foreach(list, i, order) {
		add_row(table, order, now_s);
	}
	table_print(table);
	table_free(&table);
}
