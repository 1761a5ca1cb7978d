/* postfix_cure.c - commands of postconf(1) that mend how Postfix asks weir. */
#include "postfix_cure.h"

#include <string.h>

#include "cure.h"
#include "doctor.h"

#define POLICY SLICE("check_policy_service")

enum { VALUE_MAX = 4096, LIST_NAME_MAX = 200 };

/* An entry of a list: the words of a question to a policy service are one. */
struct item {
	struct slice raw;    /* as it stands there */
	struct slice before; /* what separates it from the one before */
	struct slice word;   /* the first */
	struct slice endpoint;
};

static bool
next_item(struct slice *rest, struct item *item_out)
{
	const struct slice from = *rest;
	struct postfix_word word;
	if (!postfix_word(rest, &word))
		return false;
	*item_out = (struct item){.word = word.text,
	                          .endpoint = postfix_client(&word).endpoint};
	const char *start = word.text.p;
	if (word.braced)
		while (*start != '{')
			start--;
	if (slice_eq(word.text, POLICY) && postfix_word(rest, &word))
		item_out->endpoint = postfix_client(&word).endpoint;
	item_out->before = slice_head(from, (size_t)(start - from.p));
	item_out->raw =
		slice_from(slice_head(from, from.n - rest->n), (size_t)(start - from.p));
	return true;
}

static bool
is_question(const struct item *item, struct slice endpoint)
{
	return endpoint.n > 0 && slice_eq(item->endpoint, endpoint);
}

static bool
has_question(struct slice list, struct slice endpoint)
{
	struct item item;
	while (next_item(&list, &item))
		if (is_question(&item, endpoint))
			return true;
	return false;
}

static bool
has_word(struct slice list, const char *word)
{
	struct item item;
	while (next_item(&list, &item))
		if (slice_eq(item.word, slice_of(word)))
			return true;
	return false;
}

static void
put_item(const struct item *item, struct text *out)
{
	if (out->n > 0)
		text_put(out, item->before.n > 0 ? item->before : SLICE(", "));
	text_put(out, item->raw);
}

static void
put_entry(const char *entry, struct text *out)
{
	if (!*entry)
		return;
	text_puts(out, out->n > 0 ? ", " : "");
	text_puts(out, entry);
}

/* Without weir's question at `endpoint`, or with `entry` in its place. */
static void
edit(struct slice list, struct slice endpoint, const char *entry, struct text *out)
{
	struct item item;
	while (next_item(&list, &item))
		if (is_question(&item, endpoint))
			put_entry(entry, out);
		else
			put_item(&item, out);
}

/* Behind it nobody is judged any more. */
static bool
is_end(struct slice word)
{
	return slice_eq(word, SLICE("permit")) || slice_eq(word, SLICE("reject")) ||
	       slice_eq(word, SLICE("defer"));
}

/* What is missing of `words`; all of them come before a check that is asked last. */
static void
put_missing(struct slice list, const char *const *words, size_t n, struct text *out)
{
	for (size_t i = 0; i < n; i++)
		if (!has_word(list, words[i]))
			put_entry(words[i], out);
}

static void
put_guards(struct slice list, bool relay, struct text *out)
{
	static const char *const relaying[] = {"permit_mynetworks",
	                                       "permit_sasl_authenticated",
	                                       "reject_unauth_destination"};
	static const char *const unlisted[] = {"reject_unlisted_recipient"};
	if (relay && !has_word(list, "defer_unauth_destination") &&
	    !has_word(list, "reject_unauth_destination"))
		put_missing(list, relaying, COUNT_OF(relaying), out);
	if (!has_word(list, "reject_unverified_recipient"))
		put_missing(list, unlisted, COUNT_OF(unlisted), out);
}

