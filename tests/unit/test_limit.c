/* test_limit.c - which limits apply to a recipient, and under which names. */
#include "rules/limit.h"

#include <stdio.h>

#include "harness.h"

static struct overrides *no_overrides;

static const char settings[] =
	"limits: { destinations: (\n"
	"{ name = \"acme\"; concurrency = 2; domains = [ \"acme.example\", \".acme.example\" ]; },\n"
	"{ name = \"off\"; mode = \"off\"; concurrency = 2; domains = [ \"off.example\" ]; },\n"
	"{ name = \"grey\"; greylist = \"off\"; domains = [ \"grey.example\" ]; },\n"
	"{ name = \"watch\"; mode = \"observe\"; messages = \"5/1m\"; domains = [ \"watch.example\" ]; },\n"
	"{ name = \"books\"; concurrency = 2; domains = [ \"b\xc3\xbc"
	"cher.example\", \".B\xc3\x9c"
	"CHER.example\" ]; },\n"
	"{ name = \"hop\"; recipients = \"9/1m\"; domains = [ \"[192.0.2.9]:25\", \"relay.example\" ]; }\n"
	");\n"
	"senders: (\n"
	"{ name = \"lists\"; members = [ \"l@g.example\", \".h.example\" ]; messages = \"1/1m\"; },\n"
	"{ name = \"all\"; members = [ \"g.example\", \"x@h.example\" ]; shared = true; messages = \"1/1m\"; } );\n"
	"users: ( { name = \"bulk\"; members = [ \"news\", \"g.example\" ]; shared = true; concurrency = 1; },\n"
	"{ name = \"free\"; members = [ \"root\" ]; mode = \"off\"; } );\n"
	"mailboxes: ( { name = \"desk\"; members = [ \"help@g.example\" ]; messages = \"1/1m\"; } ); };\n";

#define SETTINGS_MAX 8

