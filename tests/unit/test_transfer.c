/* test_transfer.c - the lines of an export, and files that are none.  Such files are in backups. */
#include "transfer.h"

#include <stdlib.h>

#include "export_reader.h"
#include "harness.h"
#include "store/record.h"

#define SECRET "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEADER \
 "{\"weir\":\"export\",\"version\":1,\"secret\":\"" SECRET "\",\"at\":1800000000}\n"
#define KEY "45wcljdirIozHq1_4d85XA"
#define ROW(kind, state, at, count)                                              \
 "{\"kind\":\"" kind "\",\"key\":\"" KEY "\",\"state\":\"" state "\",\"at\":" at \
 ",\"count\":" count "}\n"
#define WAITS  ROW("triplet", "waiting", "1800000000", "0")
#define END(n) "{\"kind\":\"end\",\"rows\":" n "}\n"

static struct slice
without_newline(const char *line)
{
	return slice_trim(slice_of(line));
}

/* ---- what is printed ---- */

static char *
printed(void (*print)(FILE *))
{
	char *text = NULL;
	size_t n;
	FILE *file = open_memstream(&text, &n);
	print(file);
	fclose(file);
	return text;
}

static const struct key key = {.bytes = {0xe3, 0x9c, 0x1c, 0x96, 0x37, 0x62, 0xac, 0x8a,
                                         0x33, 0x1e, 0xad, 0x7f, 0xe1, 0xdf, 0x39, 0x5c}};

static void
print_file(FILE *to)
{
	struct key_secret secret;
	struct grey_record waits = {.state = GREY_WAITING, .at_s = 1800000000};
	struct grey_record allowed = {.state = GREY_IDENTITY, .at_s = 7, .count = 4095};
	struct history_row rows[] = {{RECORD_TRIPLET, key, record_pack(&waits)},
	                             {RECORD_IDENTITY, key, record_pack(&allowed)},
	                             {RECORD_TRIPLET, key, 42}};
	struct override override = {.kind = OVERRIDE_DRAIN,
	                            .name = "acme",
	                            .by = "o\"p",
	                            .made_s = 5,
	                            .until_s = 9};
	ck_assert(key_secret_parse(SLICE(SECRET), &secret));
	transfer_print_header(&secret, 1800000000, to);
	ck_assert(transfer_print_row(&rows[0], to));
	ck_assert(transfer_print_row(&rows[1], to));
	ck_assert(!transfer_print_row(&rows[2], to));
	transfer_print_override(&override, to);
	transfer_print_end(3, to);
}

START_TEST(an_export_looks_as_it_did)
{
	char *text = printed(print_file);
	ck_assert_str_eq(
		text,
		HEADER WAITS ROW(
			"identity", "identity", "7",
			"4095") "{\"kind\":\"override\",\"override\":\"drain\",\"name\":\"acme\",\"until\":9,"
				"\"made\":5,\"by\":\"o\\\"p\",\"limit\":0,\"no_limits\":false}\n" END(
					"3"));
	free(text);
}

END_TEST

/* ---- what is read ---- */

