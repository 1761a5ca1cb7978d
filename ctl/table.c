/* table.c - tables for people: columns as wide as what is in them. */
#include "table.h"

#include <stdlib.h>

#include "base/mem.h"
#include "escape.h"

#define GAP          2 /* between columns */
#define COLUMNS_MAX  12
#define SHRUNK_LEAST 6

struct cell {
	char *text; /* escaped */
	enum style style;
};

struct table {
	const struct view *view;
	size_t columns;
	bool to_right[COLUMNS_MAX], stays[COLUMNS_MAX];
	struct cell *cells; /* the headings first */
	size_t n, room;
};

static void
add_cell(struct table *table, char *text, enum style style)
{
	if (table->n == table->room) {
		table->room = table->room ? 2 * table->room : 64;
		table->cells = mem_grow(table->cells, table->room * sizeof(struct cell));
	}
	table->cells[table->n++] = (struct cell){.text = text, .style = style};
}

struct table *
table_new(const struct view *view, const char *const *headings, size_t columns)
{
	struct table *table = mem_new(struct table);
	table->view = view;
	table->columns = columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
	for (size_t i = 0; i < table->columns; i++) {
		table->to_right[i] = headings[i][0] == '>';
		table->stays[i] = table->to_right[i] || headings[i][0] == '=';
		add_cell(table, mem_dup(slice_of(headings[i] + table->stays[i])),
		         STYLE_HEAD);
	}
	return table;
}

void
table_free(struct table **table)
{
	if (!*table)
		return;
	for (size_t i = 0; i < (*table)->n; i++)
		free((*table)->cells[i].text);
	free((*table)->cells);
	free(*table);
	*table = NULL;
}

void
table_styled(struct table *table, struct slice raw, enum style style)
{
	add_cell(table, escape(raw, table->view->ascii), style);
}

void
table_cell(struct table *table, struct slice raw)
{
	table_styled(table, raw, STYLE_PLAIN);
}

void
table_int(struct table *table, int64_t number)
{
	char buf[24];
	struct text text = TEXT(buf);
	text_int(&text, number);
	table_cell(table, text_slice(&text));
}

size_t
table_rows(const struct table *table)
{
	return table->n / table->columns - 1;
}

static size_t
total(const struct table *table, const size_t *widths)
{
	size_t sum = GAP * (table->columns - 1);
	for (size_t i = 0; i < table->columns; i++)
		sum += widths[i];
	return sum;
}

/* Of those that can give way; NULL: none can any more. */
static size_t *
widest(const struct table *table, size_t *widths)
{
	size_t *found = NULL;
	for (size_t i = 0; i < table->columns; i++)
		if (!table->stays[i] && widths[i] > SHRUNK_LEAST &&
		    (!found || widths[i] > *found))
			found = &widths[i];
	return found;
}

static void
measure(const struct table *table, size_t widths[COLUMNS_MAX])
{
	for (size_t i = 0; i < table->n; i++) {
		size_t width = columns_of(slice_of(table->cells[i].text));
		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	while (table->view->width > 0 && total(table, widths) > table->view->width) {
		size_t *width = widest(table, widths);
		if (!width)
			return;
		--*width;
	}
}

static void
pad(FILE *to, size_t n)
{
	fprintf(to, "%*s", (int)n, "");
}

/* Into `room` columns; what is longer ends with a mark. */
static void
print_text(const struct view *view, struct slice text, size_t room)
{
	bool cut = columns_of(text) > room && room > 0;
	struct slice head = columns_head(text, cut ? room - 1 : room);
	fwrite(head.p, 1, head.n, view->to);
	if (cut)
		fputs(view->ascii ? "~" : "\xe2\x80\xa6", view->to);
}

static void
print_cell(const struct table *table, const struct cell *cell, size_t width,
           bool to_right, bool is_last)
{
	const struct view *view = table->view;
	struct slice text = slice_of(cell->text);
	size_t used = columns_of(text);
	size_t padding = used < width ? width - used : 0;
	if (to_right)
		pad(view->to, padding);
	if (cell->style != STYLE_PLAIN)
		view_style(view, cell->style);
	print_text(view, text, width);
	if (cell->style != STYLE_PLAIN)
		view_style(view, STYLE_PLAIN);
	if (!to_right && !is_last)
		pad(view->to, padding);
}

static void
print_row(const struct table *table, const struct cell *cells, const size_t *widths)
{
	size_t room = table->view->width > 0 ? table->view->width : SIZE_MAX;
	size_t columns = table->columns;
	while (columns > 1 && *cells[columns - 1].text == '\0')
		columns--;
	for (size_t i = 0; i < columns && room > 0; i++) {
		size_t gap = i == 0 ? 0 : GAP;
		if (room <= gap)
			break;
		room -= gap;
		pad(table->view->to, gap);
		size_t width = widths[i] < room ? widths[i] : room;
		print_cell(table, &cells[i], width, table->to_right[i],
		           i + 1 == columns || room - width <= GAP);
		room -= width;
	}
	fputc('\n', table->view->to);
}

void
table_print(const struct table *table)
{
	size_t widths[COLUMNS_MAX] = {0};
	measure(table, widths);
	for (size_t i = 0; i + table->columns <= table->n; i += table->columns)
		print_row(table, &table->cells[i], widths);
}
