/* test_http.c - the HTTP server over real sockets: answers, refusals, bounds of time and number. */
#include "io/http.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "harness.h"

#define BIG (8 << 20)

static const struct socket_rights rights = {.mode = 0600, .group = ""};
static struct loop *loop;
static struct loop_timer *limit;
static struct http *http;
static uint16_t port;
static char *big;
static int asked;

static void
on_limit(void *arg)
{
	(void)arg;
	ck_abort_msg("the loop does not end");
}

static void
give_page(void *arg, struct http_answer *out)
{
	ck_assert_ptr_eq(arg, &asked);
	asked++;
	out->type = "text/html; charset=utf-8";
	out->policy = "default-src 'self'";
	out->body = SLICE("<p>page");
}

static void
give_text(void *arg, struct http_answer *out)
{
	(void)arg;
	out->status = 503;
	out->body = SLICE("out of order");
}

static void
give_big(void *arg, struct http_answer *out)
{
	(void)arg;
	out->body = (struct slice){.p = big, .n = BIG};
}

/* What was awaited: NULL while it is not there. */
static const char *news;

static void
give_news(void *arg, struct http_answer *out)
{
	(void)arg;
	asked++;
	out->waits = out->may_wait && !news;
	out->body = slice_of(news ? news : "none");
}

static const struct http_path paths[] = {{"/", give_page},
                                         {"/news", give_news},
                                         {"/text", give_text},
                                         {"/big", give_big}};

static void
listen_on(const char *endpoint)
{
	struct err err;
	char buf[300];
	struct text name = TEXT(buf);
	struct endpoint where;
	ck_assert_msg(http_listen(http, endpoint, &rights, &err), "%s", err.text);
	http_names(http, &name);
	struct slice last = text_slice(&name);
	ptrdiff_t blank = slice_rfind(last, ' ');
	last = slice_from(last, (size_t)(blank + 1));
	ck_assert(endpoint_parse(last, &where));
	if (!where.is_unix)
		port = where.port;
}

static void
set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	asked = 0;
	news = NULL;
	loop = loop_new();
	limit = timer_new(loop, on_limit, NULL);
	timer_start(limit, 30000);
	http = http_open(loop, paths, COUNT_OF(paths), &asked);
	listen_on("inet:127.0.0.1:0");
}

static void
tear_down(void)
{
	http_close(&http);
	ck_assert_ptr_null(http);
	timer_free(&limit);
	loop_free(&loop);
	free(big);
	big = NULL;
}

/* One that asks: what it got until the connection ended. */
struct client {
	int fd;
	struct watch *watch;
	char *got;
	size_t n;
	bool ended;
	bool reset;       /* and not as it should */
	int64_t ended_ms; /* since it began */
	int64_t began_ms;
};

static int awaited; /* clients whose connections must end before the loop does */

static void
on_bytes(void *arg, int ready)
{
	struct client *client = arg;
	(void)ready;
	client->got = realloc(client->got, client->n + 65536);
	ssize_t n = read(client->fd, client->got + client->n, 65535);
	if (n < 0 && errno == EAGAIN)
		return;
	client->n += n > 0 ? (size_t)n : 0;
	client->got[client->n] = '\0';
	if (n > 0)
		return;
	client->ended = true;
	client->reset = n < 0;
	client->ended_ms = clock_mono_ms() - client->began_ms;
	watch_set(client->watch, 0);
	if (--awaited == 0)
		loop_stop(loop);
}

static void
client_take(struct client *client, int fd)
{
	*client = (struct client){.fd = fd, .began_ms = clock_mono_ms()};
	client->watch = watch_new(loop, fd, on_bytes, client);
	watch_set(client->watch, LOOP_READ);
}

static void
client_open(struct client *client)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons(port),
	                         .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	client_take(client, fd);
}

