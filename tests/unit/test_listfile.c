/* test_listfile.c - how list files are read, postgrey's among them. */
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/list.h"
#include "harness.h"

#define NOW 1800000000 /* 2027-01-15 08:00 UTC */

static struct addr
addr_of(const char *text)
{
	struct addr addr = {0};
	if (*text)
		ck_assert_msg(addr_parse(slice_of(text), &addr), "%s", text);
	return addr;
}

static const char clients_file[] =
	"# a list like those of postgrey\n"
	"\n"
	"   \t\n"
	"  # an indented comment\n"
	"example.com\n"
	"blanks.example \t \n"
	"192.0.2\n"
	"198.51.100.0/24 until=2027-01-31 # until the end of January\n"
	"2001:db8:4051:0800::/64\r\n"
	"/^s[cv]\\d+pub\\.example\\.net$/ # a comment\n"
	"/^a#b|mx\\d\\.example\\.org$/\n"
	"last.example until=2027-02-01";

START_TEST(a_file_is_read)
{
	struct list *list = list_new(LIST_CLIENTS);
	const char *path = harness_file("clients", clients_file);
	struct addr v4 = addr_of("198.51.100.7");
	struct addr v6 = addr_of("2001:db8:4051:800::1");
	struct list_hit hit;
	struct err err;
	int64_t feb_s;
	ck_assert(clock_parse_date(SLICE("2027-02-01"), &feb_s));
	ck_assert_msg(listfile_load(list, NULL, path, &err), "%s", err.text);
	ck_assert_uint_eq(list_count(list), 8);
	ck_assert(list_has_client(list, &v4, SLICE(""), feb_s - 1, &hit));
	ck_assert_uint_eq(hit.line, 8);
	ck_assert_str_eq(hit.source, path);
	ck_assert(!list_has_client(list, &v4, SLICE(""), feb_s, NULL));
	ck_assert(list_has_client(list, &v4, SLICE("blanks.example"), feb_s, NULL));
	ck_assert(list_has_client(list, &v4, SLICE("sc7pub.example.net"), feb_s, NULL));
	ck_assert(list_has_client(list, &v4, SLICE("mx1.example.org"), feb_s, NULL));
	ck_assert(list_has_client(list, &v6, SLICE(""), feb_s, &hit));
	ck_assert_uint_eq(hit.line, 9);
	ck_assert(list_has_client(list, &v4, SLICE("last.example"), feb_s + 86399, &hit));
	ck_assert_uint_eq(hit.line, 12);
	ck_assert(
		!list_has_client(list, &v4, SLICE("last.example"), feb_s + 86400, NULL));
	list_free(&list);
}

END_TEST

/* clang-format off */
static const struct file_row {
	const char *row;
	const char *content;
	const char *want; /* end of the text, behind the path */
} file_rows[] = {
	{"all options", "a.example limits=false until=2027-01-31 # x\n", NULL},
	{"all options, caseless", "a.example Until=2027-01-31 LIMITS=False\n", NULL},
	{"limits=true", "a.example\nb.example limits=true\n", ":2: limits= can only be false"},
	{"limits without a value", "a.example limits=\n", ":1: limits= can only be false"},
	{"limits with more", "a.example until=2027-01-31 limits=false,\n", ":1: limits= can only be false"},
	{"limits alone", "limits=false\n", ":1: \"limits=false\" is not"},
	{"another option", "a.example limit=false\n",
		":1: only until=DATE and limits=false may stand behind an entry"},
	{"a malformed entry without limits", "\na..b limits=false\n", ":2: \"a..b\" is not an address"},
	{"an empty file", "", NULL},
	{"only a comment", "# x", NULL},
	{"a malformed entry", "a.example\n\na..b\n", ":3: \"a..b\" is not an address"},
	{"a word behind the entry", "a.example b.example\n", ":1: only until=DATE"},
	{"an option without a value", "a.example until=\n", ":1: until= wants a date"},
	{"no such day", "\na.example until=2027-02-30\n", ":2: until= wants a date"},
	{"a second unknown word", "a.example until=2027-02-03 x\n", ":1: only until=DATE"},
	{"an option alone", "until=2027-01-31\n", ":1: \"until=2027-01-31\" is not"},
	{"a blank in a regex", "/a b/\n", ":1: a blank in a regular expression: write \\s instead"},
	{"a comment without a blank", "a.example#b\n192.0.2.1#b\n::1#b\nlocalhost#b\n", NULL},
	{"and with more", "a.example#b c\n", NULL},
	{"behind a regex", "/a/#b\n", NULL},
	{"behind an option", "a.example until=2027-01-31#b\n", NULL},
	{"none in a regex", "/a#/\n/#a/#/\n", NULL},
	{"a regex that does not end", "/#b\n", ":1: \"/#b\" lacks the '/' that ends"},
	{"a mail address behind it", "a.example#b@b.example\n", NULL},
	{"a mail address with a '#'", "a#b@b.example\n", ":1: \"a#b@b.example\" is not an address"},
	{"a byte order mark", "\357\273\277a.example\n", NULL},
	{"before a comment", "\357\273\277# a\n", NULL},
	{"alone", "\357\273\277", NULL},
	{"a star before an '@'", "a.example\n*@b.example\n", ":2: \"*@b.example\" is not an entry, since '*' is not allowed"},
	{"a CR within", "a.example\rb.example\n", ":1: only until=DATE"},
};

