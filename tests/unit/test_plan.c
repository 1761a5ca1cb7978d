/* test_plan.c - stages, exemptions and their override, limits, and what the store is asked. */
#include "rules/plan.h"

#include "harness.h"

#define NOW 1800000000

static struct arena arena;
static struct overrides *no_overrides;

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
	{"nexthop", AT(nexthop)},
	{"sasl_username", AT(sasl_username)},
	{"ccert_fingerprint", AT(ccert_fingerprint)},
	{"ccert_pubkey_fingerprint", AT(ccert_pubkey_fingerprint)},
};

static const struct {
	const char *name;
	enum stage stage;
} stages[] = {
	{"OTHER", STAGE_OTHER},
	{"REFUSED", STAGE_RCPT_REFUSED},
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
static void
make_plan(const struct conf *conf, const struct overrides *overrides,
          const struct query *query, int64_t now_s, struct plan *plan)
{
	struct query normal = query_normal(query, conf, &arena);
	plan_make(conf, overrides, &normal, now_s, &arena, plan);
}

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
	{"refused by the MTA", "stage=REFUSED", WHY_NOT_JUDGED, NULL, 0},
	{"refused by the MTA, null sender", "stage=REFUSED sender=", WHY_NOT_JUDGED, NULL, 0},
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
	{"private address", "client_address=192.168.7.1", WHY_PRIVATE_NETWORK, NULL, 0},
	{"link-local with a zone", "client_address=fe80::1%eth0", WHY_PRIVATE_NETWORK, NULL, 0},
	{"private at DATA", "stage=DATA sender= client_address=fd00::25", WHY_PRIVATE_NETWORK, NULL, 0},
	{"an own network comes before a private one", "client_address=127.0.0.1", WHY_OWN_NETWORK,
		"lists.networks=127.0.0.0/8", 0},
	{"loopback, not named as one's own", "client_address=127.0.0.1", WHY_PRIVATE_NETWORK,
		"lists.networks=", 0},
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
	make_plan(conf, no_overrides, &query, NOW, &plan);
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
	enum identity_by identity_by;
	const char *identity;
	const char *sender;
	const char *recipient;
} ask_rows[] = {
	{"a recipient", "", NULL, IDENTITY_BY_DOMAIN, "example.com", "user@a.example", "me@b.example"},
	{"observed all the same", "", "greylist.mode=observe", IDENTITY_BY_DOMAIN, "example.com",
		"user@a.example", "me@b.example"},
	{"no name", "client_name=unknown", NULL, IDENTITY_BY_PREFIX, "203.0.113.0/24", "user@a.example",
		"me@b.example"},
	{"another prefix", "client_name=", "greylist.ipv4_prefix=32", IDENTITY_BY_PREFIX,
		"203.0.113.9/32", "user@a.example", "me@b.example"},
	{"the null sender at DATA", "stage=DATA sender=", NULL, IDENTITY_BY_DOMAIN, "example.com", "",
		"me@b.example"},
	{"the null sender at DATA, several recipients", "stage=DATA sender= recipient=", NULL,
		IDENTITY_BY_DOMAIN, "example.com", "", ""},
	{"an empty user name is none", "sasl_username=", NULL, IDENTITY_BY_DOMAIN, "example.com",
		"user@a.example", "me@b.example"},
	{"no fingerprint is no certificate", "ccert_fingerprint=", "lists.certificates= , ,",
		IDENTITY_BY_DOMAIN, "example.com", "user@a.example", "me@b.example"},
	{"another certificate", "ccert_fingerprint=C2:9D:00", NULL, IDENTITY_BY_DOMAIN, "example.com",
		"user@a.example", "me@b.example"},
	{"a sender's digits", "sender=bounce-17@a.example", NULL, IDENTITY_BY_DOMAIN, "example.com",
		"bounce-#@a.example", "me@b.example"},
};

/* clang-format on */