/* `guarded`: of recipients, for whom others are refused before. */
static void
put_last(struct slice list, struct slice endpoint, const char *entry, bool guarded,
         bool relay, struct text *out)
{
	struct slice rest = list;
	struct item item;
	bool put = false;
	while (next_item(&rest, &item)) {
		if (is_question(&item, endpoint))
			continue;
		if (!put && is_end(item.word)) {
			if (guarded)
				put_guards(list, relay, out);
			put_entry(entry, out);
			put = true;
		}
		put_item(&item, out);
	}
	if (put)
		return;
	if (guarded)
		put_guards(list, relay, out);
	put_entry(entry, out);
}

/* ---- commands ---- */

static void
put_program(const struct judge *judge, const char *program, struct text *out)
{
	text_puts(out, program);
	if (!judge->postfix->dir)
		return;
	text_puts(out, " -c ");
	cure_quote(slice_of(judge->postfix->dir), out);
}

void
cure_postconf(const struct judge *judge, const char *name, const char *value,
              struct text *out)
{
	char buf[VALUE_MAX];
	struct text setting = TEXT(buf);
	text_printf(&setting, "%s = %s", name, value);
	out->cut |= setting.cut;
	put_program(judge, "postconf", out);
	text_putc(out, ' ');
	cure_quote(text_slice(&setting), out);
	text_putc(out, '\n');
}

void
cure_service_postconf(const struct judge *judge, const struct postfix_service *service,
                      const char *name, const char *value, struct text *out)
{
	if (!service || !postfix_overrides(judge->postfix, service, name)) {
		cure_postconf(judge, name, value, out);
		return;
	}
	put_program(judge, "postconf", out);
	text_printf(out, " -P %.*s/%.*s/%s=%s\n", (int)service->name.n, service->name.p,
	            (int)service->type.n, service->type.p, name, value);
}

/* A value without blanks, since "postconf -P" takes none; commas separate as well. */
static void
put_compact(struct slice value, struct text *out)
{
	for (size_t i = 0; i < value.n; i++) {
		if (!ascii_blank(value.p[i])) {
			text_putc(out, value.p[i]);
			continue;
		}
		while (i + 1 < value.n && ascii_blank(value.p[i + 1]))
			i++;
		char before = out->n > 0 ? out->p[out->n - 1] : ',';
		char after = i + 1 < value.n ? value.p[i + 1] : ',';
		if (!memchr(",={", before, 3) && !memchr(",=}", after, 3))
			text_putc(out, ',');
	}
}

/* In master.cf, when the service has it there. */
static void
set_list(const struct judge *judge, const struct postfix_service *service,
         const char *list, const struct text *value, bool own, struct text *out)
{
	char buf[VALUE_MAX];
	struct text setting = TEXT(buf);
	out->cut |= value->cut;
	if (!own && (!service || !postfix_overrides(judge->postfix, service, list))) {
		cure_postconf(judge, list, value->p, out);
		return;
	}
	text_put(&setting, service->name);
	text_putc(&setting, '/');
	text_put(&setting, service->type);
	text_printf(&setting, "/%s=", list);
	put_compact(text_slice(value), &setting);
	out->cut |= setting.cut;
	put_program(judge, "postconf", out);
	text_puts(out, " -P ");
	cure_quote(text_slice(&setting), out);
	text_putc(out, '\n');
}

void
cure_reload(const struct judge *judge, struct text *out)
{
	put_program(judge, "postfix", out);
	text_puts(out, " reload\n");
}

/* ---- entries ---- */

static int64_t
seconds_above(int64_t ms, int64_t least_s)
{
	int64_t seconds = ms / 1000 + 1;
	return seconds > least_s ? seconds : least_s;
}

void
cure_policy_entry(const struct conf *conf, struct slice endpoint, struct text *out)
{
	text_put(out, POLICY);
	text_printf(out, " { %.*s, timeout=%llds, default_action=DUNNO }",
	            (int)endpoint.n, endpoint.p,
	            (long long)seconds_above(2 * conf->store.deadline_ms, 5));
}

