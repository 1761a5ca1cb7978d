/* view.c - what is printed for people, and what it is printed on. */
#include "view.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "escape.h"

#define LINE 79 /* of a sentence, at most */

bool
view_size(int fd, size_t *columns_out, size_t *rows_out)
{
	struct winsize size = {0};
	if (!isatty(fd))
		return false;
	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
		size = (struct winsize){.ws_col = 80, .ws_row = 24};
	*columns_out = size.ws_col;
	*rows_out = size.ws_row;
	return true;
}

bool
view_is_screen(void)
{
	const char *terminal = getenv("TERM");
	return isatty(STDOUT_FILENO) && terminal && *terminal &&
	       !slice_eq(slice_of(terminal), SLICE("dumb"));
}

/* See no-color.org. */
static bool
wants_colour(void)
{
	const char *no_colour = getenv("NO_COLOR");
	return view_is_screen() && !(no_colour && *no_colour);
}

struct view
view_of_stdout(void)
{
	struct view view = {.to = stdout};
	size_t rows;
	if (!view_size(STDOUT_FILENO, &view.width, &rows))
		return view;
	view.colour = wants_colour();
	view.ascii = !slice_eq_nocase(slice_of(nl_langinfo(CODESET)), SLICE("UTF-8"));
	return view;
}

void
view_put(const struct view *view, struct slice raw)
{
	char *escaped = escape(raw, view->ascii);
	fputs(escaped, view->to);
	free(escaped);
}

void
view_text(const struct view *view, const char *raw)
{
	view_put(view, slice_of(raw));
}

void
view_puts(const struct view *view, const char *text)
{
	fputs(text, view->to);
}

void
view_paragraph(const struct view *view, size_t indent, const char *raw)
{
	size_t most = view->width > 0 && view->width < LINE ? view->width : LINE;
	struct slice rest = slice_of(raw), word;
	size_t used = indent;
	while (slice_word(&rest, &word)) {
		char *escaped = escape(word, view->ascii);
		size_t width = columns_of(slice_of(escaped));
		if (used > indent && used + 1 + width > most) {
			fprintf(view->to, "\n%*s", (int)indent, "");
			used = indent;
		} else if (used > indent) {
			fputc(' ', view->to);
			used++;
		}
		fputs(escaped, view->to);
		used += width;
		free(escaped);
	}
	fputc('\n', view->to);
}

void
view_sentence(const struct view *view, const char *raw)
{
	view_paragraph(view, 0, raw);
}

void
view_printf(const struct view *view, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vfprintf(view->to, fmt, args);
	va_end(args);
}

void
view_style(const struct view *view, enum style style)
{
	static const char *const codes[STYLES] = {
		[STYLE_PLAIN] = "\033[0m", [STYLE_HEAD] = "\033[1m",
		[STYLE_GOOD] = "\033[32m", [STYLE_WARN] = "\033[33m",
		[STYLE_BAD] = "\033[31m",
	};
	if (view->colour)
		fputs(codes[style], view->to);
}
