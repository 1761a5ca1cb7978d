#include "harness.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char private_dir[256];
static pid_t owner; /* Check forks a child for each test: only the parent cleans up */

int
harness_run(const char *suite_name, void (*fill)(TCase *))
{
	Suite *suite = suite_create(suite_name);
	TCase *tcase = tcase_create(suite_name);
	tcase_set_timeout(tcase, 300);
	fill(tcase);
	suite_add_tcase(suite, tcase);
	harness_dir();
	SRunner *runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void
remove_dir(void)
{
	if (getpid() == owner)
		nftw(private_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *
harness_dir(void)
{
	if (private_dir[0])
		return private_dir;
	const char *tmp = getenv("TMPDIR");
	snprintf(private_dir, sizeof(private_dir), "%s/weir-test.XXXXXX",
	         tmp ? tmp : "/tmp");
	if (!mkdtemp(private_dir)) {
		perror(private_dir);
		exit(EXIT_FAILURE);
	}
	owner = getpid();
	atexit(remove_dir);
	return private_dir;
}

const char *
harness_path(const char *name)
{
	static char paths[64][512]; /* never freed: leak checkers see them */
	static unsigned next;
	char *path = paths[next++ % COUNT_OF(paths)];
	snprintf(path, sizeof(paths[0]), "%s/%s", harness_dir(), name);
	return path;
}

const char *
harness_file(const char *name, const char *content)
{
	const char *path = harness_path(name);
	FILE *file = fopen(path, "w");
	if (!file || fputs(content, file) < 0 || fclose(file) != 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	return path;
}