START_TEST(what_is_asked)
{
	const struct ask_row *r = &ask_rows[_i];
	struct conf *conf = settings(r->more);
	struct query query = changed(r->changes);
	struct plan plan;
	make_plan(conf, no_overrides, &query, NOW, &plan);
	ck_assert_msg(plan.ask, "%s: the store is not asked, why %d", r->row, plan.why);
	ck_assert_msg(plan.identity.by == r->identity_by, "%s: identity_by %d", r->row,
	              plan.identity.by);
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
	make_plan(conf, no_overrides, &query, NOW - 8 * 3600 - 1, &plan);
	ck_assert_int_eq(plan.why, WHY_LIST_CLIENT);
	make_plan(conf, no_overrides, &query, NOW - 8 * 3600, &plan);
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
	make_plan(conf, no_overrides, &query, NOW, &plan);
	struct ask ask;
	plan_ask(conf, &plan, &secret, &ask);
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

/* ---- limits, and greylisting by destination */

static struct conf *
limited(const char *more)
{
	static char clients[600], senders[600], recipients[600];
	struct text a = TEXT(clients), b = TEXT(senders), c = TEXT(recipients);
	static char copy[200];
	struct text d = TEXT(copy);
	text_printf(&a, "lists.clients=%s",
	            harness_file("clients",
	                         "listed.example\nfree.example limits=false\n"));
	text_printf(&b, "lists.senders=%s",
	            harness_file("senders", "free@a.example limits=false\n"));
	text_printf(&c, "lists.recipients=%s",
	            harness_file("recipients", "free@b.example limits=false\n"));
	text_puts(&d, more ? more : "greylist.mode=on");
	char *v[] = {clients, senders, recipients, copy};
	struct conf_texts overrides = {.v = v, .n = COUNT_OF(v)};
	const char *file = harness_file(
		"limits.conf",
		"limits: { default: { concurrency = 7; };\n"
		" clients: { messages = \"5/1m\"; }; senders: { recipients = \"5/1m\"; };\n"
		" users: { concurrency = 3; messages = \"5/1m\"; recipients = \"9/1m\"; };\n"
		" destinations = (\n"
		"  { name = \"acme\"; domains = [\"b.example\", \"[hub.example]:25\"];\n"
		"    concurrency = 1; messages = \"2/1m\"; },\n"
		"  { name = \"fast\"; domains = [\"fast.example\"]; greylist = \"off\"; },\n"
		"  { name = \"trial\"; domains = [\"trial.example\"]; greylist = \"observe\";\n"
		"    mode = \"observe\"; recipients = \"1/1m\"; },\n"
		"  { name = \"strict\"; domains = [\"strict.example\"]; greylist = \"on\";\n"
		"    mode = \"off\"; concurrency = 1; } ); };\n");
	struct err err;
	struct conf *conf = conf_load(file, &overrides, &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	return conf;
}

/* clang-format off */
static const struct limits_row {
	const char *row;
	const char *changes;
	const char *want; /* scope=name, in the order of the scopes */
	const char *more;
} limits_rows[] = {
	{"a recipient", "", "destination=acme client=example.com sender=user@a.example", NULL},
	{"a user", "sasl_username=Alice",
		"destination=acme client=example.com sender=user@a.example user=alice", NULL},
	{"a domain that is not named", "recipient=me@C.example.",
		"destination=c.example client=example.com sender=user@a.example", NULL},
	{"a destination without limits", "recipient=me@fast.example",
		"client=example.com sender=user@a.example", NULL},
	{"a destination that is observed", "recipient=me@trial.example",
		"destination=trial client=example.com sender=user@a.example", NULL},
	{"a destination that is off", "recipient=me@strict.example",
		"client=example.com sender=user@a.example", NULL},
	{"no domain", "recipient=postmaster@", "client=example.com sender=user@a.example", NULL},
	{"no address", "client_address=", "destination=acme sender=user@a.example", NULL},
	{"no name", "client_name=", "destination=acme client=203.0.113.0/24 sender=user@a.example",
		NULL},
	{"limits.default off", "recipient=me@c.example", "client=example.com sender=user@a.example",
		"limits.default.mode=off"},
	{"clients off", "", "destination=acme sender=user@a.example", "limits.clients.mode=off"},
	{"clients without a bound", "", "destination=acme sender=user@a.example",
		"limits.clients.messages=0"},

	/* stages */
	{"the null sender, at RCPT", "sender=", "destination=acme client=example.com", NULL},
	{"the null sender, at DATA", "sender= stage=DATA", "", NULL},
	{"DATA", "stage=DATA", "", NULL},
	{"refused by the MTA", "stage=REFUSED",
		"destination=acme client=example.com sender=user@a.example", NULL},
	{"the end of the message", "stage=END", "", NULL},
	{"another stage", "stage=OTHER", "", NULL},
	{"no recipient", "recipient=", "", NULL},

	/* exemptions */
	{"greylisting is off", "", "destination=acme client=example.com sender=user@a.example",
		"greylist.mode=off"},
	{"a listed client", "client_name=listed.example",
		"destination=acme client=listed.example sender=user@a.example", NULL},
	{"an own network", "client_address=127.0.0.1 client_name=",
		"destination=acme client=127.0.0.0/24 sender=user@a.example", NULL},
	{"an unlimited client", "client_name=free.example", "", NULL},
	{"an unlimited client, as a user", "client_name=free.example sasl_username=u", "", NULL},
	{"an unlimited sender", "sender=Free+x@A.example", "", NULL},
	{"an unlimited recipient", "recipient=free@b.example", "", NULL},
	{"an unlimited recipient, refused", "recipient=free@b.example stage=REFUSED", "", NULL},

	/* by next hop */
	{"by next hop", "nexthop=[Hub.example]:25 recipient=me@c.example",
		"destination=acme client=example.com sender=user@a.example",
		"limits.destinations_by=nexthop"},
	{"by next hop, not named", "nexthop=Relay.example",
		"destination=relay.example client=example.com sender=user@a.example",
		"limits.destinations_by=nexthop"},
	{"by next hop, not known", "", "client=example.com sender=user@a.example",
		"limits.destinations_by=nexthop"},
	{"by domain, the next hop is known", "nexthop=[hub.example]:25 recipient=me@c.example",
		"destination=c.example client=example.com sender=user@a.example", NULL},
};

/* clang-format on */

START_TEST(what_is_limited)
{
	static const char *const scopes[SCOPES] = {"destination", "client", "sender",
	                                           "user"};
	const struct limits_row *r = &limits_rows[_i];
	struct conf *conf = limited(r->more);
	struct query query = changed(r->changes);
	char buf[300];
	struct text got = TEXT(buf);
	struct plan plan;
	make_plan(conf, no_overrides, &query, NOW, &plan);
	for (size_t i = 0; i < plan.n_limits; i++) {
		text_printf(&got, "%s%s=", i ? " " : "", scopes[plan.limits[i].scope]);
		text_put(&got, plan.limits[i].name);
		ck_assert_msg(limit_is_set(plan.limits[i].limit), "%s: %zu", r->row, i);
	}
	ck_slice_eq(r->row, text_slice(&got), r->want);
	conf_unref(&conf);
	arena_free(&arena);
	identity_forget_suffixes();
}

END_TEST

/* clang-format off */
static const struct unlimited_row {
	const char *row;
	const char *changes;
	unsigned line; /* of the entry; 0: none */
} unlimited_rows[] = {
	{"nobody", "", 0},
	{"a client that is only listed", "client_name=listed.example", 0},
	{"a client", "client_name=free.example", 2},
	{"a sender", "sender=free@a.example", 1},
	{"a recipient", "recipient=free@b.example", 1},
	{"a client comes first", "client_name=free.example sender=free@a.example", 2},
};

/* clang-format on */

START_TEST(what_exempts_from_limits_is_named)
{
	const struct unlimited_row *r = &unlimited_rows[_i];
	struct conf *conf = limited(NULL);
	struct query query = changed(r->changes);
	struct plan plan;
	make_plan(conf, no_overrides, &query, NOW, &plan);
	ck_assert_msg(plan.unlimited_hit.line == r->line, "%s: line %u", r->row,
	              plan.unlimited_hit.line);
	ck_assert_msg((plan.unlimited_hit.source != NULL) == (r->line > 0), "%s", r->row);
	conf_unref(&conf);
	arena_free(&arena);
	identity_forget_suffixes();
}

END_TEST

/* clang-format off */
static const struct mode_row {
	const char *row;
	const char *changes;
	const char *more;
	const char *destination;
	int mode;
	bool ask;
	enum why why; /* when not */
} mode_rows[] = {
	{"as greylist.mode says", "", NULL, "acme", MODE_ON, true, 0},
	{"not named", "recipient=me@C.example", "greylist.mode=observe", "c.example", MODE_OBSERVE,
		true, 0},
	{"off for one", "recipient=me@fast.example", NULL, "fast", MODE_OFF, false, WHY_OFF},
	{"off comes before the stage", "recipient=me@fast.example sender=", NULL, "fast", MODE_OFF,
		false, WHY_OFF},
	{"off for one, at DATA", "recipient=me@fast.example sender= stage=DATA", NULL, "fast",
		MODE_OFF, false, WHY_OFF},
	{"observed for one", "recipient=me@trial.example", NULL, "trial", MODE_OBSERVE, true, 0},
	{"on for one", "recipient=me@strict.example", "greylist.mode=off", "strict", MODE_ON, true,
		0},
	{"off for the others", "", "greylist.mode=off", "acme", MODE_OFF, false, WHY_OFF},
	{"several recipients at DATA", "sender= recipient= stage=DATA", NULL, "", MODE_ON, true, 0},
	{"an exemption comes before observing", "recipient=me@trial.example sasl_username=u", NULL,
		"trial", MODE_OBSERVE, false, WHY_AUTHENTICATED},
};

/* clang-format on */

START_TEST(a_destination_has_a_mode_of_its_own)
{
	const struct mode_row *r = &mode_rows[_i];
	struct conf *conf = limited(r->more);
	struct query query = changed(r->changes);
	struct plan plan;
	make_plan(conf, no_overrides, &query, NOW, &plan);
	ck_slice_eq(r->row, plan.destination, r->destination);
	ck_assert_msg(plan.greylist_mode == r->mode, "%s: mode %d", r->row,
	              plan.greylist_mode);
	ck_assert_msg(plan.ask == r->ask, "%s: asked %d", r->row, plan.ask);
	ck_assert_msg(plan.ask || plan.why == r->why, "%s: why %d", r->row, plan.why);
	conf_unref(&conf);
	arena_free(&arena);
	identity_forget_suffixes();
}

END_TEST

/* A bound: scope, kind, count and time. */
static const struct limit_use bounds[] = {
	{.scope = SCOPE_DESTINATION, .kind = LIMIT_CONCURRENCY, .count = 1, .per_ms = 0},
	{.scope = SCOPE_DESTINATION, .kind = LIMIT_MESSAGES, .count = 2, .per_ms = 60000},
	{.scope = SCOPE_CLIENT, .kind = LIMIT_MESSAGES, .count = 5, .per_ms = 60000},
	{.scope = SCOPE_SENDER, .kind = LIMIT_RECIPIENTS, .count = 5, .per_ms = 60000},
	{.scope = SCOPE_USER, .kind = LIMIT_CONCURRENCY, .count = 3, .per_ms = 0},
	{.scope = SCOPE_USER, .kind = LIMIT_MESSAGES, .count = 5, .per_ms = 60000},
	{.scope = SCOPE_USER, .kind = LIMIT_RECIPIENTS, .count = 9, .per_ms = 60000},
};

START_TEST(each_bound_is_a_use_with_a_key_of_its_own)
{
	struct conf *conf = limited(NULL);
	struct key_secret secret = {{1, 2, 3}};
	struct query query = changed("sasl_username=u");
	struct plan plan;
	struct limits_ask ask = {.n = 99};
	make_plan(conf, no_overrides, &query, NOW, &plan);
	limits_uses(plan.limits, plan.n_limits, &secret, &ask);
	ck_assert_uint_eq(ask.n, COUNT_OF(bounds));
	for (size_t i = 0; i < ask.n; i++) {
		const struct limit_use *use = &ask.uses[i];
		ck_assert_int_eq(use->scope, bounds[i].scope);
		ck_assert_int_eq(use->kind, bounds[i].kind);
		ck_assert_int_eq(use->count, bounds[i].count);
		ck_assert_int_eq(use->per_ms, bounds[i].per_ms);
		ck_assert(!use->observed);
		for (size_t j = 0; j < i; j++)
			ck_assert_mem_ne(use->key.bytes, ask.uses[j].key.bytes,
			                 KEY_BYTES);
	}
	conf_unref(&conf);
	arena_free(&arena);
	identity_forget_suffixes();
}

END_TEST

/* A destination may be called like somebody's domain. */
START_TEST(a_name_and_a_domain_have_different_keys)
{
	struct conf *conf = limited("limits.destinations_by=nexthop");
	struct key_secret secret = {{1, 2, 3}};
	static const char *const hops[] = {"nexthop=b.example sender= client_address=",
	                                   "nexthop=acme sender= client_address="};
	struct limits_ask asks[2];
	for (size_t i = 0; i < COUNT_OF(hops); i++) {
		struct query query = changed(hops[i]);
		struct plan plan;
		make_plan(conf, no_overrides, &query, NOW, &plan);
		ck_slice_eq(hops[i], plan.destination, "acme");
		limits_uses(plan.limits, plan.n_limits, &secret, &asks[i]);
		ck_assert_int_eq(asks[i].uses[0].kind, LIMIT_CONCURRENCY);
	}
	ck_assert_mem_ne(asks[0].uses[0].key.bytes, asks[1].uses[0].key.bytes, KEY_BYTES);
	conf_unref(&conf);
	arena_free(&arena);
	identity_forget_suffixes();
}

END_TEST

START_TEST(a_limit_that_is_observed_says_so)
{
	struct conf *conf = limited("limits.clients.mode=off");
	struct key_secret secret = {{1, 2, 3}};
	struct query query = changed("recipient=me@trial.example sender=");
	struct plan plan;
	struct limits_ask ask = {.n = 99};
	make_plan(conf, no_overrides, &query, NOW, &plan);
	limits_uses(plan.limits, plan.n_limits, &secret, &ask);
	ck_assert_uint_eq(ask.n, 1);
	ck_assert_int_eq(ask.uses[0].kind, LIMIT_RECIPIENTS);
	ck_assert(ask.uses[0].observed);
	conf_unref(&conf);
	arena_free(&arena);
	identity_forget_suffixes();
}

END_TEST

/* ---- overrides ---- */

/* clang-format off */
static const struct override_row {
	const char *row;
	enum override_kind kind;
	const char *name;
	bool no_limits;
	const char *changes;
	bool applies;
	enum why why; /* when it applies; else the store is asked */
	size_t limits;
} override_rows[] = {
	{"client", OVERRIDE_ALLOW_CLIENT, "203.0.113.9", false, "", true, WHY_OVERRIDE_CLIENT, 1},
	{"client by name", OVERRIDE_ALLOW_CLIENT, "example.com", false, "", true, WHY_OVERRIDE_CLIENT, 1},
	{"another client", OVERRIDE_ALLOW_CLIENT, "203.0.113.10", false, "", false, WHY_NOT_JUDGED, 1},
	{"sender", OVERRIDE_ALLOW_SENDER, "user@a.example", false, "", true, WHY_OVERRIDE_SENDER, 1},
	{"recipient", OVERRIDE_ALLOW_RECIPIENT, "b.example", false, "", true, WHY_OVERRIDE_RECIPIENT, 1},
	{"limits do not apply either", OVERRIDE_ALLOW_RECIPIENT, "b.example", true, "", true,
		WHY_OVERRIDE_RECIPIENT, 0},
	{"a list comes before", OVERRIDE_ALLOW_SENDER, "a.example", false, "client_name=listed.example",
		true, WHY_LIST_CLIENT, 1},
	{"drained", OVERRIDE_DRAIN, "b.example", false, "", true, WHY_DRAINED, 0},
	{"drained for who is exempt, too", OVERRIDE_DRAIN, "b.example", false, "sasl_username=u", true,
		WHY_DRAINED, 0},
	{"drained for the null sender", OVERRIDE_DRAIN, "b.example", false, "sender=", true, WHY_DRAINED, 0},
	{"the user is drained", OVERRIDE_DRAIN_USER, "U", false, "sasl_username=u", true, WHY_USER_DRAINED, 0},
	{"another user is", OVERRIDE_DRAIN_USER, "v", false, "sasl_username=u", true, WHY_AUTHENTICATED, 1},
	{"who has not logged in is no user", OVERRIDE_DRAIN_USER, "u", false, "", false, WHY_NOT_JUDGED, 1},
	{"the user has no limits", OVERRIDE_ALLOW_USER, "u", true, "sasl_username=u", true, WHY_AUTHENTICATED, 0},
	{"another has", OVERRIDE_ALLOW_USER, "v", false, "sasl_username=u", true, WHY_AUTHENTICATED, 1},
	{"another is drained", OVERRIDE_DRAIN, "c.example", false, "", false, WHY_NOT_JUDGED, 1},
	{"a recipient that was refused is not drained", OVERRIDE_DRAIN, "b.example", false, "stage=REFUSED",
		true, WHY_NOT_JUDGED, 1},
};

/* clang-format on */

static struct overrides *
overridden(enum override_kind kind, const char *name, bool no_limits)
{
	struct overrides *overrides = overrides_new();
	struct override override = {.kind = kind,
	                            .until_s = NOW + 1,
	                            .no_limits = no_limits};
	struct err err;
	ck_assert_msg(override_set_name(&override, slice_of(name), &err), "%s", err.text);
	overrides_add(overrides, &override);
	return overrides;
}

START_TEST(what_is_overridden)
{
	const struct override_row *r = &override_rows[_i];
	struct conf *conf = settings("limits.default.concurrency=5");
	struct overrides *overrides = overridden(r->kind, r->name, r->no_limits);
	struct query query = changed(r->changes);
	struct plan plan;
	make_plan(conf, overrides, &query, NOW, &plan);
	ck_assert_msg(plan.ask == !r->applies, "%s: ask %d", r->row, plan.ask);
	ck_assert_msg(!r->applies || plan.why == r->why, "%s: why %d", r->row, plan.why);
	ck_assert_msg(plan.n_limits == r->limits, "%s: %zu limits", r->row,
	              plan.n_limits);
	ck_assert_msg((plan.unlimited_override != NULL) == r->no_limits, "%s: exempt",
	              r->row);
	make_plan(conf, overrides, &query, NOW + 1, &plan);
	ck_assert_msg(!plan.override, "%s: holds when it has run out", r->row);
	conf_unref(&conf);
	overrides_unref(&overrides);
	arena_free(&arena);
	identity_forget_suffixes();
}

END_TEST

START_TEST(an_override_sets_the_number_of_deliveries)
{
	struct conf *conf = settings("limits.default.messages=9/1m");
	struct overrides *overrides = overridden(OVERRIDE_LIMIT, "b.example", false);
	struct override override = *overrides_at(overrides, 0);
	struct query query = changed("");
	struct plan plan;
	overrides_unref(&overrides);
	overrides = overrides_new();
	override.limit = 3;
	overrides_add(overrides, &override);
	make_plan(conf, overrides, &query, NOW, &plan);
	ck_assert_uint_eq(plan.n_limits, 1);
	ck_assert_int_eq(plan.limits[0].limit->concurrency, 3);
	ck_assert_int_eq(plan.limits[0].limit->messages.v[0].count, 9);
	make_plan(conf, overrides, &query, NOW + 1, &plan);
	ck_assert_int_eq(plan.limits[0].limit->concurrency, 0);
	conf_unref(&conf);
	overrides_unref(&overrides);
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
	tcase_add_loop_test(tcase, what_is_limited, 0, COUNT_OF(limits_rows));
	tcase_add_loop_test(tcase, what_exempts_from_limits_is_named, 0,
	                    COUNT_OF(unlimited_rows));
	tcase_add_loop_test(tcase, a_destination_has_a_mode_of_its_own, 0,
	                    COUNT_OF(mode_rows));
	tcase_add_test(tcase, each_bound_is_a_use_with_a_key_of_its_own);
	tcase_add_test(tcase, a_name_and_a_domain_have_different_keys);
	tcase_add_test(tcase, a_limit_that_is_observed_says_so);
	tcase_add_loop_test(tcase, what_is_overridden, 0, COUNT_OF(override_rows));
	tcase_add_test(tcase, an_override_sets_the_number_of_deliveries);
}

int
main(void)
{
	no_overrides = overrides_new();
	return harness_run("plan", fill);
}
