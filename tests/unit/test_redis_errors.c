/* test_redis_errors.c - what an error reply of Redis means. */
#include "redis/redis_reply.h"

#include "harness.h"

/* clang-format off */
static const struct error_row {
	const char *text;
	const char *word;
	enum store_status status;
	enum redis_cure cure;
} rows[] = {
	{"NOSCRIPT No matching script. Please use EVAL.", "NOSCRIPT", STORE_FAILED, REDIS_LOAD},
	{"OOM command not allowed when used memory > 'maxmemory'.", "OOM", STORE_FULL, REDIS_NONE},
	{"MISCONF Redis is configured to save RDB snapshots, but ...", "MISCONF", STORE_FULL,
		REDIS_NONE},
	{"READONLY You can't write against a read only replica.", "READONLY", STORE_FAILED,
		REDIS_RECONNECT},
	{"LOADING Redis is loading the dataset in memory", "LOADING", STORE_DOWN, REDIS_RECONNECT},
	{"MASTERDOWN Link with MASTER is down and ...", "MASTERDOWN", STORE_FAILED, REDIS_RECONNECT},
	{"CLUSTERDOWN Hash slot not served", "CLUSTERDOWN", STORE_FAILED, REDIS_NONE},
	{"NOREPLICAS Not enough good replicas to write.", "NOREPLICAS", STORE_FAILED, REDIS_NONE},
	{"BUSY Redis is busy running a script.", "BUSY", STORE_FAILED, REDIS_NONE},
	{"TRYAGAIN Multiple keys request during rehashing of slot", "TRYAGAIN", STORE_FAILED,
		REDIS_NONE},
	{"MOVED 3999 127.0.0.1:6381", "MOVED", STORE_FAILED, REDIS_OPERATOR},
	{"ASK 3999 127.0.0.1:6381", "ASK", STORE_FAILED, REDIS_OPERATOR},
	{"NOAUTH Authentication required.", "NOAUTH", STORE_FAILED, REDIS_RIGHTS},
	{"WRONGPASS invalid username-password pair or user is disabled.", "WRONGPASS", STORE_FAILED,
		REDIS_RIGHTS},
	{"NOPERM this user has no permissions to run the 'evalsha' command", "NOPERM", STORE_FAILED,
		REDIS_RIGHTS},
	{"WRONGTYPE Operation against a key holding the wrong kind of value", "WRONGTYPE", STORE_BAD_RECORD,
		REDIS_OPERATOR},
	{"CROSSSLOT Keys in request don't hash to the same slot", "CROSSSLOT", STORE_FAILED,
		REDIS_OPERATOR},
	{"BADRECORD triplet of an unknown version", "BADRECORD", STORE_BAD_RECORD, REDIS_NONE},
	{"ERR unknown command 'EVALSHA'", "ERR", STORE_FAILED, REDIS_OPERATOR},
	{"NEWWORD of a later Redis", "ERR", STORE_FAILED, REDIS_OPERATOR},
	{"OOM", "OOM", STORE_FULL, REDIS_NONE},
	{"OOMX not the word", "ERR", STORE_FAILED, REDIS_OPERATOR},
	{"oom in small letters", "ERR", STORE_FAILED, REDIS_OPERATOR},
	{"ERR says OOM elsewhere", "ERR", STORE_FAILED, REDIS_OPERATOR},
	{"", "ERR", STORE_FAILED, REDIS_OPERATOR},
	{"   ", "ERR", STORE_FAILED, REDIS_OPERATOR},

	/* raised in a script, as Redis 5 and 6 say it */
	{"ERR Error running script (call to f_abc): @user_script:1: @user_script: 1: "
		"-OOM command not allowed when used memory > 'maxmemory'. ", "OOM", STORE_FULL,
		REDIS_NONE},
	{"ERR Error running script (call to f_abc): @user_script:1: -READONLY You can't write "
		"against a read only replica. ", "READONLY", STORE_FAILED, REDIS_RECONNECT},
	{"ERR Error running script (call to f_abc): @user_script:1: -MISCONF Redis is configured "
		"to save RDB snapshots ", "MISCONF", STORE_FULL, REDIS_NONE},
	/* and as Redis 7 does */
	{"OOM command not allowed when used memory > 'maxmemory'. script: f_abc, on "
		"@user_script:1.", "OOM", STORE_FULL, REDIS_NONE},
};

/* clang-format on */

START_TEST(errors_are_known_by_their_word)
{
	const struct error_row *r = &rows[_i];
	const struct redis_error *got = redis_error_find(slice_of(r->text));
	ck_assert_ptr_nonnull(got);
	ck_assert_msg(strcmp(got->word, r->word) == 0, "\"%s\": %s", r->text, got->word);
	ck_assert_msg(got->status == r->status, "\"%s\": status %d", r->text,
	              got->status);
	ck_assert_msg(got->cure == r->cure, "\"%s\": remedy %d", r->text, got->cure);
}

END_TEST

START_TEST(no_text_is_an_error_too)
{
	ck_assert_str_eq(redis_error_find((struct slice){0})->word, "ERR");
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, errors_are_known_by_their_word, 0, COUNT_OF(rows));
	tcase_add_test(tcase, no_text_is_an_error_too);
}

int
main(void)
{
	return harness_run("redis_errors", fill);
}
