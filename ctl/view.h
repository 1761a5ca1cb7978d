/* view.h - what is printed for people, and what it is printed on. */
#ifndef WEIR_CTL_VIEW_H
#define WEIR_CTL_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/slice.h"

enum style { STYLE_PLAIN, STYLE_HEAD, STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLES };

struct view {
	FILE *to;
	size_t width; /* columns; 0: no terminal, nothing is cut */
	bool colour;
	bool ascii; /* the terminal may not understand more */
};

/* Standard output as it is just now. */
struct view view_of_stdout(void);

/* Whether standard output is a terminal on which text can be placed and coloured. */
bool view_is_screen(void);

/* Columns and rows of the terminal; false when it is none. */
bool view_size(int fd, size_t *columns_out, size_t *rows_out);

/* Escaped, since it comes from outside. */
void view_put(const struct view *view, struct slice raw);
void view_text(const struct view *view, const char *raw);

/* The same broken at blanks, behind so many columns of its first line and below them; ends the line. */
void view_paragraph(const struct view *view, size_t indent, const char *raw);
void view_sentence(const struct view *view, const char *raw);

/* The program's own words only. */
void view_puts(const struct view *view, const char *text);
void view_printf(const struct view *view, const char *fmt, ...) PRINTF_LIKE(2, 3);
void view_style(const struct view *view, enum style style);

#endif
