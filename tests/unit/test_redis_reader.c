/* test_redis_reader.c - replies of a server that is not trusted. */
#include "redis/redis_reply.h"

#include <stdlib.h>

#include "base/clock.h"
#include "harness.h"

/* Feeds the bytes `step` at a time; what came, in letters. */
static void
read_all(struct slice in, size_t step, struct text *out)
{
	redisReader *reader = redis_reader_new();
	text_puts(out, "");
	for (size_t at = 0; at < in.n; at += step) {
		struct slice piece = slice_head(slice_from(in, at), step);
		ck_assert_int_eq(redisReaderFeed(reader, piece.p, piece.n), REDIS_OK);
		for (;;) {
			void *reply = NULL;
			if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
				text_puts(out, "broken");
				redisReaderFree(reader);
				return;
			}
			if (!reply)
				break;
			struct redis_reply ours;
			redis_reply_take(reply, &ours);
			switch (ours.kind) {
			case REDIS_LOST: text_puts(out, "lost "); break;
			case REDIS_NIL: text_puts(out, "nil "); break;
			case REDIS_INTEGER:
				text_puts(out, "i");
				text_int(out, ours.integer);
				text_puts(out, " ");
				break;
			case REDIS_TEXT:
			case REDIS_STATUS:
			case REDIS_ERROR:
				text_puts(out, ours.kind == REDIS_TEXT     ? "t"
				               : ours.kind == REDIS_STATUS ? "s"
				                                           : "e");
				text_put_escaped(out, ours.text);
				text_puts(out, " ");
				break;
			case REDIS_OTHER: text_puts(out, "other "); break;
			}
			freeReplyObject(reply);
		}
	}
	redisReaderFree(reader);
}

/* clang-format off */
static const struct stream_row {
	const char *row;
	struct slice in;
	const char *want;
} stream_rows[] = {
	{"nothing", SLICE_INIT(""), ""},
	{"an integer", SLICE_INIT(":2880\r\n"), "i2880 "},
	{"a negative integer", SLICE_INIT(":-1\r\n"), "i-1 "},
	{"the largest integer", SLICE_INIT(":9223372036854775807\r\n"), "i9223372036854775807 "},
	{"a status", SLICE_INIT("+OK\r\n"), "sOK "},
	{"a string", SLICE_INIT("$3\r\nabc\r\n"), "tabc "},
	{"an empty string", SLICE_INIT("$0\r\n\r\n"), "t "},
	{"a string with CR LF and NUL", SLICE_INIT("$5\r\n\r\n\0ab\r\n"), "t\\x0d\\x0a\\x00ab "},
	{"no string", SLICE_INIT("$-1\r\n"), "nil "},
	{"no array", SLICE_INIT("*-1\r\n"), "nil "},
	{"an error", SLICE_INIT("-OOM no\r\n"), "eOOM\\x20no "},
	{"an array", SLICE_INIT("*2\r\n:1\r\n$1\r\na\r\n"), "other "},
	{"an empty array", SLICE_INIT("*0\r\n"), "other "},
	{"several", SLICE_INIT(":1\r\n+OK\r\n$-1\r\n:2\r\n"), "i1 sOK nil i2 "},
	{"the second is not complete", SLICE_INIT(":1\r\n:2"), "i1 "},
	{"a string cut short", SLICE_INIT("$10\r\nabc"), ""},
	{"a string without its CR LF", SLICE_INIT("$3\r\nabc"), ""},
	{"an array cut short", SLICE_INIT("*2\r\n:1\r\n"), ""},
	{"half an end of line", SLICE_INIT("+OK\r"), ""},
	{"no such kind", SLICE_INIT("HTTP/1.1 400\r\n"), "broken"},
	{"an empty line", SLICE_INIT("\r\n"), "broken"},
	{"good, then not", SLICE_INIT(":1\r\nx"), "i1 broken"},
	{"an integer with letters", SLICE_INIT(":12a\r\n"), "broken"},
	{"no integer", SLICE_INIT(":\r\n"), "broken"},
	{"an integer too large", SLICE_INIT(":9223372036854775808\r\n"), "broken"},
	{"a length below -1", SLICE_INIT("$-2\r\n"), "broken"},
	{"a length with letters", SLICE_INIT("$1x\r\n"), "broken"},
	{"an array below -1", SLICE_INIT("*-2\r\n"), "broken"},
	{"a huge array", SLICE_INIT("*2147483647\r\n"), "broken"},
	{"an array larger than an int", SLICE_INIT("*4294967297\r\n"), "broken"},
	{"an array one too large", SLICE_INIT("*65\r\n"), "broken"},
	{"an array in an array", SLICE_INIT("*1\r\n*1\r\n:1\r\n"), "broken"},
	{"arrays ever deeper", SLICE_INIT("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
		"*1\r\n*1\r\n*1\r\n"), "broken"},
};

