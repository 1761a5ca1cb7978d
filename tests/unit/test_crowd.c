/* test_crowd.c - nearly all mail from one private address. */
#include "rules/crowd.h"

#include "harness.h"

/* clang-format off */
static const struct crowd_row {
	const char *row;
	const char *address; /* of `n` of a window */
	size_t n;
	const char *others; /* of the rest */
	const char *want;   /* "": nobody */
	unsigned percent;
} crowd_rows[] = {
	{"a container bridge", "172.18.0.1", 200, "198.51.100.1", "172.18.0.1", 100},
	{"nine of ten", "172.18.0.1", 180, "198.51.100.1", "172.18.0.1", 90},
	{"fewer", "172.18.0.1", 179, "198.51.100.1", "", 0},
	{"others are private, too", "10.0.0.1", 190, "10.0.0.2", "10.0.0.1", 95},
	{"a public address", "198.51.100.1", 200, "10.0.0.2", "", 0},
	{"mostly public ones", "10.0.0.1", 20, "198.51.100.1", "", 0},
	{"no address", "", 200, "10.0.0.2", "", 0},
	{"loopback", "::1", 200, "198.51.100.1", "::1", 100},
	{"link-local", "fe80::1%eth0", 185, "2001:db8::1", "fe80::1", 92},
};

/* clang-format on */

static struct addr
addr_of(const char *text)
{
	struct addr addr = {0};
	if (*text)
		ck_assert_msg(addr_parse(slice_of(text), &addr), "%s", text);
	return addr;
}

/* The others come in between. */
static void
fill_window(struct crowd *crowd, const struct crowd_row *r)
{
	struct addr address = addr_of(r->address), other = addr_of(r->others);
	for (size_t i = 1; i <= CROWD_WINDOW; i++) {
		bool others = i * (CROWD_WINDOW - r->n) / CROWD_WINDOW !=
		              (i - 1) * (CROWD_WINDOW - r->n) / CROWD_WINDOW;
		bool full = crowd_note(crowd, others ? &other : &address);
		ck_assert_msg(full == (i == CROWD_WINDOW), "%s: %zu", r->row, i);
	}
}

static void
check_found(const struct crowd *crowd, const struct crowd_row *r)
{
	char buf[ADDR_TEXT_MAX] = "";
	struct text text = TEXT(buf);
	if (crowd->address.family != ADDR_NONE)
		addr_print(&crowd->address, &text);
	ck_assert_msg(strcmp(buf, r->want) == 0, "%s: %s", r->row, buf);
	ck_assert_msg(crowd->percent == r->percent, "%s: %u", r->row, crowd->percent);
}

START_TEST(one_of_all_is_found)
{
	const struct crowd_row *r = &crowd_rows[_i];
	struct crowd crowd = {0};
	fill_window(&crowd, r);
	check_found(&crowd, r);
}

END_TEST

START_TEST(each_window_stands_for_itself)
{
	struct crowd crowd = {0};
	for (size_t i = 0; i < COUNT_OF(crowd_rows); i++) {
		fill_window(&crowd, &crowd_rows[i]);
		check_found(&crowd, &crowd_rows[i]);
	}
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, one_of_all_is_found, 0, COUNT_OF(crowd_rows));
	tcase_add_test(tcase, each_window_stands_for_itself);
}

int
main(void)
{
	return harness_run("crowd", fill);
}