/* The destinations above and these settings. */
static struct conf *
load(const char *const *more)
{
	char *words[SETTINGS_MAX];
	struct conf_texts texts = {.v = words};
	struct err err = {0};
	for (; *more && texts.n < SETTINGS_MAX; more++)
		words[texts.n++] = (char *)(uintptr_t)*more;
	struct conf *conf = conf_load(harness_file("weir.conf", settings), &texts, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	return conf;
}

/* clang-format off */
#define DEFAULT "limits.default.concurrency=7"
#define CLIENTS "limits.clients.messages=5/1m"
#define SENDERS "limits.senders.recipients=9/1m"
#define USERS   "limits.users.concurrency=3"
#define BOXES   "limits.mailboxes.messages=5/1m"
#define BY_HOP  "limits.destinations_by=nexthop"

static const struct find_row {
	const char *row;
	const char *settings[SETTINGS_MAX];
	const char *recipient, *nexthop, *sender, *user, *identity;
	const char *want; /* of each limit its scope and name; d: a domain nobody named */
} find_rows[] = {
	{"a destination by its domain", {0}, "a@acme.example", "", "", "", "", "D=acme "},
	{"in upper case", {0}, "a@ACME.Example", "", "", "", "", "D=acme "},
	{"below it", {0}, "a@b.acme.example", "", "", "", "", "D=acme "},
	{"a domain nobody named", {0}, "a@b.example", "", "", "", "", ""},
	{"that has the default", {DEFAULT}, "a@b.example", "", "", "", "", "d=b.example "},
	{"its name in lower case", {DEFAULT}, "a@B.EXAMPLE", "", "", "", "", "d=b.example "},
	{"its name without the last dot", {DEFAULT}, "a@b.example.", "", "", "", "", "d=b.example "},
	{"a named one has its own", {DEFAULT}, "a@acme.example", "", "", "", "", "D=acme "},
	{"a named one that is off has none", {DEFAULT}, "a@off.example", "", "", "", "", ""},
	{"nor has one that names no limit", {DEFAULT}, "a@grey.example", "", "", "", "", ""},
	{"one that is observed", {0}, "a@watch.example", "", "", "", "", "D=watch "},
	{"the default off", {DEFAULT, "limits.default.mode=off"}, "a@b.example", "", "", "", "", ""},
	{"the default observed", {DEFAULT, "limits.default.mode=observe"}, "a@b.example", "", "", "", "",
		"d=b.example "},
	{"two signs: the last one counts", {DEFAULT}, "\"a@b\"@c.example", "", "", "", "", "d=c.example "},
	{"no domain: that of the origin", {DEFAULT, "rewrite.origin=mx.example"}, "postmaster", "", "", "", "", "d=mx.example "},
	{"percent hack", {DEFAULT}, "bob%acme.example", "", "", "", "", "D=acme "},
	{"bang path", {DEFAULT}, "acme.example!bob", "", "", "", "", "D=acme "},
	{"source route", {DEFAULT}, "@a.example:bob@acme.example", "", "", "", "", "D=acme "},
	{"an IDN", {DEFAULT}, "x@f\xc3\xb6tz.example", "", "", "", "", "d=xn--ftz-sna.example "},
	{"an IDN in capitals", {DEFAULT}, "x@F\xc3\x96TZ.example", "", "", "", "", "d=xn--ftz-sna.example "},
	{"an IDN of the settings", {DEFAULT}, "x@B\xc3\x9c" "CHER.example", "", "", "", "", "D=books "},
	{"its A-label", {DEFAULT}, "x@XN--BCHER-KVA.example.", "", "", "", "", "D=books "},
	{"below it", {DEFAULT}, "x@mx.xn--bcher-kva.example", "", "", "", "", "D=books "},
	{"an empty domain", {DEFAULT}, "a@", "", "", "", "", ""},
	{"only a dot", {DEFAULT}, "a@.", "", "", "", "", ""},
	{"no recipient", {DEFAULT}, "", "", "", "", "", ""},
	{"an address as domain", {DEFAULT}, "a@[192.0.2.1]", "", "", "", "", "d=[192.0.2.1] "},

	{"by next hop", {BY_HOP}, "a@acme.example", "[192.0.2.9]:25", "", "", "", "D=hop "},
	{"by next hop: as Postfix tells it", {BY_HOP, DEFAULT}, "a@Acme.Example", "Acme.Example", "", "", "", "D=acme "},
	{"by next hop: a host", {BY_HOP}, "a@acme.example", "relay.example", "", "", "", "D=hop "},
	{"by next hop: one nobody named", {BY_HOP}, "a@acme.example", "mx.b.example", "", "", "", ""},
	{"that has the default", {BY_HOP, DEFAULT}, "a@acme.example", "MX.b.example", "", "", "",
		"d=mx.b.example "},
	{"by next hop: it is not known", {BY_HOP, DEFAULT}, "a@acme.example", "", "", "", "", ""},
	{"by domain: the next hop does not matter", {0}, "a@acme.example", "relay.example", "", "", "",
		"D=acme "},

	{"the client", {CLIENTS}, "a@b.example", "", "", "", "192.0.2.0/24", "C=192.0.2.0/24 "},
	{"no client", {CLIENTS}, "a@b.example", "", "", "", "", ""},
	{"clients off", {CLIENTS, "limits.clients.mode=off"}, "a@b.example", "", "", "", "x.example", ""},
	{"clients observed", {CLIENTS, "limits.clients.mode=observe"}, "a@b.example", "", "", "", "x.example",
		"C=x.example "},
	{"a mode is no limit", {"limits.clients.mode=observe"}, "a@b.example", "", "", "", "x.example", ""},
	{"the sender", {SENDERS}, "a@b.example", "", "me@c.example", "", "", "S=me@c.example "},
	{"the sender in lower case", {SENDERS}, "a@b.example", "", "Me+List@C.Example.", "", "", "S=me@c.example "},
	{"the sender with its digits", {SENDERS}, "a@b.example", "", "s1001@uni.example", "", "", "S=s1001@uni.example "},
	{"the sender without BATV", {SENDERS}, "a@b.example", "", "prvs=1234abcdef=me@c.example", "", "", "S=me@c.example "},
	{"the sender without SRS", {SENDERS}, "a@b.example", "", "SRS0=x2y3=TT=c.example=Me@f.example", "", "",
		"S=me@c.example "},
	{"the sender without domain", {SENDERS, "rewrite.origin=mx.example"}, "a@b.example", "", "root", "", "", "S=root@mx.example "},
	{"the null sender", {SENDERS}, "a@b.example", "", "", "", "", ""},
	{"senders off", {SENDERS, "limits.senders.mode=off"}, "a@b.example", "", "me@c.example", "", "", ""},
	{"the user", {USERS}, "a@b.example", "", "", "alice", "", "U=alice "},
	{"the user in lower case", {USERS}, "a@b.example", "", "", "Alice", "", "U=alice "},
	{"no user", {USERS}, "a@b.example", "", "", "", "", ""},
	{"users off", {USERS, "limits.users.mode=off"}, "a@b.example", "", "", "alice", "", ""},
	{"all of them", {DEFAULT, CLIENTS, SENDERS, USERS}, "a@b.example", "", "me@c.example", "alice",
		"192.0.2.0/24", "d=b.example C=192.0.2.0/24 S=me@c.example U=alice "},
	{"a mailbox", {BOXES}, "B+x@B.example", "", "", "", "", "M=b@b.example "},
	{"mailboxes off", {BOXES, "limits.mailboxes.mode=off"}, "b@b.example", "", "", "", "", ""},
	{"a mailbox of a group", {0}, "Help@G.example", "", "", "", "", "M=help@g.example "},
	{"a member has the group's", {USERS}, "a@b.example", "", "", "news", "", "U=bulk "},
	{"in upper case", {0}, "a@b.example", "", "", "NEWS", "", "U=bulk "},
	{"that is off", {USERS}, "a@b.example", "", "", "root", "", ""},
	{"a user's domain is no member", {0}, "a@b.example", "", "", "x@g.example", "", ""},
	{"a sender, each for itself", {0}, "a@b.example", "", "L@g.example", "", "", "S=l@g.example "},
	{"before its domain, that is shared", {0}, "a@b.example", "", "k@g.example", "", "", "S=all "},
	{"not below the domain", {0}, "a@b.example", "", "k@y.g.example", "", "", ""},
	{"below a domain", {0}, "a@b.example", "", "k@z.y.h.example", "", "", "S=k@z.y.h.example "},
	{"not the domain itself", {0}, "a@b.example", "", "k@h.example", "", "", ""},
	{"but an address of it", {0}, "a@b.example", "", "x@h.example", "", "", "S=all "},
	{"the null sender is in no group", {0}, "a@b.example", "", "", "", "", ""},
	{"none is set", {0}, "a@b.example", "", "me@c.example", "alice", "192.0.2.0/24", ""},
};

/* clang-format on */

static struct query
query_of(const struct find_row *r)
{
	return (struct query){
		.stage = STAGE_RCPT,
		.recipient = slice_of(r->recipient),
		.nexthop = slice_of(r->nexthop),
		.sender = slice_of(r->sender),
		.sasl_username = slice_of(r->user),
	};
}

START_TEST(limits_are_found)
{
	static const char scopes[] = "DCSUM";
	const struct find_row *r = &find_rows[_i];
	struct conf *conf = load(r->settings);
	struct query query = query_of(r);
	struct limit_of limits[SCOPES];
	struct arena arena;
	char buf[500] = "";
	struct text got = TEXT(buf);
	arena_init(&arena);
	query = query_normal(&query, conf, &arena);
	size_t n = limits_find(conf, no_overrides, &query, slice_of(r->identity), 1000,
	                       &arena, limits);
	for (size_t i = 0; i < n; i++) {
		text_printf(&got,
		            "%c=", limits[i].unnamed ? 'd' : scopes[limits[i].scope]);
		text_put(&got, limits[i].name);
		text_puts(&got, " ");
		ck_assert_msg(limit_is_set(limits[i].limit), "%s: limit %zu", r->row, i);
	}
	ck_assert_msg(strcmp(buf, r->want) == 0, "%s: got \"%s\", want \"%s\"", r->row,
	              buf, r->want);
	arena_free(&arena);
	conf_unref(&conf);
}

END_TEST

static struct slice
destination_of(const struct conf *conf, const struct query *query, struct arena *arena,
               const struct conf_destination **found)
{
	struct query normal = query_normal(query, conf, arena);
	return limit_destination(conf, &normal, found);
}

/* The one that was named, or none; its name is there either way. */
START_TEST(the_destination_is_told)
{
	static const char *const none[] = {NULL};
	struct conf *conf = load(none);
	const struct conf_destination *found;
	struct query query = {.recipient = SLICE("a@X.Acme.Example")};
	struct arena arena;
	arena_init(&arena);
	ck_slice_eq("named", destination_of(conf, &query, &arena, &found), "acme");
	ck_assert_ptr_nonnull(found);
	query.recipient = SLICE("a@grey.example");
	ck_slice_eq("named, without limits", destination_of(conf, &query, &arena, &found),
	            "grey");
	ck_assert_ptr_nonnull(found);
	query.recipient = SLICE("a@B.example");
	ck_slice_eq("not named", destination_of(conf, &query, &arena, &found),
	            "b.example");
	ck_assert_ptr_null(found);
	query.recipient = SLICE("a@");
	ck_slice_eq("no domain", destination_of(conf, &query, &arena, &found), "");
	ck_assert_ptr_null(found);
	arena_free(&arena);
	conf_unref(&conf);
}

END_TEST

/* One rate, with its whole count as burst. */
#define RATE(count, per_ms)         \
 {                                  \
  .v = {{count, per_ms, 0}}, .n = 1 \
 }

/* clang-format off */
static const struct set_row {
	const char *row;
	struct conf_limit limit;
	bool want;
} set_rows[] = {
	{"nothing", {0}, false},
	{"slots", {.concurrency = 1}, true},
	{"messages", {.messages = RATE(1, 1000)}, true},
	{"recipients", {.recipients = RATE(1, 1000)}, true},
	{"observed", {.recipients = RATE(1, 1000), .mode = MODE_OBSERVE}, true},
	{"off", {1, RATE(1, 1000), RATE(1, 1000), MODE_OFF, NULL}, false},
};

/* clang-format on */

START_TEST(a_limit_bounds_something)
{
	const struct set_row *r = &set_rows[_i];
	ck_assert_msg(limit_is_set(&r->limit) == r->want, "%s", r->row);
}

END_TEST

static const struct key_secret secret = {{1, 2, 3}};

/* Every scope with every bound, and two of a scope. */
static const struct conf_limit whole = {3, RATE(5, 60000), RATE(9, 3600000), MODE_ON,
                                        NULL};
static const struct conf_limit watched = {.messages = RATE(7, 1000),
                                          .mode = MODE_OBSERVE};

START_TEST(a_use_for_each_bound)
{
	const struct limit_of limits[] = {
		{.scope = SCOPE_DESTINATION, .limit = &whole, .name = SLICE("a")},
		{.scope = SCOPE_CLIENT, .limit = &watched, .name = SLICE("b")},
	};
	struct limits_ask ask = {.n = 5};
	limits_uses(limits, 2, &secret, &ask);
	ck_assert_uint_eq(ask.n, 4);
	static const int64_t counts[] = {3, 5, 9, 7}, times[] = {0, 60000, 3600000, 1000};
	static const int kinds[] = {LIMIT_CONCURRENCY, LIMIT_MESSAGES, LIMIT_RECIPIENTS,
	                            LIMIT_MESSAGES};
	for (size_t i = 0; i < ask.n; i++) {
		const struct limit_use *use = &ask.uses[i];
		ck_assert_int_eq(use->scope, i < 3 ? SCOPE_DESTINATION : SCOPE_CLIENT);
		ck_assert_int_eq(use->kind, kinds[i]);
		ck_assert_int_eq(use->count, counts[i]);
		ck_assert_int_eq(use->per_ms, times[i]);
		ck_assert_int_eq(use->observed, i == 3);
	}
	limits_uses(limits, 0, &secret, &ask);
	ck_assert_uint_eq(ask.n, 0);
}

END_TEST

START_TEST(each_bound_has_a_key_of_its_own)
{
	static const struct key_secret other = {{1, 2, 4}};
	static struct limits_ask asks[4];
	static const char *const names[] = {"a", "b", "", "a"};
	for (size_t a = 0; a < 4; a++) {
		struct limit_of limits[SCOPES];
		for (int scope = 0; scope < SCOPES; scope++)
			limits[scope] =
				(struct limit_of){.scope = (enum limit_scope)scope,
			                          .limit = &whole,
			                          .name = slice_of(names[a])};
		limits_uses(limits, SCOPES, a == 3 ? &other : &secret, &asks[a]);
		ck_assert_uint_eq(asks[a].n, LIMIT_BOUNDS);
	}
	for (size_t i = 0; i < 4 * LIMIT_BOUNDS; i++)
		for (size_t j = 0; j < i; j++) {
			const struct limit_use *a =
				&asks[i / LIMIT_BOUNDS].uses[i % LIMIT_BOUNDS];
			const struct limit_use *b =
				&asks[j / LIMIT_BOUNDS].uses[j % LIMIT_BOUNDS];
			ck_assert_msg(memcmp(&a->key, &b->key, sizeof(a->key)) != 0,
			              "keys %zu and %zu are the same", i, j);
		}
}

END_TEST

/* A destination may be named like a domain of another one. */
START_TEST(a_domain_is_no_destination_of_that_name)
{
	struct limit_of of = {.scope = SCOPE_DESTINATION,
	                      .limit = &whole,
	                      .name = SLICE("b.example")};
	struct limits_ask named = {.n = 0}, unnamed = {.n = 0};
	limits_uses(&of, 1, &secret, &named);
	of.unnamed = true;
	limits_uses(&of, 1, &secret, &unnamed);
	for (size_t i = 0; i < LIMIT_KINDS; i++)
		ck_assert_mem_ne(&named.uses[i].key, &unnamed.uses[i].key,
		                 sizeof(struct key));
}

END_TEST

/* A group that shares may be named like one of its members. */
START_TEST(a_group_is_no_member_of_that_name)
{
	struct limit_of of = {.scope = SCOPE_USER, .limit = &whole, .name = SLICE("a")};
	struct limits_ask member = {.n = 0}, shared = {.n = 0};
	limits_uses(&of, 1, &secret, &member);
	of.shared = true;
	limits_uses(&of, 1, &secret, &shared);
	for (size_t i = 0; i < LIMIT_KINDS; i++)
		ck_assert_mem_ne(&member.uses[i].key, &shared.uses[i].key, KEY_BYTES);
}

END_TEST

/* With another secret what is held gets the keys that a question has. */
START_TEST(a_use_alone_has_the_same_key)
{
	const struct conf_limit windows = {
		.concurrency = 1,
		.messages = {.n = 2, .v = {{9, 3600000, 0}, {5, 60000, 0}}}};
	const struct limit_of limits[] = {
		{.scope = SCOPE_DESTINATION, .limit = &windows, .name = SLICE("a")},
		{.scope = SCOPE_DESTINATION,
	         .limit = &windows,
	         .name = SLICE("a"),
	         .unnamed = true},
		{.scope = SCOPE_USER, .limit = &windows, .name = SLICE("a")},
		{.scope = SCOPE_USER,
	         .limit = &windows,
	         .name = SLICE("a"),
	         .shared = true},
	};
	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		struct limits_ask ask = {.n = 0};
		limits_uses(&limits[i], 1, &secret, &ask);
		ck_assert_uint_eq(ask.n, 3);
		for (size_t u = 0; u < ask.n; u++) {
			struct key key = limit_use_key(&secret, &ask.uses[u], &limits[i]);
			ck_assert_mem_eq(&key, &ask.uses[u].key, KEY_BYTES);
		}
	}
}