static void
client_open_unix(struct client *client, const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct text name = TEXT(to.sun_path);
	text_puts(&name, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	client_take(client, fd);
}

static void
client_say(struct client *client, struct slice bytes)
{
	ck_assert_int_eq(send(client->fd, bytes.p, bytes.n, MSG_NOSIGNAL),
	                 (ssize_t)bytes.n);
}

static void
await_end(struct client *client)
{
	if (client->ended)
		return;
	awaited = 1;
	loop_run(loop);
	ck_assert(client->ended);
}

static void
client_close(struct client *client)
{
	watch_free(&client->watch);
	close(client->fd);
	free(client->got);
}

static bool
holds(const struct client *client, const char *text)
{
	return client->got && strstr(client->got, text);
}

static int
status_of(const struct client *client)
{
	uint64_t status = 0;
	if (client->n < 12 || memcmp(client->got, "HTTP/1.1 ", 9) != 0 ||
	    !slice_to_u64((struct slice){.p = client->got + 9, .n = 3}, 999, &status))
		return 0;
	return (int)status;
}

static void
has_headers(const char *name, const struct client *client, const char *policy)
{
	const char *common[] = {"\r\nConnection: close\r\n",
	                        "\r\nCache-Control: no-store\r\n",
	                        "\r\nX-Content-Type-Options: nosniff\r\n",
	                        "\r\nReferrer-Policy: no-referrer\r\n",
	                        "\r\nX-Frame-Options: DENY\r\n",
	                        "\r\nContent-Length: ",
	                        policy};
	for (size_t i = 0; i < COUNT_OF(common); i++)
		ck_assert_msg(holds(client, common[i]), "%s: no \"%s\" in \"%s\"", name,
		              common[i], client->got);
}

#define NO_POLICY "\r\nContent-Security-Policy: default-src 'none'\r\n"
#define LOCAL     "Host: 127.0.0.1\r\n"

START_TEST(a_path_is_answered)
{
	struct client client;
	client_open(&client);
	client_say(&client, SLICE("GET /?x=/text HTTP/1.1\r\n" LOCAL "\r\n"));
	await_end(&client);
	ck_assert_int_eq(status_of(&client), 200);
	ck_assert_int_eq(asked, 1);
	has_headers("page", &client,
	            "\r\nContent-Security-Policy: default-src 'self'\r\n");
	ck_assert(holds(&client, "\r\nContent-Type: text/html; charset=utf-8\r\n"));
	ck_assert(holds(&client, "\r\nContent-Length: 7\r\n"));
	ck_assert(slice_ends_nocase((struct slice){client.got, client.n},
	                            SLICE("\r\n\r\n<p>page")));
	client_close(&client);
}

END_TEST

/* clang-format off */
static const struct answer_row {
	const char *name;
	const char *in;
	int want;
} answer_rows[] = {
	{"what the handler says", "GET /text HTTP/1.1\r\n" LOCAL "\r\n", 503},
	{"HTTP/1.0", "GET /text HTTP/1.0\r\n\r\n", 503},
	{"another path", "GET /none HTTP/1.1\r\n" LOCAL "\r\n", 404},
	{"the start of a path", "GET /tex HTTP/1.1\r\n" LOCAL "\r\n", 404},
	{"more than a path", "GET /text/ HTTP/1.1\r\n" LOCAL "\r\n", 404},
	{"a path in disguise", "GET /%74ext HTTP/1.1\r\n" LOCAL "\r\n", 404},
	{"HEAD", "HEAD / HTTP/1.1\r\n" LOCAL "\r\n", 405},
	{"POST", "POST / HTTP/1.1\r\n" LOCAL "Content-Length: 0\r\n\r\n", 405},
	{"PUT elsewhere", "PUT /none HTTP/1.1\r\n" LOCAL "\r\n", 405},
	{"get", "get / HTTP/1.1\r\n" LOCAL "\r\n", 405},
	{"a host of its own", "GET / HTTP/1.1\r\nHost: rebind.evil.test\r\n\r\n", 403},
	{"the same, with POST", "POST / HTTP/1.1\r\nHost: rebind.evil.test\r\n\r\n", 403},
	{"a body", "GET / HTTP/1.1\r\n" LOCAL "Content-Length: 3\r\n\r\nabc", 400},
	{"no HTTP", "hello\r\n\r\n", 400},
	{"a blank line", "\r\n", 400},
	{"two requests at once", "GET /text HTTP/1.1\r\n" LOCAL "\r\nGET / HTTP/1.1\r\n" LOCAL "\r\n", 503},
};

/* clang-format on */

START_TEST(a_request_gets_its_status)
{
	const struct answer_row *row = &answer_rows[_i];
	struct client client;
	client_open(&client);
	client_say(&client, slice_of(row->in));
	await_end(&client);
	ck_assert_msg(status_of(&client) == row->want, "%s: %s", row->name, client.got);
	has_headers(row->name, &client, NO_POLICY);
	ck_assert_msg(holds(&client, "\r\nContent-Type: text/plain; charset=utf-8\r\n"),
	              "%s", row->name);
	ck_assert_msg(holds(&client, "\r\nAllow: GET\r\n") == (row->want == 405), "%s",
	              row->name);
	ck_assert_int_eq(asked, 0);
	client_close(&client);
}

END_TEST

START_TEST(head_is_refused_without_a_body)
{
	struct client client;
	client_open(&client);
	client_say(&client, SLICE("HEAD / HTTP/1.1\r\n" LOCAL "\r\n"));
	await_end(&client);
	ck_assert(slice_ends_nocase((struct slice){client.got, client.n},
	                            SLICE("\r\n\r\n")));
	client_close(&client);
}

END_TEST

START_TEST(beyond_loopback_any_host_will_do)
{
	struct client client;
	listen_on("inet:0.0.0.0:0");
	client_open(&client);
	client_say(&client, SLICE("GET / HTTP/1.1\r\nHost: mx1.example.org\r\n\r\n"));
	await_end(&client);
	ck_assert_int_eq(status_of(&client), 200);
	client_close(&client);
}

END_TEST

START_TEST(a_unix_socket_has_its_rights_and_any_host)
{
	struct client client;
	struct stat st;
	struct err err;
	const char *path = harness_path("status.sock");
	char endpoint[300];
	struct text text = TEXT(endpoint);
	text_printf(&text, "unix:%s", path);
	listen_on(endpoint);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ck_assert(!http_listen(http, endpoint, &rights, &err));
	client_open_unix(&client, path);
	client_say(&client, SLICE("GET / HTTP/1.1\r\nHost: mx1.example.org\r\n\r\n"));
	await_end(&client);
	ck_assert_int_eq(status_of(&client), 200);
	client_close(&client);
	http_close(&http);
	ck_assert_int_ne(stat(path, &st), 0);
}

END_TEST

START_TEST(what_is_no_address_is_refused)
{
	struct err err;
	ck_assert(!http_listen(http, "10041", &rights, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "10041"));
}

END_TEST

START_TEST(addresses_are_named_with_their_ports)
{
	char buf[300], want[300];
	struct text names = TEXT(buf), text = TEXT(want);
	uint16_t first = port;
	listen_on("inet:127.0.0.1:0");
	http_names(http, &names);
	text_printf(&text, "inet:127.0.0.1:%u inet:127.0.0.1:%u", first, port);
	ck_assert_str_eq(buf, want);
}

END_TEST

START_TEST(a_head_of_8192_bytes_is_read_and_no_longer_one)
{
	static const char head[] = "GET / HTTP/1.1\r\n" LOCAL "X: ";
	char bytes[20000];
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, head, sizeof(head) - 1);
	memcpy(bytes + 8192 - 4, "\r\n\r\n", 4);
	struct client good, bad, flood;
	client_open(&good);
	client_open(&bad);
	client_open(&flood);
	client_say(&good, (struct slice){bytes, 8192});
	memcpy(bytes + 8192 - 4, "xxxxx\r\n\r\n", 9);
	client_say(&bad, (struct slice){bytes, 8192 + 5});
	client_say(&flood, (struct slice){bytes, sizeof(bytes)});
	awaited = 3;
	loop_run(loop);
	ck_assert_int_eq(status_of(&good), 200);
	ck_assert_int_eq(status_of(&bad), 431);
	ck_assert_int_eq(status_of(&flood), 431);
	ck_assert(!flood.reset); /* it may cost another system the answer */
	has_headers("too long", &flood, NO_POLICY);
	client_close(&good);
	client_close(&bad);
	client_close(&flood);
}