void
cure_milter_entry(const struct conf *conf, struct slice endpoint, struct text *out)
{
	text_printf(out,
	            "{ %.*s, connect_timeout=5s, command_timeout=%llds, "
	            "default_action=accept }",
	            (int)endpoint.n, endpoint.p,
	            (long long)seconds_above(conf->milter.deadline_ms, 10));
}

/* ---- where weir is asked ---- */

/* The list itself, or that of its classes which has the question; NULL: none. */
static const char *
holder(const struct judge *judge, const struct asked *asked, char name[LIST_NAME_MAX])
{
	struct slice endpoint = asked->client.endpoint;
	struct text text = {.p = name, .cap = LIST_NAME_MAX};
	struct slice classes =
		postfix_value(judge->postfix, NULL, "smtpd_restriction_classes");
	struct postfix_word word;
	text_puts(&text, asked->list);
	if (has_question(postfix_value(judge->postfix, asked->service, name), endpoint))
		return name;
	while (postfix_word(&classes, &word)) {
		text.n = 0;
		text_put(&text, word.text);
		if (has_question(postfix_value(judge->postfix, asked->service, name),
		                 endpoint))
			return name;
	}
	return NULL;
}

static void
replace_in(const struct judge *judge, const struct asked *asked, const char *list,
           const char *entry, struct text *out)
{
	char buf[VALUE_MAX] = "";
	struct text value = TEXT(buf);
	edit(postfix_value(judge->postfix, asked->service, list), asked->client.endpoint,
	     entry, &value);
	set_list(judge, asked->service, list, &value, false, out);
}

void
cure_replace(const struct judge *judge, const struct asked *asked, const char *entry,
             struct text *out)
{
	char name[LIST_NAME_MAX];
	const char *list = holder(judge, asked, name);
	if (list)
		replace_in(judge, asked, list, entry, out);
}

static void
append(const struct judge *judge, const struct postfix_service *service, const char *list,
       struct slice endpoint, const char *entry, bool guarded, struct text *out)
{
	char buf[VALUE_MAX] = "";
	struct text value = TEXT(buf);
	struct slice relay =
		postfix_value(judge->postfix, service, "smtpd_relay_restrictions");
	bool relay_first = postfix_yes(judge->postfix, service,
	                               "smtpd_relay_before_recipient_restrictions");
	bool refused = relay_first && (has_word(relay, "defer_unauth_destination") ||
	                               has_word(relay, "reject_unauth_destination"));
	struct slice old = postfix_value(judge->postfix, service, list);
	put_last(old, endpoint, entry, guarded, !refused || old.n == 0, &value);
	set_list(judge, service, list, &value, false, out);
}

void
cure_append(const struct judge *judge, const struct postfix_service *service,
            const char *list, struct slice endpoint, const char *entry, struct text *out)
{
	bool guarded = slice_eq(slice_of(list), SLICE("smtpd_recipient_restrictions"));
	append(judge, service, list, endpoint, entry, guarded, out);
}

void
cure_place(const struct judge *judge, const struct asked *asked, struct text *out)
{
	char name[LIST_NAME_MAX], buf[600];
	struct text entry = TEXT(buf);
	const char *from = holder(judge, asked, name);
	const char *to =
		asked->for_recipient ? "smtpd_recipient_restrictions" : asked->list;
	cure_policy_entry(judge->conf, asked->client.endpoint, &entry);
	if (from && !slice_eq(slice_of(from), slice_of(to)))
		replace_in(judge, asked, from, "", out);
	append(judge, asked->service, to, asked->client.endpoint, buf,
	       asked->for_recipient, out);
}

void
cure_milter_last(const struct judge *judge, const struct asked *asked, struct text *out)
{
	char buf[600];
	struct text entry = TEXT(buf);
	cure_milter_entry(judge->conf, asked->client.endpoint, &entry);
	append(judge, asked->service, asked->list, asked->client.endpoint, buf, false,
	       out);
}