END_TEST

/* Whatever it allows, it is the same limit. */
START_TEST(a_changed_limit_has_the_same_key)
{
	const struct conf_limit changed = {4, RATE(6, 1000), RATE(10, 1000), MODE_OBSERVE,
	                                   NULL};
	struct limit_of of = {.scope = SCOPE_CLIENT, .limit = &whole, .name = SLICE("a")};
	struct limits_ask before = {.n = 0}, after = {.n = 0};
	limits_uses(&of, 1, &secret, &before);
	of.limit = &changed;
	limits_uses(&of, 1, &secret, &after);
	for (size_t i = 0; i < LIMIT_KINDS; i++)
		ck_assert_mem_eq(&before.uses[i].key, &after.uses[i].key,
		                 sizeof(struct key));
}

END_TEST

START_TEST(bounds_have_numbers)
{
	for (int i = 0; i < LIMIT_BOUNDS; i++) {
		struct limit_use use = {.scope = (enum limit_scope)(i / LIMIT_KINDS),
		                        .kind = (enum limit_kind)(i % LIMIT_KINDS)};
		ck_assert_int_eq(limit_bound(&use), i);
	}
}

END_TEST

/* No two rates have the same bit, and all fit into a note. */
START_TEST(rates_have_bits)
{
	limit_set seen = 0;
	for (int i = 0; i < LIMIT_RATES * RATE_WINDOWS_MAX; i++) {
		int of_window = i % LIMIT_RATES;
		struct limit_use use = {.scope = (enum limit_scope)(of_window / 2),
		                        .kind = of_window % 2 ? LIMIT_RECIPIENTS
		                                              : LIMIT_MESSAGES,
		                        .window = (uint8_t)(i / LIMIT_RATES)};
		int bit = limit_note_bit(&use);
		ck_assert(bit >= 0 && bit < 53);
		ck_assert(!(seen & LIMIT_BIT(bit)));
		seen |= LIMIT_BIT(bit);
	}
}

