/* infile.c - an input file that can be read twice, and its lines. */
#include "infile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file without a name, where TMPDIR says. */
static FILE *
nameless_file(struct err *err_out)
{
	char path[4096];
	struct text name = TEXT(path);
	const char *dir = getenv("TMPDIR");
	text_printf(&name, "%s/weirctl.XXXXXX", dir && *dir ? dir : "/tmp");
	int fd = mkstemp(path);
	if (fd < 0) {
		err_set_errno(err_out, "%s", path);
		return NULL;
	}
	unlink(path);
	return fdopen(fd, "w+");
}

static FILE *
spool(FILE *from, const char *name, struct err *err_out)
{
	char block[32768];
	size_t n;
	FILE *to = nameless_file(err_out);
	if (!to)
		return NULL;
	while ((n = fread(block, 1, sizeof(block), from)) > 0)
		if (fwrite(block, 1, n, to) != n)
			break;
	if (ferror(from)) {
		err_set_errno(err_out, "%s", name);
	} else if (n > 0 || fflush(to) != 0) {
		err_set_errno(err_out, "%s: its copy below TMPDIR", name);
	} else {
		rewind(to);
		return to;
	}
	fclose(to);
	return NULL;
}

FILE *
infile_open(const char *path, int64_t *bytes_out, struct err *err_out)
{
	struct stat st;
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "r");
	if (!file || fstat(fileno(file), &st) != 0) {
		err_set_errno(err_out, "%s", path);
		if (file && !is_stdin)
			fclose(file);
		return NULL;
	}
	if (S_ISCHR(st.st_mode) && !isatty(fileno(file))) { /* /dev/zero has no end */
		err_set(err_out, "%s is no file", path);
		if (!is_stdin)
			fclose(file);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		FILE *copy = spool(file, is_stdin ? "standard input" : path, err_out);
		if (!is_stdin)
			fclose(file);
		file = copy;
	}
	if (file && fstat(fileno(file), &st) == 0)
		*bytes_out = st.st_size;
	return file;
}

bool
infile_line(FILE *file, char *buf, size_t size, struct slice *line_out,
            bool *too_long_out)
{
	int c = 0;
	size_t n = 0;
	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (n < size)
			buf[n] = (char)c;
		n++;
	}
	*too_long_out = n > size;
	*line_out = (struct slice){.p = buf, .n = n < size ? n : size};
	return c != EOF || n > 0;
}