/* clang-format off */
static const struct line_row {
	const char *row;
	const char *line;
	enum transfer_kind kind;
} line_rows[] = {
	{"waits", WAITS, TRANSFER_RECORD},
	{"passed", ROW("triplet", "passed", "1800000000", "0"), TRANSFER_RECORD},
	{"an identity", ROW("identity", "identity", "1800000000", "4095"), TRANSFER_RECORD},
	{"the last second", ROW("triplet", "waiting", "17179869183", "0"), TRANSFER_RECORD},
	{"more members", "{\"kind\":\"end\",\"rows\":0,\"later\":[1,{}]}", TRANSFER_END},
	{"the end", END("12"), TRANSFER_END},
	{"an override", "{\"kind\":\"override\",\"override\":\"limit\",\"name\":\"acme\",\"until\":9,\"made\":5,\"by\":\"root\",\"limit\":20,\"no_limits\":false}", TRANSFER_OVERRIDE},
	{"of a later weir", "{\"kind\":\"quota\",\"key\":7}", TRANSFER_UNKNOWN},

	{"no kind", "{}", TRANSFER_MALFORMED},
	{"a kind that is a number", "{\"kind\":7}", TRANSFER_MALFORMED},
	{"no key", "{\"kind\":\"triplet\",\"state\":\"waiting\",\"at\":1,\"count\":0}", TRANSFER_MALFORMED},
	{"a short key", "{\"kind\":\"triplet\",\"key\":\"abc\",\"state\":\"waiting\",\"at\":1,\"count\":0}", TRANSFER_MALFORMED},
	{"a state of another kind", ROW("triplet", "identity", "1", "0"), TRANSFER_MALFORMED},
	{"a state of the other kind", ROW("identity", "passed", "1", "0"), TRANSFER_MALFORMED},
	{"an unknown state", ROW("triplet", "asleep", "1", "0"), TRANSFER_MALFORMED},
	{"a negative time", ROW("triplet", "waiting", "-1", "0"), TRANSFER_MALFORMED},
	{"a time too late", ROW("triplet", "waiting", "17179869184", "0"), TRANSFER_MALFORMED},
	{"a time that is a text", ROW("triplet", "waiting", "\"1\"", "0"), TRANSFER_MALFORMED},
	{"a time that is a fraction", ROW("triplet", "waiting", "1.5", "0"), TRANSFER_MALFORMED},
	{"a count too large", ROW("identity", "identity", "1", "4096"), TRANSFER_MALFORMED},
	{"a negative count", ROW("identity", "identity", "1", "-1"), TRANSFER_MALFORMED},
	{"an override about rates", "{\"kind\":\"override\",\"override\":\"limit-user-messages\",\"name\":\"u\",\"until\":9,\"made\":5,\"by\":\"root\",\"limit\":0,\"no_limits\":false,\"rates\":\"500/1d, 20/1m\"}", TRANSFER_OVERRIDE},
	{"an override as exports before 0.1 called it", "{\"kind\":\"order\",\"order\":\"limit-user-messages\",\"name\":\"u\",\"until\":9,\"made\":5,\"by\":\"root\",\"limit\":0,\"no_limits\":false,\"rates\":\"500/1d, 20/1m\"}", TRANSFER_OVERRIDE},
	{"an override about rates without any", "{\"kind\":\"override\",\"override\":\"limit-user-messages\",\"name\":\"u\",\"until\":9,\"made\":5,\"by\":\"root\",\"limit\":0,\"no_limits\":false}", TRANSFER_MALFORMED},
	{"an override about a malformed rate", "{\"kind\":\"override\",\"override\":\"limit-messages\",\"name\":\"u\",\"until\":9,\"made\":5,\"by\":\"root\",\"limit\":0,\"rates\":\"20\"}", TRANSFER_MALFORMED},
	{"an unknown override", "{\"kind\":\"override\",\"override\":\"dance\",\"name\":\"acme\",\"until\":9,\"made\":5,\"by\":\"\",\"limit\":0}", TRANSFER_MALFORMED},
	{"an override for nobody", "{\"kind\":\"override\",\"override\":\"allow-client\",\"name\":\"\",\"until\":9,\"made\":5,\"by\":\"\",\"limit\":0}", TRANSFER_MALFORMED},
	{"an override without an end", "{\"kind\":\"override\",\"override\":\"drain\",\"name\":\"acme\",\"made\":5,\"by\":\"\",\"limit\":0}", TRANSFER_MALFORMED},
	{"an end without its number", "{\"kind\":\"end\"}", TRANSFER_MALFORMED},
};

/* clang-format on */

START_TEST(lines_are_read)
{
	const struct line_row *r = &line_rows[_i];
	struct transfer_line line;
	struct err err;
	ck_assert_msg(transfer_parse(without_newline(r->line), &line, &err), "%s: %s",
	              r->row, err.text);
	ck_assert_msg(line.kind == r->kind, "%s: %d", r->row, line.kind);
}

END_TEST

static const char *const no_objects[] = {
	"",
	"x",
	"{",
	"{\"kind\":\"end\",\"rows\":1",
	"[]",
	"7",
	"\"end\"",
	"{\"a\":1}{",
	"{'a':1}",
	"{\"a\":1,\"a\":2}",
	"null",
	"{\"kind\":\"triplet\",\"key\":\"45wcljdirIozHq1_4d85X\\u0000\",\"state\":\"waiting\",\"at\":1,\"count\":0}",
	"\xff\xfe",
};

START_TEST(what_is_no_object_is_refused)
{
	struct transfer_line line;
	struct err err;
	ck_assert_msg(!transfer_parse(slice_of(no_objects[_i]), &line, &err), "%s",
	              no_objects[_i]);
	ck_assert_uint_gt(strlen(err.text), 0);
}

END_TEST