void
cure_milter_first(const struct judge *judge, const struct postfix_service *service,
                  const char *list, struct slice endpoint, struct text *out)
{
	char buf[VALUE_MAX] = "";
	struct text value = TEXT(buf);
	cure_milter_entry(judge->conf, endpoint, &value);
	edit(postfix_value(judge->postfix, service, list), endpoint, "", &value);
	set_list(judge, service, list, &value, false, out);
}

void
cure_drop_from(const struct judge *judge, const struct postfix_service *service,
               const char *list, struct slice endpoint, struct text *out)
{
	char buf[VALUE_MAX] = "";
	struct text value = TEXT(buf);
	struct slice old = postfix_value(judge->postfix, service, list);
	if (!has_question(old, endpoint))
		return;
	edit(old, endpoint, "", &value);
	set_list(judge, service, list, &value, service != NULL, out);
}

void
cure_drop_policy(const struct judge *judge, const struct postfix_service *service,
                 struct slice endpoint, struct text *out)
{
	static const char *const lists[] = {"smtpd_client_restrictions",
	                                    "smtpd_helo_restrictions",
	                                    "smtpd_sender_restrictions",
	                                    "smtpd_relay_restrictions",
	                                    "smtpd_recipient_restrictions",
	                                    "smtpd_data_restrictions",
	                                    "smtpd_end_of_data_restrictions"};
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		cure_drop_from(judge, service, lists[i], endpoint, out);
}

/* ---- the socket ---- */

static void
say_listen(const struct judge *judge, const char *ours, bool milter, const char *path,
           struct text *out)
{
	const struct conf_texts *listen = &judge->conf->policyd.listen;
	if (milter) {
		text_printf(out, "in weir.conf: milter: { listen = \"unix:%s\"; };\n",
		            path);
		return;
	}
	text_puts(out, "in weir.conf: policyd: { listen = [");
	for (size_t i = 0; i < listen->n; i++) {
		text_puts(out, i > 0 ? ", \"" : "\"");
		if (slice_eq(slice_of(listen->v[i]), slice_of(ours)))
			text_printf(out, "unix:%s", path);
		else
			text_puts(out, listen->v[i]);
		text_putc(out, '"');
	}
	text_puts(out, "]; };\n");
}

void
cure_move_socket(const struct judge *judge, const struct postfix_service *service,
                 const char *ours, bool milter, struct text *endpoint_out,
                 struct text *out)
{
	char buf[1024], folder_buf[1024];
	struct text path = TEXT(buf), folder = TEXT(folder_buf);
	struct slice queue = postfix_value(judge->postfix, NULL, "queue_directory");
	struct endpoint endpoint;
	size_t start = endpoint_out->n;
	const char *daemon = milter ? "weir-milter" : "weir-policyd";
	postfix_print_ours(judge->postfix, ours, endpoint_out);
	if (!endpoint_parse(slice_of(ours), &endpoint) || !endpoint.is_unix ||
	    !service->chrooted || endpoint_out->n <= start + 5 ||
	    endpoint_out->p[start + 5] != '/')
		return;
	endpoint_out->n = start;
	text_put(&folder, queue);
	text_puts(&folder, "/weir");
	text_printf(&path, "%s%s", folder_buf, strrchr(ours, '/'));
	text_printf(endpoint_out, "unix:weir%s", strrchr(ours, '/'));
	text_printf(out, "install -d -o %s -g postfix -m 2750 ",
	            doctor_user(judge->conf));
	cure_quote(text_slice(&folder), out);
	text_putc(out, '\n');
	say_listen(judge, ours, milter, buf, out);
	if (!slice_eq(queue, SLICE("/var/spool/postfix")))
		text_printf(out, "Its unit needs ReadWritePaths=%s: systemctl edit %s\n",
		            folder_buf, daemon);
	text_printf(out, "systemctl restart %s\n", daemon);
}
