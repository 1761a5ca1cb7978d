/* listfile.c - reads list files: one entry a line, options and a comment behind it. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/list.h"

enum { LINE_MAX_LEN = 1024, DAY_S = 24 * 60 * 60 };

/* What one file fills. */
struct lists {
	const char *path;
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

static bool
has_any(struct slice s, const char *bytes)
{
	for (; *bytes; bytes++)
		if (slice_find(s, *bytes) >= 0)
			return true;
	return false;
}

/*
 * Whether the '#' behind `before` belongs to the word: to a regular expression, or to a local part
 * without a dot.  With one, as in "example.com#postmaster@example.com", it is a comment.
 */
static bool
is_of_the_word(struct slice before, struct slice behind)
{
	struct slice rest = behind, word;
	slice_word(&rest, &word);
	if (before.p[0] == '/')
		return !slice_ends_nocase(before, SLICE("/")) || before.n == 1 ||
		       slice_ends_nocase(word, SLICE("/"));
	return !has_any(before, ".:@") && has_any(word, "@");
}

/* As in postgrey, a comment may follow an entry without a blank. */
static struct slice
without_comment(struct slice line)
{
	size_t begin = 0; /* of the word */
	for (size_t i = 0; i < line.n; i++) {
		if (ascii_blank(line.p[i]))
			begin = i + 1;
		else if (line.p[i] == '#' &&
		         (i == begin ||
		          !is_of_the_word(slice_from(slice_head(line, i), begin),
		                          slice_from(line, i))))
			return slice_head(line, i);
	}
	return line;
}

/* Some editors put a byte order mark in front. */
static struct slice
without_mark(struct slice line)
{
	struct slice mark = SLICE("\357\273\277");
	return slice_starts_nocase(line, mark) ? slice_from(line, mark.n) : line;
}

/* What stands behind an entry, which holds to the end of the day that is named. */
static bool
parse_option(struct slice word, struct listfile_entry *entry, struct err *err_out)
{
	struct slice until = SLICE("until=");
	if (slice_starts_nocase(word, SLICE("limits="))) {
		entry->unlimited = slice_eq_nocase(word, SLICE("limits=false"));
		return entry->unlimited || err_set(err_out, "limits= can only be false");
	}
	if (!slice_starts_nocase(word, until))
		return err_set(
			err_out,
			"only until=DATE and limits=false may stand behind an entry");
	int64_t day_s;
	if (!clock_parse_date(slice_from(word, until.n), &day_s))
		return err_set(err_out, "until= wants a date such as 2027-01-31");
	entry->until_s = day_s + DAY_S;
	return true;
}

/* Who reads a file. */
struct reader {
	listfile_fn *fn;
	void *arg;
};

static bool
read_entry(const struct reader *reader, struct slice line, unsigned number,
           struct err *err_out)
{
	struct slice rest = without_comment(line);
	struct slice word;
	struct listfile_entry entry = {.line = number};
	if (!slice_word(&rest, &entry.text))
		return true;
	while (slice_word(&rest, &word)) {
		if (parse_option(word, &entry, err_out))
			continue;
		if (entry.text.p[0] == '/')
			err_set(err_out,
			        "a blank in a regular expression: write \\s instead");
		return false;
	}
	return reader->fn(reader->arg, &entry, err_out);
}

static bool
read_lines(const struct reader *reader, FILE *file, const char *path, struct err *err_out)
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
		if (number == 1)
			line = without_mark(line);
		if (!read_entry(reader, line, number, &why))
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
listfile_read(const char *path, listfile_fn *fn, void *arg, struct err *err_out)
{
	const struct reader reader = {.fn = fn, .arg = arg};
	FILE *file = open_regular(path, err_out);
	if (!file)
		return false;
	bool ok = read_lines(&reader, file, path, err_out);
	fclose(file);
	return ok;
}

static bool
add_entry(void *arg, const struct listfile_entry *entry, struct err *err_out)
{
	const struct lists *lists = arg;
	if (entry->unlimited && lists->unlimited &&
	    !list_add(lists->unlimited, entry->text, entry->until_s, lists->path,
	              entry->line, err_out))
		return false;
	return list_add(lists->all, entry->text, entry->until_s, lists->path, entry->line,
	                err_out);
}

bool
listfile_load(struct list *list, struct list *unlimited, const char *path,
              struct err *err_out)
{
	struct lists lists = {.path = path, .all = list, .unlimited = unlimited};
	return listfile_read(path, add_entry, &lists, err_out);
}
