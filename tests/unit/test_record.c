/* test_record.c - the layout of stored records.  These integers are in people's stores. */
#include "store/record.h"

#include "harness.h"

/* clang-format off */
static const struct layout_row {
	const char *row;
	struct grey_record rec;
	int64_t value;
} layout_rows[] = {
	{"waiting since 1970", {GREY_WAITING, 0, 0}, INT64_C(633318697598976)},
	{"waiting", {GREY_WAITING, 1800000000, 0}, INT64_C(640691497598976)},
	{"passed", {GREY_PASSED, 1800000180, 0}, INT64_C(711060242513920)},
	{"an identity, once", {GREY_IDENTITY, 1800003600, 1}, INT64_C(781429000699905)},
	{"an identity, as often as can be", {GREY_IDENTITY, 1, 4095}, INT64_C(774056185962495)},
	{"the last second there is", {GREY_WAITING, INT64_C(17179869183), 0},
		INT64_C(703687441772544)},
};

/* clang-format on */

START_TEST(the_layout_is_what_it_was)
{
	const struct layout_row *r = &layout_rows[_i];
	int64_t value = record_pack(&r->rec);
	ck_assert_msg(value == r->value, "%s: %lld", r->row, (long long)value);
	ck_assert_msg(value < INT64_C(1) << 53, "%s: a double cannot hold it", r->row);
	struct grey_record rec;
	ck_assert_msg(record_unpack(r->value, &rec), "%s", r->row);
	ck_assert_msg(rec.state == r->rec.state && rec.at_s == r->rec.at_s &&
	                      rec.count == r->rec.count,
	              "%s: {%d, %lld, %u}", r->row, rec.state, (long long)rec.at_s,
	              rec.count);
}

END_TEST

/* clang-format off */
static const struct foreign_row {
	const char *row;
	int64_t value;
} foreign_rows[] = {
	{"zero", 0},
	{"one", 1},
	{"minus one", -1},
	{"version 0", INT64_C(1) << 46},
	{"version 2", INT64_C(2) << 49 | INT64_C(1) << 46},
	{"version 3: a bit more than version 1", INT64_C(3) << 49 | INT64_C(1) << 46},
	{"version 15", INT64_C(15) << 49 | INT64_C(1) << 46},
	{"a bit above the version", INT64_C(1) << 53 | INT64_C(1) << 49 | INT64_C(1) << 46},
	{"the sign", INT64_MIN | INT64_C(1) << 49 | INT64_C(1) << 46},
	{"state 0", INT64_C(1) << 49 | INT64_C(0) << 46},
	{"state 4", INT64_C(1) << 49 | INT64_C(4) << 46},
	{"state 7", INT64_C(1) << 49 | INT64_C(7) << 46},
	{"the largest", INT64_MAX},
	{"the smallest", INT64_MIN},
};

/* clang-format on */

START_TEST(other_versions_and_states_are_refused)
{
	const struct foreign_row *r = &foreign_rows[_i];
	struct grey_record rec = {GREY_PASSED, 42, 7};
	ck_assert_msg(!record_unpack(r->value, &rec), "%s", r->row);
}

END_TEST

START_TEST(values_out_of_bounds_are_clamped)
{
	struct grey_record rec = {GREY_WAITING, -5, 9999}, got;
	ck_assert(record_unpack(record_pack(&rec), &got));
	ck_assert_int_eq(got.state, GREY_WAITING);
	ck_assert_int_eq(got.at_s, 0);
	ck_assert_uint_eq(got.count, GREY_COUNT_MAX);
	rec = (struct grey_record){GREY_IDENTITY, INT64_MAX, UINT32_MAX};
	ck_assert(record_unpack(record_pack(&rec), &got));
	ck_assert_int_eq(got.state, GREY_IDENTITY);
	ck_assert_int_eq(got.at_s, (INT64_C(1) << 34) - 1);
	ck_assert_uint_eq(got.count, GREY_COUNT_MAX);
}

END_TEST

START_TEST(what_was_packed_is_unpacked)
{
	for (int state = GREY_WAITING; state <= GREY_IDENTITY; state++)
		for (int64_t at_s = 1; at_s < INT64_C(1) << 34; at_s = at_s * 3 + 1)
			for (unsigned count = 0; count <= GREY_COUNT_MAX; count += 117) {
				struct grey_record rec = {(enum grey_state)state, at_s,
				                          count};
				struct grey_record got;
				ck_assert(record_unpack(record_pack(&rec), &got));
				ck_assert_int_eq(got.state, state);
				ck_assert_int_eq(got.at_s, at_s);
				ck_assert_uint_eq(got.count, count);
			}
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, the_layout_is_what_it_was, 0, COUNT_OF(layout_rows));
	tcase_add_loop_test(tcase, other_versions_and_states_are_refused, 0,
	                    COUNT_OF(foreign_rows));
	tcase_add_test(tcase, values_out_of_bounds_are_clamped);
	tcase_add_test(tcase, what_was_packed_is_unpacked);
}

int
main(void)
{
	return harness_run("record", fill);
}