/* clang-format on */

START_TEST(a_bad_file_is_refused_with_its_line)
{
	const struct file_row *r = &file_rows[_i];
	struct list *list = list_new(LIST_CLIENTS);
	const char *path = harness_file("bad", r->content);
	struct err err = {0};
	bool ok = listfile_load(list, NULL, path, &err);
	ck_assert_msg(ok == (r->want == NULL), "%s: %s", r->row, err.text);
	if (r->want) {
		ck_assert_msg(strncmp(err.text, path, strlen(path)) == 0, "%s: %s",
		              r->row, err.text);
		ck_assert_msg(strstr(err.text + strlen(path), r->want) != NULL, "%s: %s",
		              r->row, err.text);
	}
	list_free(&list);
}

END_TEST

static const char unlimited_file[] = "a.example\n"
				     "b.example limits=false\n"
				     "192.0.2.0/24 limits=false until=2027-01-31\n"
				     "c.example until=2027-01-31\n"
				     "d.example until=2027-01-31 limits=false\n";

/* clang-format off */
static const struct unlimited_row {
	const char *addr;
	const char *name;
	bool allowed;
	bool unlimited;
	bool allowed_in_feb;
	bool unlimited_in_feb;
} unlimited_rows[] = {
	{"198.51.100.1", "a.example", true, false, true, false},
	{"198.51.100.1", "b.example", true, true, true, true},
	{"192.0.2.1", "", true, true, false, false},
	{"198.51.100.1", "c.example", true, false, false, false},
	{"198.51.100.1", "d.example", true, true, false, false},
	{"198.51.100.1", "e.example", false, false, false, false},
};

/* clang-format on */

START_TEST(entries_without_limits_are_on_both_lists)
{
	const struct unlimited_row *r = &unlimited_rows[_i];
	struct list *list = list_new(LIST_CLIENTS);
	struct list *unlimited = list_new(LIST_CLIENTS);
	const char *path = harness_file("unlimited", unlimited_file);
	struct addr addr = addr_of(r->addr);
	struct slice name = slice_of(r->name);
	struct err err;
	int64_t feb_s;
	ck_assert(clock_parse_date(SLICE("2027-02-01"), &feb_s));
	ck_assert_msg(listfile_load(list, unlimited, path, &err), "%s", err.text);
	ck_assert_uint_eq(list_count(list), 5);
	ck_assert_uint_eq(list_count(unlimited), 3);
	ck_assert_int_eq(list_has_client(list, &addr, name, NOW, NULL), r->allowed);
	ck_assert_int_eq(list_has_client(unlimited, &addr, name, NOW, NULL),
	                 r->unlimited);
	ck_assert_int_eq(list_has_client(list, &addr, name, feb_s, NULL),
	                 r->allowed_in_feb);
	ck_assert_int_eq(list_has_client(unlimited, &addr, name, feb_s, NULL),
	                 r->unlimited_in_feb);
	list_free(&list);
	list_free(&unlimited);
}

END_TEST

/* Writes `n` bytes of `fill` between two lines and loads that as a mail list. */
static bool
load_filled(char fill, size_t n, struct err *err_out)
{
	const char *path = harness_path("filled");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "a@\n#", 4), 4);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(write(fd, &fill, 1), 1);
	ck_assert_int_eq(write(fd, "\nb@\n", 4), 4);
	close(fd);
	struct list *list = list_new(LIST_MAIL);
	bool ok = listfile_load(list, NULL, path, err_out);
	ck_assert(list_has_mail(list, SLICE("b@example.com"), NOW, NULL) == ok);
	list_free(&list);
	return ok;
}