END_TEST

static struct limits_ask
uses_of_rates(struct conf_rates rates, const char *name)
{
	const struct conf_limit limit = {.messages = rates};
	const struct limit_of of = {.scope = SCOPE_USER,
	                            .limit = &limit,
	                            .name = slice_of(name)};
	struct limits_ask ask = {.n = 0};
	limits_uses(&of, 1, &secret, &ask);
	return ask;
}

/* Each window is a use; the longest has the key that a limit with one rate has. */
START_TEST(windows_have_keys)
{
	const struct conf_rate week = {2000, 604800000, 0}, day = {500, 86400000, 0},
			       minute = {20, 60000, 5};
	struct limits_ask three =
		uses_of_rates((struct conf_rates){.v = {week, day, minute}, .n = 3}, "u");
	struct limits_ask two =
		uses_of_rates((struct conf_rates){.v = {week, minute}, .n = 2}, "u");
	struct limits_ask one =
		uses_of_rates((struct conf_rates){.v = {day}, .n = 1}, "u");
	struct limits_ask other =
		uses_of_rates((struct conf_rates){.v = {week, day, minute}, .n = 3}, "v");
	ck_assert_uint_eq(three.n, 3);
	ck_assert_int_eq(three.uses[0].count, 2000);
	ck_assert_int_eq(three.uses[0].burst, 0);
	ck_assert_int_eq(three.uses[2].per_ms, 60000);
	ck_assert_int_eq(three.uses[2].burst, 5);
	for (size_t i = 0; i < three.n; i++) {
		ck_assert_uint_eq(three.uses[i].window, i);
		for (size_t j = 0; j < other.n; j++)
			ck_assert_mem_ne(&three.uses[i].key, &other.uses[j].key,
			                 KEY_BYTES);
		for (size_t j = 0; j < i; j++)
			ck_assert_mem_ne(&three.uses[i].key, &three.uses[j].key,
			                 KEY_BYTES);
	}
	ck_assert_mem_eq(&three.uses[0].key, &one.uses[0].key, KEY_BYTES);
	ck_assert_mem_eq(&three.uses[0].key, &two.uses[0].key, KEY_BYTES);
	ck_assert_mem_eq(&three.uses[2].key, &two.uses[1].key, KEY_BYTES);
}