/* clang-format on */

START_TEST(replies_are_read)
{
	const struct stream_row *r = &stream_rows[_i];
	static const size_t steps[] = {SIZE_MAX / 2, 1, 2, 3, 5};
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		char buf[256];
		struct text out = TEXT(buf);
		read_all(r->in, steps[i], &out);
		ck_assert_msg(slice_eq(text_slice(&out), slice_of(r->want)),
		              "%s, %zu at a time: \"%s\", not \"%s\"", r->row, steps[i],
		              buf, r->want);
	}
}

END_TEST

START_TEST(the_largest_array_is_taken)
{
	char in[1000], buf[64];
	struct text text = TEXT(in), out = TEXT(buf);
	text_printf(&text, "*%d\r\n", REDIS_ARRAY_MAX);
	for (int i = 0; i < REDIS_ARRAY_MAX; i++)
		text_puts(&text, ":1\r\n");
	read_all(text_slice(&text), 7, &out);
	ck_assert_str_eq(buf, "other ");
}

END_TEST

/* Refused at the header: memory for 2^31 elements would take seconds, or be refused. */
START_TEST(huge_announcements_cost_nothing)
{
	int64_t before_ms = clock_mono_ms();
	for (int i = 0; i < 1000; i++) {
		char buf[64];
		struct text out = TEXT(buf);
		read_all(SLICE("*2147483647\r\n"), 100, &out);
		ck_assert_str_eq(buf, "broken");
	}
	ck_assert_int_lt(clock_mono_ms() - before_ms, 5000);
}

END_TEST

/* No reply grows without end: not one of endless text, nor one of endless elements. */
START_TEST(an_endless_reply_is_seen)
{
	static const char *const heads[] = {"+", "$2147483647\r\n", "*64\r\n"};
	static const char *const more[] = {"xxxxxxxx", "xxxxxxxx", "*64\r\n"};
	redisReader *reader = redis_reader_new();
	void *reply = NULL;
	size_t fed = 0;
	bool is_over = false;
	redisReaderFeed(reader, heads[_i], strlen(heads[_i]));
	while (!is_over && fed < 4 * REDIS_REPLY_MAX) {
		fed += strlen(more[_i]);
		redisReaderFeed(reader, more[_i], strlen(more[_i]));
		is_over = redisReaderGetReply(reader, &reply) != REDIS_OK ||
		          reader->len > REDIS_REPLY_MAX;
		ck_assert_ptr_null(reply);
	}
	ck_assert_msg(is_over, "%s... went on for %zu bytes", heads[_i], fed);
	redisReaderFree(reader);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, replies_are_read, 0, COUNT_OF(stream_rows));
	tcase_add_test(tcase, the_largest_array_is_taken);
	tcase_add_test(tcase, huge_announcements_cost_nothing);
	tcase_add_loop_test(tcase, an_endless_reply_is_seen, 0, 3);
}

int
main(void)
{
	return harness_run("redis_reader", fill);
}