END_TEST

START_TEST(a_long_answer_arrives_whole)
{
	struct client client;
	big = malloc(BIG);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)('a' + i % 23);
	client_open(&client);
	client_say(&client, SLICE("GET /big HTTP/1.1\r\n" LOCAL "\r\n"));
	await_end(&client);
	ck_assert_uint_gt(client.n, BIG);
	ck_assert_int_eq(memcmp(client.got + client.n - BIG, big, BIG), 0);
	client_close(&client);
}

END_TEST

static void
ask_for_news(struct client *client)
{
	client_open(client);
	client_say(client, SLICE("GET /news HTTP/1.1\r\n" LOCAL "\r\n"));
}

static void
on_news(void *arg)
{
	(void)arg;
	news = "the news";
	http_go_on(http);
}

START_TEST(what_waits_is_answered_when_it_is_there)
{
	struct client early, other, late;
	struct loop_timer *timer = timer_new(loop, on_news, NULL);
	timer_start(timer, 200);
	ask_for_news(&early);
	ask_for_news(&other);
	awaited = 2;
	loop_run(loop);
	ck_assert_int_eq(asked, 4);
	ck_assert(holds(&early, "\r\n\r\nthe news"));
	ck_assert(holds(&other, "\r\n\r\nthe news"));
	ck_assert_int_ge(early.ended_ms, 190);
	ck_assert_int_le(early.ended_ms, 2000);
	ask_for_news(&late);
	await_end(&late);
	ck_assert(holds(&late, "\r\n\r\nthe news"));
	ck_assert_int_eq(asked, 5);
	timer_free(&timer);
	client_close(&early);
	client_close(&other);
	client_close(&late);
}