END_TEST

/* clang-format off */
static const struct keep_row {
	const char *row;
	unsigned taken;
	const char *want; /* counts of the uses that are left */
} keep_rows[] = {
	{"all", 15, "1 2 3 4 "},
	{"none", 0, ""},
	{"the first", 1, "1 "},
	{"the last", 8, "4 "},
	{"two between", 6, "2 3 "},
	{"some", 13, "1 3 4 "},
	{"bits beyond", 0xf2, "2 "},
};

/* clang-format on */

START_TEST(what_was_not_taken_is_left_out)
{
	const struct keep_row *r = &keep_rows[_i];
	struct limits_ask ask = {.n = 4};
	char buf[100] = "";
	struct text got = TEXT(buf);
	for (size_t i = 0; i < ask.n; i++)
		ask.uses[i].count = (int64_t)i + 1;
	limits_keep(&ask, r->taken);
	for (size_t i = 0; i < ask.n; i++)
		text_printf(&got, "%lld ", (long long)ask.uses[i].count);
	ck_assert_msg(strcmp(buf, r->want) == 0, "%s: got \"%s\"", r->row, buf);
}

END_TEST

START_TEST(what_leaves_a_note_is_noticed)
{
	struct limits_ask ask = {.n = 0};
	ck_assert(!limits_have_note(&ask));
	ask.n = 2;
	ck_assert(!limits_have_note(&ask));
	ask.uses[1].kind = LIMIT_RECIPIENTS;
	ck_assert(limits_have_note(&ask));
	ask.uses[1].kind = LIMIT_MESSAGES;
	ck_assert(limits_have_note(&ask));
	ask.n = 1;
	ck_assert(!limits_have_note(&ask));
	ask.uses[0].observed = true;
	ck_assert(limits_have_note(&ask));
}

