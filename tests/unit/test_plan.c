/* test_plan.c - stages, exemptions and their order, and what the store is asked. */
#include "plan.h"

#include "harness.h"

#define NOW 1800000000

static struct arena arena;

/* Settings of which every exemption can apply to the query below. */
static struct conf *
settings(const char *more)
{
	static char clients[600], senders[600], recipients[600], copy[200];
	struct text a = TEXT(clients), b = TEXT(senders), c = TEXT(recipients);
	struct text d = TEXT(copy);
	text_printf(&a, "lists.clients=%s",
	            harness_file("clients", "# none\n192.0.2.1\nlisted.example\n"));
	text_printf(&b, "lists.senders=%s",
	            harness_file("senders", "listed@a.example\n"));
	text_printf(&c, "lists.recipients=%s",
	            harness_file("recipients", "\n\nlisted@b.example\n"));
	text_puts(&d, more ? more : "greylist.mode=on");
	char *v[] = {clients,
	             senders,
	             recipients,
	             (char[]){"lists.networks=192.0.2.1, 198.51.100.0/24"},
	             (char[]){"lists.certificates=C2:9D, 68:b3"},
	             copy};
	struct conf_texts overrides = {.v = v, .n = COUNT_OF(v)};
	struct err err;
	struct conf *conf = conf_load(NULL, &overrides, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	return conf;
}

static const struct query facts = {
	.stage = STAGE_RCPT,
	.client_address = SLICE_INIT("203.0.113.9"),
	.client_name = SLICE_INIT("mx1.example.com"),
	.sender = SLICE_INIT("User+list@A.example"),
	.recipient = SLICE_INIT("Me+x@B.example"),
};

#define AT(member) offsetof(struct query, member)

/* clang-format off */
static const struct {
	const char *name;
	size_t offset;
} members[] = {
	{"client_address", AT(client_address)},
	{"client_name", AT(client_name)},
	{"sender", AT(sender)},
	{"recipient", AT(recipient)},
	{"sasl_username", AT(sasl_username)},
	{"ccert_fingerprint", AT(ccert_fingerprint)},
	{"ccert_pubkey_fingerprint", AT(ccert_pubkey_fingerprint)},
};

static const struct {
	const char *name;
	enum stage stage;
} stages[] = {
	{"OTHER", STAGE_OTHER},
	{"DATA", STAGE_DATA},
	{"END", STAGE_END_OF_MESSAGE},
};

/* clang-format on */

static void
change(struct query *query, struct slice name, struct slice value)
{
	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (slice_eq(name, slice_of(members[i].name))) {
			*(struct slice *)(void *)((char *)query + members[i].offset) =
				value;
			return;
		}
	for (size_t i = 0; i < COUNT_OF(stages); i++)
		if (slice_eq(value, slice_of(stages[i].name))) {
			query->stage = stages[i].stage;
			return;
		}
	ck_abort_msg("%.*s", (int)name.n, name.p);
}

/* The facts with "name=value name=value" changed. */
static struct query
changed(const char *changes)
{
	struct query query = facts;
	struct slice rest = slice_of(changes), value, name;
	while (slice_word(&rest, &value)) {
		ck_assert(slice_cut(&value, '=', &name));
		change(&query, name, value);
	}
	return query;
}

#define BOTH_LISTED "sender=listed@a.example recipient=listed@b.example"

/* clang-format off */
static const struct why_row {
	const char *row;
	const char *changes;
	enum why why;
	const char *more; /* a setting */
	unsigned line;    /* of the entry of a list */
} why_rows[] = {
	/* stages */
	{"connect", "stage=OTHER", WHY_NOT_JUDGED, NULL, 0},
	{"end of message", "stage=END", WHY_NOT_JUDGED, NULL, 0},
	{"DATA with a sender", "stage=DATA", WHY_NOT_JUDGED, NULL, 0},
	{"RCPT without recipient", "recipient=", WHY_NOT_JUDGED, NULL, 0},
	{"RCPT, null sender", "sender=", WHY_NULL_SENDER, NULL, 0},
	{"RCPT, null sender, no recipient", "sender= recipient=", WHY_NULL_SENDER, NULL, 0},
	{"nothing said", "stage=OTHER sender= recipient= client_address=", WHY_NOT_JUDGED, NULL,
		0},
	{"no address", "client_address=", WHY_NO_CLIENT_ADDRESS, NULL, 0},
	{"no address at DATA", "stage=DATA sender= client_address=", WHY_NO_CLIENT_ADDRESS, NULL,
		0},
	{"a malformed address", "client_address=203.0.113", WHY_NO_CLIENT_ADDRESS, NULL, 0},
	{"an unknown address", "client_address=unknown", WHY_NO_CLIENT_ADDRESS, NULL, 0},
	{"no address, authenticated", "client_address= sasl_username=u", WHY_NO_CLIENT_ADDRESS,
		NULL, 0},

	/* switched off */
	{"off", "", WHY_OFF, "greylist.mode=off", 0},
	{"off comes first", "stage=OTHER client_address=", WHY_OFF, "greylist.mode=off", 0},

	/* exemptions alone */
	{"authenticated", "sasl_username=u", WHY_AUTHENTICATED, NULL, 0},
	{"own network", "client_address=198.51.100.7", WHY_OWN_NETWORK, NULL, 0},
	{"own network, mapped", "client_address=::ffff:198.51.100.7", WHY_OWN_NETWORK, NULL, 0},
	{"certificate", "ccert_fingerprint=C2:9D", WHY_CERTIFICATE, NULL, 0},
	{"certificate, other case", "ccert_fingerprint=c2:9d", WHY_CERTIFICATE, NULL, 0},
	{"public key", "ccert_pubkey_fingerprint=68:B3", WHY_CERTIFICATE, NULL, 0},
	{"listed client", "client_name=mx.Listed.example", WHY_LIST_CLIENT, NULL, 3},
	{"listed sender", "sender=Listed+x@a.example", WHY_LIST_SENDER, NULL, 1},
	{"listed recipient", "recipient=listed@B.example", WHY_LIST_RECIPIENT, NULL, 3},
	{"listed client at DATA", "stage=DATA sender= client_name=listed.example",
		WHY_LIST_CLIENT, NULL, 3},

	/* all at once, then one less each time */
	{"the first of six",
		"sasl_username=u client_address=192.0.2.1 ccert_fingerprint=C2:9D " BOTH_LISTED,
		WHY_AUTHENTICATED, NULL, 0},
	{"the first of five",
		"client_address=192.0.2.1 ccert_fingerprint=C2:9D " BOTH_LISTED,
		WHY_OWN_NETWORK, NULL, 0},
	{"the first of four",
		"client_name=listed.example ccert_fingerprint=C2:9D " BOTH_LISTED,
		WHY_CERTIFICATE, NULL, 0},
	{"the first of three",
		"client_name=listed.example " BOTH_LISTED,
		WHY_LIST_CLIENT, NULL, 3},
	{"the first of two", BOTH_LISTED,
		WHY_LIST_SENDER, NULL, 1},
	{"lists do not judge the null sender at RCPT", "sender= client_name=listed.example",
		WHY_NULL_SENDER, NULL, 0},
};

/* clang-format on */

START_TEST(what_needs_no_question)
{
	const struct why_row *r = &why_rows[_i];
	struct conf *conf = settings(r->more);
	struct query query = changed(r->changes);
	struct plan plan;
	plan_make(conf, &query, NOW, &arena, &plan);
	ck_assert_msg(!plan.ask, "%s: the store is asked", r->row);
	ck_assert_msg(plan.why == r->why, "%s: %d, not %d", r->row, plan.why, r->why);
	ck_assert_msg(plan.hit.line == r->line, "%s: line %u", r->row, plan.hit.line);
	ck_assert_msg((plan.hit.source != NULL) ==
	                      (r->line > 0 || r->why == WHY_OWN_NETWORK),
	              "%s: source %s", r->row,
	              plan.hit.source ? plan.hit.source : "none");
	conf_unref(&conf);
	arena_free(&arena);
}

END_TEST

/* clang-format off */
static const struct ask_row {
	const char *row;
	const char *changes;
	const char *more;
	enum identity_rung rung;
	const char *identity;
	const char *sender;
	const char *recipient;
} ask_rows[] = {
	{"a recipient", "", NULL, RUNG_DOMAIN, "example.com", "user@a.example", "me@b.example"},
	{"observed all the same", "", "greylist.mode=observe", RUNG_DOMAIN, "example.com",
		"user@a.example", "me@b.example"},
	{"no name", "client_name=unknown", NULL, RUNG_PREFIX, "203.0.113.0/24", "user@a.example",
		"me@b.example"},
	{"another prefix", "client_name=", "greylist.ipv4_prefix=32", RUNG_PREFIX,
		"203.0.113.9/32", "user@a.example", "me@b.example"},
	{"the null sender at DATA", "stage=DATA sender=", NULL, RUNG_DOMAIN, "example.com", "",
		"me@b.example"},
	{"the null sender at DATA, several recipients", "stage=DATA sender= recipient=", NULL,
		RUNG_DOMAIN, "example.com", "", ""},
	{"an empty user name is none", "sasl_username=", NULL, RUNG_DOMAIN, "example.com",
		"user@a.example", "me@b.example"},
	{"no fingerprint is no certificate", "ccert_fingerprint=", "lists.certificates= , ,",
		RUNG_DOMAIN, "example.com", "user@a.example", "me@b.example"},
	{"another certificate", "ccert_fingerprint=C2:9D:00", NULL, RUNG_DOMAIN, "example.com",
		"user@a.example", "me@b.example"},
	{"a sender's digits", "sender=bounce-17@a.example", NULL, RUNG_DOMAIN, "example.com",
		"bounce-#@a.example", "me@b.example"},
};

/* clang-format on */

START_TEST(what_is_asked)
{
	const struct ask_row *r = &ask_rows[_i];
	struct conf *conf = settings(r->more);
	struct query query = changed(r->changes);
	struct plan plan;
	plan_make(conf, &query, NOW, &arena, &plan);
	ck_assert_msg(plan.ask, "%s: the store is not asked, why %d", r->row, plan.why);
	ck_assert_msg(plan.identity.rung == r->rung, "%s: rung %d", r->row,
	              plan.identity.rung);
	ck_slice_eq(r->row, plan.identity.text, r->identity);
	ck_slice_eq(r->row, plan.sender, r->sender);
	ck_slice_eq(r->row, plan.recipient, r->recipient);
	conf_unref(&conf);
	arena_free(&arena);
	identity_forget_suffixes();
}

END_TEST

START_TEST(an_entry_out_of_date_exempts_no_more)
{
	char value[600];
	struct text text = TEXT(value);
	text_printf(&text, "lists.clients=%s",
	            harness_file("dated", "example.com until=2027-01-14\n"));
	struct conf_texts overrides = {.v = (char *[]){value}, .n = 1};
	struct err err;
	struct conf *conf = conf_load(NULL, &overrides, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	struct query query = facts;
	struct plan plan;
	plan_make(conf, &query, NOW - 8 * 3600 - 1, &arena, &plan);
	ck_assert_int_eq(plan.why, WHY_LIST_CLIENT);
	plan_make(conf, &query, NOW - 8 * 3600, &arena, &plan);
	ck_assert(plan.ask);
	conf_unref(&conf);
	arena_free(&arena);
	identity_forget_suffixes();
}

END_TEST

START_TEST(the_rules_are_those_of_the_settings)
{
	char *v[] = {(char[]){"greylist.delay=61s"}, (char[]){"greylist.retry_window=2h"},
	             (char[]){"greylist.lifetime=3d"},
	             (char[]){"greylist.allow_client_after=5"}};
	struct conf_texts overrides = {.v = v, .n = COUNT_OF(v)};
	struct err err;
	struct conf *conf = conf_load(NULL, &overrides, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	struct grey_rules rules = plan_rules(conf);
	ck_assert_int_eq(rules.delay_s, 61);
	ck_assert_int_eq(rules.retry_window_s, 7200);
	ck_assert_int_eq(rules.lifetime_s, 259200);
	ck_assert_int_eq(rules.allow_client_after, 5);
	conf_unref(&conf);
}

END_TEST

START_TEST(the_question_has_the_keys_of_the_plan)
{
	struct conf *conf = settings(NULL);
	struct key_secret secret = {{1, 2, 3}};
	struct query query = facts;
	struct plan plan;
	plan_make(conf, &query, NOW, &arena, &plan);
	struct ask ask = plan_ask(conf, &plan, &secret);
	struct key identity = key_identity(&secret, SLICE("example.com"));
	struct key triplet = key_triplet(&secret, SLICE("example.com"),
	                                 SLICE("user@a.example"), SLICE("me@b.example"));
	ck_assert_mem_eq(ask.identity.bytes, identity.bytes, KEY_BYTES);
	ck_assert_mem_eq(ask.triplet.bytes, triplet.bytes, KEY_BYTES);
	ck_assert(ask.may_store);
	ck_assert_int_eq(ask.now_s, 0);
	ck_assert_int_eq(ask.rules.delay_s, 180);
	conf_unref(&conf);
	arena_free(&arena);
	identity_forget_suffixes();
}

END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, what_needs_no_question, 0, COUNT_OF(why_rows));
	tcase_add_loop_test(tcase, what_is_asked, 0, COUNT_OF(ask_rows));
	tcase_add_test(tcase, an_entry_out_of_date_exempts_no_more);
	tcase_add_test(tcase, the_rules_are_those_of_the_settings);
	tcase_add_test(tcase, the_question_has_the_keys_of_the_plan);
}

int
main(void)
{
	return harness_run("plan", fill);
}