END_TEST

START_TEST(waiting_ends_after_three_seconds)
{
	struct client client;
	ask_for_news(&client);
	await_end(&client);
	ck_assert_int_eq(status_of(&client), 200);
	ck_assert(holds(&client, "\r\n\r\nnone"));
	ck_assert_int_ge(client.ended_ms, 2900);
	ck_assert_int_le(client.ended_ms, 4900);
	http_go_on(http);
	ck_assert_int_eq(asked, 2);
	client_close(&client);
}

END_TEST

static struct client dribbler;
static struct loop_timer *dribble;

static void
on_dribble(void *arg)
{
	(void)arg;
	if (dribbler.ended)
		return;
	(void)!send(dribbler.fd, "x", 1, MSG_NOSIGNAL);
	timer_start(dribble, 50);
}

START_TEST(silence_and_dribbling_end_after_five_seconds)
{
	struct client silent;
	dribble = timer_new(loop, on_dribble, NULL);
	timer_start(dribble, 0);
	client_open(&silent);
	client_open(&dribbler);
	awaited = 2;
	loop_run(loop);
	ck_assert_int_ge(silent.ended_ms, 4900);
	ck_assert_int_le(silent.ended_ms, 7000);
	ck_assert_int_ge(dribbler.ended_ms, 4900);
	ck_assert_int_le(dribbler.ended_ms, 7000);
	ck_assert_uint_eq(silent.n, 0);
	timer_free(&dribble);
	client_close(&silent);
	client_close(&dribbler);
}

END_TEST

#define MANY 500