END_TEST

#define NODE_64 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

/* clang-format off */
static const struct holder_row {
	const char *row;
	char kind;
	const char *node, *address, *port;
	uint64_t serial;
	const char *want;
	bool known;
} holder_rows[] = {
	{"IPv4", 'm', "mx1", "192.0.2.1", "2525", 7, "m/mx1/192.0.2.1:2525", true},
	{"of policyd", 'p', "mx1", "192.0.2.1", "2525", 7, "p/mx1/192.0.2.1:2525", true},
	{"IPv6", 'm', "mx1", "2001:DB8:0::1", "25", 7, "m/mx1/2001:db8::1:25", true},
	{"IPv6 as the MTA may write it", 'm', "mx1", "IPv6:2001:db8::1", "25", 7, "m/mx1/2001:db8::1:25", true},
	{"IPv4 in IPv6", 'm', "mx1", "::ffff:192.0.2.1", "2525", 7, "m/mx1/192.0.2.1:2525", true},
	{"the highest port", 'm', "mx1", "192.0.2.1", "65535", 7, "m/mx1/192.0.2.1:65535", true},
	{"a port with zeros", 'm', "mx1", "192.0.2.1", "0025", 7, "m/mx1/192.0.2.1:25", true},
	{"a port too high", 'm', "mx1", "192.0.2.1", "65536", 7, "m/mx1/-:7", false},
	{"port 0", 'm', "mx1", "192.0.2.1", "0", 7, "m/mx1/-:7", false},
	{"no port", 'm', "mx1", "192.0.2.1", "", 8, "m/mx1/-:8", false},
	{"no number", 'm', "mx1", "192.0.2.1", "smtp", 8, "m/mx1/-:8", false},
	{"no address", 'p', "mx1", "", "25", 9, "p/mx1/-:9", false},
	{"an unknown address", 'p', "mx1", "unknown", "25", 10, "p/mx1/-:10", false},
	{"the largest serial", 'p', "mx1", "", "", UINT64_MAX, "p/mx1/-:18446744073709551615", false},
	{"the longest", 'm', NODE_64, "1111:2222:3333:4444:5555:6666:7777:8888", "65535", 7,
		"m/" NODE_64 "/1111:2222:3333:4444:5555:6666:7777:8888:65535", true},
	{"the longest without an address", 'm', NODE_64, "", "", UINT64_MAX,
		"m/" NODE_64 "/-:18446744073709551615", false},
};

