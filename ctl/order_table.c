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
put_limit(const json_t *order, struct text *text)
{
	const char *rates = json_text(order, "rates");
	int64_t limit = json_number(order, "limit");
	if (*rates && strcmp(rates, "0") != 0)
		text_puts(text, rates);
	else if (*rates || limit == 0)
		text_puts(text, "no limit");
	else
		text_printf(text, "%lld at once", (long long)limit);
}

static void
add_row(struct table *table, const json_t *order, int64_t now_s)
{
	char buf[400];
	struct text text = TEXT(buf);
	const char *kind = json_text(order, "kind");
	table_cell(table, slice_of(kind));
	table_cell(table, slice_of(json_text(order, "name")));
	if (strncmp(kind, "limit", strlen("limit")) == 0)
		put_limit(order, &text);
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
