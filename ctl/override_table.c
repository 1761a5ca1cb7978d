/* override_table.c - overrides in force as a table. */
#include "override_table.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "output.h"
#include "table.h"
#include "when.h"

/* What it is about now, unless its name says it. */
static void
put_meant(const json_t *override, struct text *text)
{
	const json_t *meant = json_object_get(override, "destination");
	const char *name = json_text(override, "destination");
	if (!meant || strcasecmp(name, json_text(override, "name")) == 0)
		return;
	text_puts(text, text->n > 0 ? ", " : "");
	if (*name)
		text_printf(text, "of %s", name);
	else
		text_puts(text, "no such destination");
}

static void
put_limit(const json_t *override, struct text *text)
{
	const char *rates = json_text(override, "rates");
	int64_t limit = json_number(override, "limit");
	if (*rates && strcmp(rates, "0") != 0)
		text_puts(text, rates);
	else if (*rates || limit == 0)
		text_puts(text, "no limit");
	else
		text_printf(text, "%lld at once", (long long)limit);
}

static void
add_row(struct table *table, const json_t *override, int64_t now_s)
{
	char buf[400];
	struct text text = TEXT(buf);
	const char *kind = json_text(override, "kind");
	table_cell(table, slice_of(kind));
	table_cell(table, slice_of(json_text(override, "name")));
	if (strncmp(kind, "limit", strlen("limit")) == 0)
		put_limit(override, &text);
	else if (json_flag(override, "no_limits"))
		text_puts(&text, "no limits");
	put_meant(override, &text);
	table_cell(table, text_slice(&text));
	text = TEXT(buf);
	when_print(json_number(override, "until"), &text);
	table_cell(table, text_slice(&text));
	text = TEXT(buf);
	when_print_long(json_number(override, "until") - now_s, &text);
	table_cell(table, text_slice(&text));
	table_cell(table, slice_of(json_text(override, "by")));
}

void
override_table_print(const struct view *view, const json_t *list, int64_t now_s)
{
	static const char *const headings[] = {"OVERRIDE", "NAME",  "",
	                                       "=UNTIL",   ">LEFT", "BY"};
	struct table *table = table_new(view, headings, COUNT_OF(headings));
	const json_t *override;
	size_t i;
	json_array_foreach(list, i, override) {
		add_row(table, override, now_s);
	}
	table_print(table);
	table_free(&table);
}
