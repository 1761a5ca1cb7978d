/* test_steps.c - how far services tell of their messages. */
#include "rules/steps.h"

#include <stdio.h>

#include "harness.h"

#define T0  INT64_C(1000000)
#define DAY INT64_C(86400000)

static const struct heard {
	const char *service;
	enum stage stage;
	int64_t at_ms;
} heard[] = {
	{"25", STAGE_RCPT, T0},         {"465", STAGE_DATA, T0},
	{"587", STAGE_DATA, T0},        {"587", STAGE_END_OF_MESSAGE, T0 + 5},
	{"", STAGE_END_OF_MESSAGE, T0}, {"too-long-for-a-port", STAGE_DATA, T0},
};

/* clang-format off */
static const struct row {
	const char *row;
	const char *service;
	int64_t at_ms;
	enum stage want;
} rows[] = {
	{"never heard of", "26", T0, STAGE_RCPT},
	{"RCPT only", "25", T0, STAGE_RCPT},
	{"DATA", "465", T0, STAGE_DATA},
	{"the end", "587", T0 + 5, STAGE_END_OF_MESSAGE},
	{"a service that is not named", "", T0, STAGE_END_OF_MESSAGE},
	{"a name that is cut is another", "too-long-for-a-port", T0, STAGE_RCPT},
	{"nearly a day later", "587", T0 + DAY + 4, STAGE_END_OF_MESSAGE},
	{"the end is forgotten, DATA too", "587", T0 + DAY + 5, STAGE_RCPT},
	{"DATA is forgotten", "465", T0 + DAY, STAGE_RCPT},
};

/* clang-format on */

START_TEST(services_show_what_they_tell)
{
	const struct row *r = &rows[_i];
	struct steps steps = {.least = STAGE_RCPT};
	for (size_t i = 0; i < COUNT_OF(heard); i++)
		steps_hear(&steps, heard[i].service, heard[i].stage, heard[i].at_ms);
	ck_assert_msg(steps_last(&steps, r->service, r->at_ms) == r->want, "%s", r->row);
}

END_TEST

START_TEST(the_table_has_an_end)
{
	struct steps steps = {.least = STAGE_DATA};
	for (int i = 0; i < 100; i++) {
		char service[16];
		snprintf(service, sizeof(service), "%d", i);
		steps_hear(&steps, service, STAGE_END_OF_MESSAGE, T0);
	}
	ck_assert_int_eq(steps_last(&steps, "0", T0), STAGE_END_OF_MESSAGE);
	ck_assert_int_eq(steps_last(&steps, "99", T0), STAGE_DATA);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, services_show_what_they_tell, 0, COUNT_OF(rows));
	tcase_add_test(tcase, the_table_has_an_end);
}

int
main(void)
{
	return harness_run("steps", fill);
}