START_TEST(a_record_is_what_was_printed)
{
	struct transfer_line line;
	struct err err;
	ck_assert(transfer_parse(without_newline(ROW("identity", "identity", "7", "12")),
	                         &line, &err));
	ck_assert_int_eq(line.row.kind, RECORD_IDENTITY);
	ck_assert_mem_eq(line.row.key.bytes, key.bytes, KEY_BYTES);
	ck_assert_int_eq(line.record.state, GREY_IDENTITY);
	ck_assert_int_eq(line.record.at_s, 7);
	ck_assert_uint_eq(line.record.count, 12);
}

END_TEST

/* ---- whole files ---- */

static char long_line[2 * TRANSFER_LINE_MAX];

/* clang-format off */
static const struct file_row {
	const char *row;
	const char *content;
	const char *refused; /* NULL: it is an export */
} file_rows[] = {
	{"an export", HEADER WAITS END("1"), NULL},
	{"an empty export", HEADER END("0"), NULL},
	{"no newline at the end", HEADER "{\"kind\":\"end\",\"rows\":0}", NULL},
	{"nothing", "", ":0: the file is empty"},
	{"no header", WAITS END("1"), ":1: not an export of weir"},
	{"something else", "root:x:0:0:root:/root:/bin/bash\n", ":1: not JSON"},
	{"an empty line first", "\n" HEADER END("0"), ":1: not JSON"},
	{"version 2", "{\"weir\":\"export\",\"version\":2,\"secret\":\"" SECRET "\"}\n",
		":1: an export of version 2, and this is weirctl for 1"},
	{"no version", "{\"weir\":\"export\",\"secret\":\"" SECRET "\"}\n", ":1: an export without a version"},
	{"no secret", "{\"weir\":\"export\",\"version\":1}\n", ":1: an export without the site's secret"},
	{"half a secret", "{\"weir\":\"export\",\"version\":1,\"secret\":\"0011\"}\n", ":1: an export without the site's secret"},
	{"cut between lines", HEADER WAITS WAITS, ":3: the file is cut: its last line is missing"},
	{"cut within a line", HEADER WAITS "{\"kind\":\"tri", ":3: not JSON"},
	{"cut in the middle", HEADER WAITS END("2"), ":3: 2 rows are announced, but 1 are there"},
	{"one too many", HEADER WAITS WAITS END("1"), ":4: 1 rows are announced, but 2 are there"},
	{"two in one", HEADER END("0") HEADER END("0"), ":3: there is more after the end"},
	{"not JSON", HEADER WAITS "hello\n" END("2"), ":3: not JSON"},
	{"a malformed row", HEADER WAITS "{\"kind\":\"triplet\"}\n" END("2"), ":3: the row is malformed"},
	{"a list", HEADER "[1]\n" END("1"), ":2: not a JSON object"},
	{"too long a line", long_line, ":2: the line is too long"},
};

/* clang-format on */

static void
make_long_line(void)
{
	struct text text = TEXT(long_line);
	text_puts(&text, HEADER "{\"kind\":\"");
	while (text.n < sizeof(HEADER) + TRANSFER_LINE_MAX)
		text_putc(&text, 'x');
	text_puts(&text, "\"}\n" END("1"));
}

static bool
read_all(const char *content, struct err *err)
{
	struct export_reader reader;
	struct transfer_line line;
	enum export_read read = EXPORT_LINE;
	FILE *file = fopen(harness_file("export", content), "r");
	err->text[0] = '\0';
	if (!export_reader_open(&reader, file, "export", err))
		read = EXPORT_REFUSED;
	while (read == EXPORT_LINE)
		read = export_reader_next(&reader, &line, err);
	fclose(file);
	return read == EXPORT_DONE;
}

START_TEST(only_whole_files_are_exports)
{
	const struct file_row *r = &file_rows[_i];
	struct err err;
	make_long_line();
	bool ok = read_all(r->content, &err);
	ck_assert_msg(ok == (r->refused == NULL), "%s: %s", r->row, err.text);
	if (!ok)
		ck_slice_eq(r->row, slice_from(slice_of(err.text), strlen("export")),
		            r->refused);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, an_export_looks_as_it_did);
	tcase_add_loop_test(tcase, lines_are_read, 0, COUNT_OF(line_rows));
	tcase_add_loop_test(tcase, what_is_no_object_is_refused, 0, COUNT_OF(no_objects));
	tcase_add_test(tcase, a_record_is_what_was_printed);
	tcase_add_loop_test(tcase, only_whole_files_are_exports, 0, COUNT_OF(file_rows));
}

int
main(void)
{
	return harness_run("transfer", fill);
}
