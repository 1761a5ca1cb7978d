/* test_findings.c - what doctor has found is shown to people and programs. */
#include "findings.h"

#include <jansson.h>
#include <stdlib.h>

#include "harness.h"

static void
find_some(struct findings *findings)
{
	findings->topic = "store";
	finding_ok(findings, "all is %s", "fine");
	findings->topic = "mta";
	finding_add(
		findings, FINDING_WARNING, "something is odd",
		"A text that is so long that it does not fit into one line of a terminal as "
		"wide as they are.");
	finding_seen(findings, "x is %d", 7);
	finding_mend(findings, "one command\nanother command");
}

static char *
printed(const struct findings *findings, bool quiet, size_t width)
{
	char *text = NULL;
	size_t n;
	struct view view = {.to = open_memstream(&text, &n), .width = width};
	ck_assert_ptr_nonnull(view.to);
	findings_print(findings, quiet, &view);
	fclose(view.to);
	return text;
}

static const char warning[] =
	"warning  mta: something is odd\n"
	"      seen: x is 7\n"
	"      why:  A text that is so long that it does not fit into one line of a\n"
	"            terminal as wide as they are.\n"
	"      mend: one command\n"
	"            another command\n";

START_TEST(for_people)
{
	struct findings findings = {0};
	char want[1024];
	find_some(&findings);
	char *all = printed(&findings, false, 0), *quiet = printed(&findings, true, 200);
	snprintf(want, sizeof(want),
	         "ok       store: all is fine\n%s1 ok, 0 notes, 1 warning, 0 problems\n",
	         warning);
	ck_assert_str_eq(all, want);
	ck_assert_str_eq(quiet, warning);
	free(all);
	free(quiet);
	findings_free(&findings);
}

END_TEST

START_TEST(for_programs)
{
	struct findings findings = {0};
	find_some(&findings);
	json_t *all = findings_json(&findings, false),
	       *quiet = findings_json(&findings, true);
	ck_assert_uint_eq(json_array_size(all), 2);
	ck_assert_uint_eq(json_array_size(quiet), 1);
	char *text = json_dumps(json_array_get(all, 0), JSON_COMPACT);
	ck_assert_str_eq(
		text, "{\"level\":\"ok\",\"topic\":\"store\",\"title\":\"all is fine\","
		      "\"seen\":\"\",\"why\":\"\",\"mend\":\"\"}");
	free(text);
	json_decref(all);
	json_decref(quiet);
	findings_free(&findings);
}

END_TEST

START_TEST(on_a_narrow_terminal)
{
	struct findings findings = {.topic = "mta"};
	finding_add(&findings, FINDING_NOTE, "a note", "one two three four five");
	finding_mend(&findings, "a command is not broken");
	char *text = printed(&findings, true, 28);
	ck_assert_str_eq(text, "note     mta: a note\n"
	                       "      why:  one two three\n"
	                       "            four five\n"
	                       "      mend: a command is not broken\n");
	free(text);
	findings_free(&findings);
}

END_TEST

/* clang-format off */
static const struct bytes_row {
	const char *row;
	const char *raw;
	const char *want;
} bytes_rows[] = {
	{"an escape sequence", "\033[2Jb\xC3\xA4r", "\\x1B[2Jb\xC3\xA4r"},
	{"a C1 control", "\xC2\x9B" "2J", "\\xC2\\x9B2J"},
	{"what turns the direction", "\xE2\x80\xAE" "a", "\\xE2\\x80\\xAEa"},
	{"no UTF-8", "b\xE4r", "b\\xE4r"},
};

/* clang-format on */

START_TEST(bytes_from_anywhere)
{
	const struct bytes_row *r = &bytes_rows[_i];
	struct findings findings = {.topic = "mta"};
	char want[200];
	finding_add(&findings, FINDING_NOTE, r->raw, "");
	finding_seen(&findings, "%s", r->raw);
	finding_mend(&findings, "%s", r->raw);
	char *text = printed(&findings, true, 80);
	snprintf(want, sizeof(want), "note     mta: %s\n      seen: %s\n      mend: %s\n",
	         r->want, r->want, r->want);
	ck_slice_eq(r->row, slice_of(text), want);
	free(text);
	json_t *array = findings_json(&findings, false);
	ck_assert_msg(json_array_size(array) == 1, "%s", r->row);
	json_decref(array);
	findings_free(&findings);
}

END_TEST

START_TEST(too_long_is_cut)
{
	struct findings findings = {.topic = "mta"};
	char *text = mem_alloc(10001);
	memset(text, 'x', 10000);
	finding_ok(&findings, "%s", text);
	ck_assert_uint_eq(strlen(findings.v[0].title), 4095);
	findings_free(&findings);
	free(text);
}

END_TEST

START_TEST(good_or_not)
{
	struct findings findings = {.topic = "mta"};
	ck_assert(findings_good(&findings));
	finding_ok(&findings, "fine");
	finding_add(&findings, FINDING_NOTE, "a note", "");
	ck_assert(findings_good(&findings));
	finding_add(&findings, FINDING_PROBLEM, "a problem", "");
	ck_assert(!findings_good(&findings));
	ck_assert_uint_eq(findings_count(&findings, FINDING_NOTE), 1);
	findings_free(&findings);
}

END_TEST

START_TEST(said_twice)
{
	struct findings findings = {.topic = "mta"};
	for (int i = 0; i < 4; i++) {
		finding_add(&findings, FINDING_NOTE, "a note", "");
		finding_seen(&findings, "%d", i / 3);
	}
	findings_drop_repeated(&findings, 1);
	ck_assert_uint_eq(findings.n, 3); /* the first one is from before */
	ck_assert_str_eq(findings.v[2].seen, "1");
	findings_free(&findings);
}

END_TEST

static void
fill(TCase *tc)
{
	tcase_add_test(tc, for_people);
	tcase_add_test(tc, for_programs);
	tcase_add_test(tc, on_a_narrow_terminal);
	tcase_add_loop_test(tc, bytes_from_anywhere, 0, COUNT_OF(bytes_rows));
	tcase_add_test(tc, too_long_is_cut);
	tcase_add_test(tc, good_or_not);
	tcase_add_test(tc, said_twice);
}

int
main(void)
{
	return harness_run("findings", fill);
}
