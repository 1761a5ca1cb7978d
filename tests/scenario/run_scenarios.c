/*
 * run_scenarios.c - runs the stories beside it (story.h), each on SQLite and on Redis.
 *
 * With the names of stories as arguments it runs those.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "harness.h"
#include "redis_server.h"
#include "story.h"

#define STORIES_MAX 256

struct stories {
	const char *paths[STORIES_MAX];
	int n;
};

static glob_t found;
static struct stories of_backend[2]; /* enum conf_backend */

START_TEST(story_on_sqlite)
{
	story_run(of_backend[BACKEND_EMBEDDED].paths[_i], BACKEND_EMBEDDED);
}

END_TEST

START_TEST(story_on_redis)
{
	story_run(of_backend[BACKEND_REDIS].paths[_i], BACKEND_REDIS);
}

END_TEST

static void
add_story(const char *path, int backend)
{
	struct stories *stories = &of_backend[backend];
	if (stories->n < STORIES_MAX && story_is_for(path, backend))
		stories->paths[stories->n++] = path;
}

static void
fill(TCase *tcase)
{
	bool with_redis = redis_tests_wanted();
	for (size_t i = 0; i < found.gl_pathc; i++) {
		add_story(found.gl_pathv[i], BACKEND_EMBEDDED);
		if (with_redis)
			add_story(found.gl_pathv[i], BACKEND_REDIS);
	}
	tcase_add_loop_test(tcase, story_on_sqlite, 0, of_backend[BACKEND_EMBEDDED].n);
	tcase_add_loop_test(tcase, story_on_redis, 0, of_backend[BACKEND_REDIS].n);
}

int
main(int argc, char **argv)
{
	char pattern[512];
	const char *srcdir = getenv("srcdir");
	snprintf(pattern, sizeof(pattern), "%s/tests/scenario/*.scn",
	         srcdir ? srcdir : ".");
	int failed = argc > 1 ? 0 : glob(pattern, 0, NULL, &found);
	for (int i = 1; i < argc; i++)
		failed |= glob(argv[i], i > 1 ? GLOB_APPEND : 0, NULL, &found);
	if (failed) {
		printf("Bail out! no stories in %s\n", pattern);
		return EXIT_FAILURE;
	}
	int status = harness_run("scenarios", fill);
	globfree(&found);
	return status;
}