static int
open_descriptors(void)
{
	int count = 0;
	for (int fd = 0; fd < 4096; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Those of the clients are in the same process. */
static void
on_count(void *arg)
{
	int *peak = arg;
	int now = open_descriptors();
	*peak = now > *peak ? now : *peak;
}

/* While others take all the room, and before any of them runs out of time. */
static void
late_one_is_answered(int64_t within_ms)
{
	struct client late;
	client_open(&late);
	client_say(&late, SLICE("GET / HTTP/1.1\r\n" LOCAL "\r\n"));
	while (!late.ended) { /* as others do */
		awaited = 1;
		loop_run(loop);
	}
	ck_assert_int_eq(status_of(&late), 200);
	ck_assert_int_lt(late.ended_ms, within_ms);
	client_close(&late);
}

START_TEST(of_more_than_64_connections_the_oldest_are_closed)
{
	static struct client many[MANY];
	int before = open_descriptors(), peak = 0, ended = 0;
	struct turn_hook hook = {.fn = on_count, .arg = &peak};
	loop_at_turn_end(loop, &hook);
	for (int i = 0; i < MANY; i++)
		client_open(&many[i]);
	awaited = MANY - 64;
	loop_run(loop);
	for (int i = 0; i < MANY; i++) {
		ended += many[i].ended;
		ck_assert_int_eq(many[i].ended, i < MANY - 64);
		ck_assert_msg(!many[i].ended || many[i].ended_ms < 5000, "%d", i);
	}
	ck_assert_int_eq(ended, MANY - 64);
	ck_assert_int_le(peak, before + MANY + (int)http_descriptors());
	loop_forget_turn_hook(loop, &hook);
	late_one_is_answered(5000);
	for (int i = 0; i < MANY; i++)
		client_close(&many[i]);
}

END_TEST

START_TEST(who_does_not_read_gives_way)
{
	static struct client slow[64];
	big = calloc(1, BIG);
	for (int i = 0; i < 64; i++) {
		client_open(&slow[i]);
		watch_set(slow[i].watch, 0);
		client_say(&slow[i], SLICE("GET /big HTTP/1.1\r\n" LOCAL "\r\n"));
	}
	late_one_is_answered(30000);
	for (int i = 0; i < 64; i++)
		client_close(&slow[i]);
}

END_TEST

START_TEST(who_does_not_close_is_closed)
{
	struct client client;
	client_open(&client);
	client_say(&client, SLICE("GET / HTTP/1.1\r\n" LOCAL "\r\n"));
	await_end(
		&client); /* it has said all; the connection is still open on this side */
	int sent = 1;
	int64_t end_ms = clock_mono_ms() + 5000;
	awaited = -1;
	while (sent == 1 && clock_mono_ms() < end_ms) {
		struct loop_timer *pause = timer_new(loop, (loop_fn *)loop_stop, loop);
		timer_start(pause, 50);
		loop_run(loop);
		timer_free(&pause);
		sent = (int)send(client.fd, "x", 1, MSG_NOSIGNAL);
	}
	ck_assert_int_eq(sent, -1);
	client_close(&client);
}

END_TEST

static unsigned seed;

static unsigned
chance(unsigned below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % below;
}

/* Bytes that look more or less like requests. */
static size_t
make_garbage(char *out, size_t room)
{
	static const char *const parts[] = {"GET ",
	                                    "/",
	                                    " HTTP/1.1",
	                                    "\r\n",
	                                    "\n",
	                                    "\r",
	                                    "Host: ",
	                                    "127.0.0.1",
	                                    ":",
	                                    "\r\n\r\n",
	                                    "Content-Length: ",
	                                    "0",
	                                    "-1",
	                                    "18446744073709551616",
	                                    "Transfer-Encoding: chunked",
	                                    "\x16\x03\x01\x02",
	                                    "?",
	                                    "%00",
	                                    "..",
	                                    "/text",
	                                    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	                                    "\xff\xfe",
	                                    " ",
	                                    "\t",
	                                    "OPTIONS",
	                                    "[::1]",
	                                    "localhost",
	                                    "request=smtpd_access_policy\n"};
	size_t n = 0;
	for (unsigned left = 1 + chance(60); left > 0; left--) {
		const char *part = parts[chance(COUNT_OF(parts))];
		size_t len = strlen(part), times = chance(50) == 0 ? 1 + chance(2000) : 1;
		for (; times > 0 && n + len < room; times--, n += len)
			memcpy(out + n, part, len);
		if (chance(8) == 0 && n < room)
			out[n++] = (char)chance(256);
	}
	return n;
}

START_TEST(whatever_comes_it_goes_on)
{
	static char bytes[16384];
	seed = 7;
	for (int i = 0; i < 600; i++) {
		struct client client;
		size_t n = make_garbage(bytes, sizeof(bytes)), at = 0;
		client_open(&client);
		while (at < n) {
			size_t piece = 1 + chance(400);
			piece = piece < n - at ? piece : n - at;
			if (send(client.fd, bytes + at, piece, MSG_NOSIGNAL) < 0)
				break;
			at += piece;
		}
		if (chance(4) != 0) {
			shutdown(client.fd, SHUT_WR); /* or it is gone without a word */
			await_end(&client);
			ck_assert(client.n == 0 || status_of(&client) != 0);
		}
		client_close(&client);
	}
	struct client last;
	client_open(&last);
	client_say(&last, SLICE("GET / HTTP/1.1\r\n" LOCAL "\r\n"));
	await_end(&last);
	ck_assert_int_eq(status_of(&last), 200);
	client_close(&last);
}

END_TEST

START_TEST(closing_ends_what_is_under_way)
{
	struct client half, done;
	client_open(&half);
	client_open(&done);
	client_say(&half, SLICE("GET / HT"));
	client_say(&done, SLICE("GET / HTTP/1.1\r\n" LOCAL "\r\n"));
	await_end(&done);
	http_close(&http);
	await_end(&half);
	ck_assert_uint_eq(half.n, 0);
	client_close(&half);
	client_close(&done);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_path_is_answered);
	tcase_add_loop_test(tcase, a_request_gets_its_status, 0, COUNT_OF(answer_rows));
	tcase_add_test(tcase, head_is_refused_without_a_body);
	tcase_add_test(tcase, beyond_loopback_any_host_will_do);
	tcase_add_test(tcase, a_unix_socket_has_its_rights_and_any_host);
	tcase_add_test(tcase, what_is_no_address_is_refused);
	tcase_add_test(tcase, addresses_are_named_with_their_ports);
	tcase_add_test(tcase, a_head_of_8192_bytes_is_read_and_no_longer_one);
	tcase_add_test(tcase, a_long_answer_arrives_whole);
	tcase_add_test(tcase, what_waits_is_answered_when_it_is_there);
	tcase_add_test(tcase, waiting_ends_after_three_seconds);
	tcase_add_test(tcase, silence_and_dribbling_end_after_five_seconds);
	tcase_add_test(tcase, of_more_than_64_connections_the_oldest_are_closed);
	tcase_add_test(tcase, who_does_not_read_gives_way);
	tcase_add_test(tcase, who_does_not_close_is_closed);
	tcase_add_test(tcase, whatever_comes_it_goes_on);
	tcase_add_test(tcase, closing_ends_what_is_under_way);
}

int
main(void)
{
	return harness_run("http", fill);
}