START_TEST(lines_are_bounded)
{
	struct err err = {0};
	ck_assert_msg(load_filled('x', 1023, &err), "%s", err.text);
	ck_assert(!load_filled('x', 1024, &err));
	ck_assert_ptr_nonnull(strstr(err.text, ":2: line longer than 1024 bytes"));
	ck_assert(!load_filled('\0', 1, &err));
	ck_assert_ptr_nonnull(strstr(err.text, ":2: NUL byte"));
}

END_TEST

START_TEST(an_unreadable_file_is_named)
{
	struct list *list = list_new(LIST_MAIL);
	struct err err;
	const char *path = harness_path("missing");
	ck_assert(!listfile_load(list, NULL, path, &err));
	ck_assert_int_eq(strncmp(err.text, path, strlen(path)), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "No such file"));
	ck_assert(!listfile_load(list, NULL, harness_dir(), &err));
	ck_assert_ptr_nonnull(strstr(err.text, "is not a regular file"));
	list_free(&list);
}

END_TEST

/* clang-format off */
static const struct shipped_row {
	const char *addr;
	const char *name;
	bool want;
} shipped_rows[] = {
	{"192.0.2.1", "bendel.debian.org", true},
	{"192.0.2.1", "mail-pl1-f170.google.com", true},
	{"192.0.2.1", "ms-smtp-04.texas.rr.com", true},
	{"192.0.2.1", "cpe-70-1-2-3.texas.rr.com", false},
	{"192.0.2.1", "smtp7-g21.free.fr", true},
	{"192.0.2.1", "m15-112.126.com", true},
	{"192.0.2.1", "dgfip.finances.gouv.fr", true},
	{"192.0.2.1", "notgithub.com", false},
	{"192.0.2.1", "unknown", false},
	{"66.216.126.174", "unknown", true},
	{"66.216.126.175", "unknown", false},
	{"195.235.39.200", "unknown", true},
	{"51.4.80.31", "unknown", true},
	{"51.4.80.32", "unknown", false},
	{"198.2.191.255", "unknown", true},
	{"198.2.192.0", "unknown", false},
	{"2a01:4180:4051:800::25", "unknown", true},
	{"2a01:4180:4051:801::25", "unknown", false},
};

/* clang-format on */

START_TEST(postgreys_clients_are_read)
{
	static const char path[] = "/etc/postgrey/whitelist_clients";
	if (access(path, R_OK) != 0)
		return;
	const struct shipped_row *r = &shipped_rows[_i];
	struct list *list = list_new(LIST_CLIENTS);
	struct addr addr = addr_of(r->addr);
	struct err err;
	ck_assert_msg(listfile_load(list, NULL, path, &err), "%s", err.text);
	ck_assert_uint_gt(list_count(list), 100);
	ck_assert_msg(list_has_client(list, &addr, slice_of(r->name), NOW, NULL) ==
	                      r->want,
	              "%s %s", r->addr, r->name);
	list_free(&list);
}

END_TEST

START_TEST(postgreys_recipients_are_read)
{
	static const char path[] = "/etc/postgrey/whitelist_recipients";
	if (access(path, R_OK) != 0)
		return;
	struct list *list = list_new(LIST_MAIL);
	struct err err;
	ck_assert_msg(listfile_load(list, NULL, path, &err), "%s", err.text);
	ck_assert(list_has_mail(list, SLICE("postmaster@example.com"), NOW, NULL));
	ck_assert(list_has_mail(list, SLICE("Abuse+x@example.com"), NOW, NULL));
	ck_assert(!list_has_mail(list, SLICE("user@example.com"), NOW, NULL));
	list_free(&list);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, a_file_is_read);
	tcase_add_loop_test(tcase, a_bad_file_is_refused_with_its_line, 0,
	                    COUNT_OF(file_rows));
	tcase_add_loop_test(tcase, entries_without_limits_are_on_both_lists, 0,
	                    COUNT_OF(unlimited_rows));
	tcase_add_test(tcase, lines_are_bounded);
	tcase_add_test(tcase, an_unreadable_file_is_named);
	tcase_add_loop_test(tcase, postgreys_clients_are_read, 0, COUNT_OF(shipped_rows));
	tcase_add_test(tcase, postgreys_recipients_are_read);
}

int
main(void)
{
	return harness_run("listfile", fill);
}