/* clang-format on */

START_TEST(holders_have_names)
{
	const struct holder_row *r = &holder_rows[_i];
	char got[HOLDER_MAX + 1];
	struct query query = {.client_address = slice_of(r->address),
	                      .client_port = slice_of(r->port)};
	bool known = limits_print_holder(r->kind, r->node, &query, r->serial, got);
	ck_assert_msg(strcmp(got, r->want) == 0, "%s: got \"%s\"", r->row, got);
	ck_assert_msg(known == r->known, "%s: known %d", r->row, known);
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, limits_are_found, 0, COUNT_OF(find_rows));
	tcase_add_test(tcase, the_destination_is_told);
	tcase_add_loop_test(tcase, a_limit_bounds_something, 0, COUNT_OF(set_rows));
	tcase_add_test(tcase, a_use_for_each_bound);
	tcase_add_test(tcase, each_bound_has_a_key_of_its_own);
	tcase_add_test(tcase, a_domain_is_no_destination_of_that_name);
	tcase_add_test(tcase, a_group_is_no_member_of_that_name);
	tcase_add_test(tcase, a_use_alone_has_the_same_key);
	tcase_add_test(tcase, a_changed_limit_has_the_same_key);
	tcase_add_test(tcase, bounds_have_numbers);
	tcase_add_test(tcase, rates_have_bits);
	tcase_add_test(tcase, windows_have_keys);
	tcase_add_loop_test(tcase, what_was_not_taken_is_left_out, 0,
	                    COUNT_OF(keep_rows));
	tcase_add_test(tcase, what_leaves_a_note_is_noticed);
	tcase_add_loop_test(tcase, holders_have_names, 0, COUNT_OF(holder_rows));
}

int
main(void)
{
	no_overrides = overrides_new();
	return harness_run("limit", fill);
}
