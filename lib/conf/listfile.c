/* listfile.c - reads list files: one entry a line, options and a comment behind it. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "list.h"

enum { LINE_MAX_LEN = 1024, DAY_S = 24 * 60 * 60 };

/* What one file fills. */
struct lists {
	struct list *all;
	struct list *unlimited; /* or NULL */
};

enum got { GOT_LINE, GOT_END, GOT_NUL, GOT_TOO_LONG, GOT_ERROR };

/* The bytes up to the next LF, without it; the last line may lack it. */
static enum got
read_line(FILE *file, char buf[LINE_MAX_LEN], struct slice *line_out)
{
	size_t n = 0;
	for (;;) {
		int c = getc(file);
		if (c == EOF && ferror(file))
			return GOT_ERROR;
		if (c == EOF && n == 0)
			return GOT_END;
		if (c == EOF || c == '\n')
			break;
		if (c == '\0')
			return GOT_NUL;
		if (n == LINE_MAX_LEN)
			return GOT_TOO_LONG;
		buf[n++] = (char)c;
	}
	*line_out = (struct slice){.p = buf, .n = n};
	return GOT_LINE;
}

/* A '#' inside a word may belong to a regular expression: a comment starts a word. */
static struct slice
without_comment(struct slice line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '#' && (i == 0 || ascii_blank(line.p[i - 1])))
			return slice_head(line, i);
	return line;
}

/* What stands behind an entry. */
struct options {
	int64_t until_s;
	bool unlimited;
};

/* The entry holds to the end of the day that is named. */
static bool
parse_option(struct slice word, struct options *options, struct err *err_out)
{
	struct slice until = SLICE("until=");
	if (slice_starts_nocase(word, SLICE("limits="))) {
		options->unlimited = slice_eq_nocase(word, SLICE("limits=false"));
		return options->unlimited ||
		       err_set(err_out, "limits= can only be false");
	}
	if (!slice_starts_nocase(word, until))
		return err_set(
			err_out,
			"only until=DATE and limits=false may stand behind an entry");
	int64_t day_s;
	if (!clock_parse_date(slice_from(word, until.n), &day_s))
		return err_set(err_out, "until= wants a date such as 2027-01-31");
	options->until_s = day_s + DAY_S;
	return true;
}

static bool
add_line(const struct lists *lists, struct slice line, const char *path, unsigned number,
         struct err *err_out)
{
	struct slice rest = without_comment(line);
	struct slice entry;
	struct slice word;
	struct options options = {0};
	if (!slice_word(&rest, &entry))
		return true;
	while (slice_word(&rest, &word))
		if (!parse_option(word, &options, err_out))
			return false;
	if (options.unlimited && lists->unlimited &&
	    !list_add(lists->unlimited, entry, options.until_s, path, number, err_out))
		return false;
	return list_add(lists->all, entry, options.until_s, path, number, err_out);
}

static bool
read_lines(const struct lists *lists, FILE *file, const char *path, struct err *err_out)
{
	char buf[LINE_MAX_LEN];
	for (unsigned number = 1;; number++) {
		struct slice line;
		struct err why;
		switch (read_line(file, buf, &line)) {
		case GOT_LINE: break;
		case GOT_END: return true;
		case GOT_NUL: return err_set(err_out, "%s:%u: NUL byte", path, number);
		case GOT_TOO_LONG:
			return err_set(err_out, "%s:%u: line longer than %d bytes", path,
			               number, LINE_MAX_LEN);
		case GOT_ERROR: return err_set_errno(err_out, "%s", path);
		}
		if (!add_line(lists, line, path, number, &why))
			return err_set(err_out, "%s:%u: %s", path, number, why.text);
	}
}

/* NULL with a text; a FIFO would hold up the daemon for ever. */
static FILE *
open_regular(const char *path, struct err *err_out)
{
	struct stat st;
	FILE *file = NULL;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		err_set_errno(err_out, "%s", path);
	else if (!S_ISREG(st.st_mode))
		err_set(err_out, "%s is not a regular file", path);
	else
		file = fdopen(fd, "r");
	if (fd >= 0 && !file)
		close(fd);
	return file;
}

bool
listfile_load(struct list *list, struct list *unlimited, const char *path,
              struct err *err_out)
{
	const struct lists lists = {.all = list, .unlimited = unlimited};
	FILE *file = open_regular(path, err_out);
	if (!file)
		return false;
	bool ok = read_lines(&lists, file, path, err_out);
	fclose(file);
	return ok;
}
