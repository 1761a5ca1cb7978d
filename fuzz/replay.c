/*
 * replay.c - runs a fuzz target over the files of its corpus and prints TAP.
 *
 * The target is known by the program's name: replay_policy reads $srcdir/fuzz/corpus/policy.
 * Arguments name other files instead, to look at a finding.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
read_whole(const char *path, uint8_t **data_out, size_t *size_out)
{
	FILE *file = fopen(path, "r");
	size_t cap = 1 << 20;
	*data_out = malloc(cap);
	if (!file || !*data_out)
		return false;
	*size_out = fread(*data_out, 1, cap, file);
	bool ok = !ferror(file) && feof(file);
	fclose(file);
	return ok;
}

/* A finding ends the program, so its name is written first. */
static bool
replay(const char *path, const char *name, unsigned number)
{
	uint8_t *data;
	size_t size;
	printf("# %s\n", name);
	fflush(stdout);
	bool ok = read_whole(path, &data, &size);
	if (ok) {
		/* exactly as large as the input, so that a sanitizer sees what lies behind */
		uint8_t *exact = malloc(size ? size : 1);
		memcpy(exact, data, size);
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
	}
	free(data);
	printf("%s %u - %s\n", ok ? "ok" : "not ok", number, name);
	return ok;
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Below $srcdir, which "make check" sets. */
static const char *
corpus_dir(const char *program)
{
	static char path[4096];
	const char *name = strrchr(program, '_');
	const char *srcdir = getenv("srcdir");
	struct text text = TEXT(path);
	text_printf(&text, "%s/fuzz/corpus/%s", srcdir ? srcdir : ".",
	            name ? name + 1 : "");
	return path;
}

static unsigned
replay_corpus(const char *dir, unsigned *failed)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_visible, alphasort);
	if (n <= 0) {
		printf("Bail out! no corpus in %s\n", dir);
		exit(EXIT_FAILURE);
	}
	for (int i = 0; i < n; i++) {
		char path[4096 + 256];
		struct text text = TEXT(path);
		text_printf(&text, "%s/%s", dir, entries[i]->d_name);
		*failed += !replay(path, entries[i]->d_name, (unsigned)i + 1);
		free(entries[i]);
	}
	free(entries);
	return (unsigned)n;
}

int
main(int argc, char **argv)
{
	unsigned n = 0, failed = 0;
	if (argc > 1)
		for (n = 0; n + 1 < (unsigned)argc; n++)
			failed += !replay(argv[n + 1], argv[n + 1], n + 1);
	else
		n = replay_corpus(corpus_dir(argv[0]), &failed);
	printf("1..%u\n", n);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
