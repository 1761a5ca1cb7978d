/* test_http_request.c - heads of HTTP requests: where they end, what they ask, what is refused. */
#include "io/http_request.h"

#include "harness.h"

/* clang-format off */
static const struct length_row {
	const char *in;
	size_t want;
} length_rows[] = {
	{"", 0},
	{"GET / HTTP/1.1", 0},
	{"GET / HTTP/1.1\r\n", 0},
	{"GET / HTTP/1.1\r\n\r", 0},
	{"GET / HTTP/1.1\r\n\r\n", 18},
	{"GET / HTTP/1.1\n\n", 16},
	{"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b", 27},
	{"a\n\rb\n\n", 6},
	{"\r\n", 2},
	{"\n", 1},
};

/* clang-format on */

START_TEST(a_head_ends_at_its_blank_line)
{
	const struct length_row *row = &length_rows[_i];
	ck_assert_msg(http_head_length(slice_of(row->in)) == row->want, "%s", row->in);
}

END_TEST

#define HOST "Host: a\r\n"

/* clang-format off */
static const struct request_row {
	const char *name;
	const char *in;
	const char *want; /* method, path and host; NULL: refused */
} request_rows[] = {
	{"plain", "GET / HTTP/1.1\r\nHost: mx1\r\n\r\n", "GET / mx1"},
	{"line feeds only", "GET /a HTTP/1.1\nHost: mx1\n\n", "GET /a mx1"},
	{"a query is cut off", "GET /a?b=c&d?e HTTP/1.1\r\n" HOST "\r\n", "GET /a a"},
	{"an empty query", "GET /? HTTP/1.1\r\n" HOST "\r\n", "GET / a"},
	{"another method", "PROPFIND / HTTP/1.1\r\n" HOST "\r\n", "PROPFIND / a"},
	{"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "GET / -"},
	{"HTTP/1.0 with Host", "GET / HTTP/1.0\r\n" HOST "\r\n", "GET / a"},
	{"names in any case, blanks around", "GET / HTTP/1.1\r\nhOsT: \t a \t\r\n\r\n", "GET / a"},
	{"no blank before the value", "GET / HTTP/1.1\r\nHost:a\r\n\r\n", "GET / a"},
	{"an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / "},
	{"other headers", "GET / HTTP/1.1\r\nX: \xc3\xa4\r\n" HOST "Y: z\r\n\r\n", "GET / a"},
	{"a body of nothing", "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "GET / a"},

	{"HTTP/1.1 without Host", "GET / HTTP/1.1\r\n\r\n", NULL},
	{"two hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", NULL},
	{"nothing", "\r\n", NULL},
	{"no target", "GET HTTP/1.1\r\n" HOST "\r\n", NULL},
	{"no version", "GET /\r\n" HOST "\r\n", NULL},
	{"another version", "GET / HTTP/2.0\r\n" HOST "\r\n", NULL},
	{"a version of its own", "GET / HTTP/1.12\r\n" HOST "\r\n", NULL},
	{"a blank too many", "GET  / HTTP/1.1\r\n" HOST "\r\n", NULL},
	{"a blank at the end", "GET / HTTP/1.1 \r\n" HOST "\r\n", NULL},
	{"a blank at the start", " GET / HTTP/1.1\r\n" HOST "\r\n", NULL},
	{"no path", "GET mx1 HTTP/1.1\r\n" HOST "\r\n", NULL},
	{"a whole address", "GET http://mx1/ HTTP/1.1\r\n" HOST "\r\n", NULL},
	{"a method that is no word", "G(T / HTTP/1.1\r\n" HOST "\r\n", NULL},
	{"a control character in the path", "GET /\x01 HTTP/1.1\r\n" HOST "\r\n", NULL},
	{"a byte beyond ASCII in the path", "GET /\xe4 HTTP/1.1\r\n" HOST "\r\n", NULL},
	{"a tab for a blank", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", NULL},
	{"a header without a name", "GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n", NULL},
	{"a header without a colon", "GET / HTTP/1.1\r\n" HOST "x\r\n\r\n", NULL},
	{"a folded header", "GET / HTTP/1.1\r\n" HOST " x: y\r\n\r\n", NULL},
	{"a blank before the colon", "GET / HTTP/1.1\r\n" HOST "x : y\r\n\r\n", NULL},
	{"a control character in a header", "GET / HTTP/1.1\r\n" HOST "x: a\x07\r\n\r\n", NULL},
	{"a carriage return in a header", "GET / HTTP/1.1\r\n" HOST "x: a\rb\r\n\r\n", NULL},
	{"a body", "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n", NULL},
	{"a body in chunks", "GET / HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\n\r\n", NULL},
};

/* clang-format on */

START_TEST(a_request_is_read_or_refused)
{
	const struct request_row *row = &request_rows[_i];
	struct http_request request;
	bool good = http_request_parse(slice_of(row->in), &request);
	ck_assert_msg(good == (row->want != NULL), "%s", row->name);
	if (!good)
		return;
	char buf[100];
	struct text got = TEXT(buf);
	text_put(&got, request.method);
	text_putc(&got, ' ');
	text_put(&got, request.path);
	text_putc(&got, ' ');
	text_put(&got, request.has_host ? request.host : SLICE("-"));
	ck_slice_eq(row->name, text_slice(&got), row->want);
}

END_TEST

START_TEST(a_nul_is_refused_wherever_it_stands)
{
	const char good[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	for (size_t i = 0; i < sizeof(good) - 3; i++) {
		char bad[sizeof(good)];
		struct http_request request;
		memcpy(bad, good, sizeof(good));
		bad[i] = '\0';
		struct slice head = {.p = bad, .n = sizeof(good) - 1};
		bool accepted = http_request_parse(head, &request);
		ck_assert_msg(!accepted, "NUL at %zu", i);
	}
}

END_TEST

/* clang-format off */
static const struct host_row {
	const char *host; /* NULL: none */
	bool is_local;
} host_rows[] = {
	{NULL, true},
	{"localhost", true},
	{"LocalHost:10041", true},
	{"localhost:", true},
	{"127.0.0.1", true},
	{"127.0.0.1:10041", true},
	{"192.0.2.1:80", true},
	{"[::1]", true},
	{"[::1]:10041", true},
	{"[2001:db8::1]:1", true},
	{"", false},
	{":80", false},
	{"mx1", false},
	{"rebind.evil.test", false},
	{"rebind.evil.test:10041", false},
	{"localhost.evil.test", false},
	{"127.0.0.1.evil.test", false},
	{"localhost:80:80", false},
	{"localhost:x", false},
	{"localhost:65536", false},
	{"localhost ", false},
	{"::1", false},
	{"[127.0.0.1]", false},
	{"[::1", false},
	{"[::1]x", false},
	{"IPv6:2001:db8::1", false},
	{"2130706433", false},
	{"a@127.0.0.1", false},
};

/* clang-format on */

START_TEST(a_name_of_its_own_is_not_local)
{
	const struct host_row *row = &host_rows[_i];
	struct http_request request = {.host = slice_of(row->host),
	                               .has_host = row->host != NULL};
	ck_assert_msg(http_host_is_local(&request) == row->is_local, "%s",
	              row->host ? row->host : "none");
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, a_head_ends_at_its_blank_line, 0,
	                    COUNT_OF(length_rows));
	tcase_add_loop_test(tcase, a_request_is_read_or_refused, 0,
	                    COUNT_OF(request_rows));
	tcase_add_test(tcase, a_nul_is_refused_wherever_it_stands);
	tcase_add_loop_test(tcase, a_name_of_its_own_is_not_local, 0,
	                    COUNT_OF(host_rows));
}

int
main(void)
{
	return harness_run("http_request", fill);
}
