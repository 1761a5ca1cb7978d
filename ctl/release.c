/* release.c - release and forget: what is remembered of a triplet or an identity is changed. */
#include <jansson.h>
#include <string.h>
#include <sysexits.h>

#include "audit.h"
#include "base/clock.h"
#include "books/status.h"
#include "commands.h"
#include "greylisted.h"
#include "invented.h"
#include "output.h"
#include "remembered.h"
#include "rules/identity.h"
#include "rules/mailaddr.h"
#include "rules/plan.h"
#include "rules/why.h"
#include "store/record.h"

/* Whose record, and what it was before. */
struct subject {
	enum history_record kind;
	struct key key;
	struct slice identity, sender, recipient; /* what is known of them */
	struct grey_record before;
	bool is_limited;        /* the decision was a limit's, or a drain's */
	bool is_client_allowed; /* a triplet's: as a whole, so that it is not looked at */
	char id[VERDICT_ID_LEN + 1]; /* of the decision; "" when options name it */
	int64_t now_s;
	struct arena arena;
};

/* ---- which record ---- */

static int
take_decision(struct subject *subject, const struct decision_line *decided)
{
	const char *id = subject->id;
	const struct reason *reason = reason_find(decided->why);
	subject->is_limited = reason && (reason->remedy == REMEDY_LIMIT ||
	                                 reason->remedy == REMEDY_DRAIN);
	subject->identity = arena_copy(&subject->arena, decided->identity);
	subject->sender = arena_copy(&subject->arena, decided->sender);
	subject->recipient = arena_copy(&subject->arena, decided->recipient);
	if (subject->kind == RECORD_IDENTITY && decided->identity.n == 0)
		return ctl_fail(
			CTL_NO,
			"decision %s (%.*s) has no identity, since no rule needed it; give --client instead",
			id, (int)decided->why.n, decided->why.p);
	if (subject->kind == RECORD_TRIPLET &&
	    !key_parse(decided->triplet, &subject->key))
		return ctl_fail(
			CTL_NO,
			"decision %s (%.*s) is not about a triplet: weirctl why %s", id,
			(int)decided->why.n, decided->why.p, id);
	return EX_OK;
}

static int
of_decision(struct ctl *ctl, struct subject *subject)
{
	struct decision_line_filter filter = {.id = slice_of(subject->id)};
	struct remembered found;
	struct err err;
	int status;
	if (!remembered_find(ctl->history, &filter, 1, &found, &err))
		status = ctl_store_failed(&err);
	else if (found.n == 0)
		status = ctl_fail(
			CTL_NO,
			"no decision %s is recorded: give --client, --sender and --recipient instead",
			subject->id);
	else
		status = take_decision(subject, &found.v[0]);
	remembered_free(&found);
	return status;
}

/* The identity as the daemons would find it. */
static int
of_options(struct ctl *ctl, struct subject *subject)
{
	struct query query;
	struct addr addr;
	int status = invented_query(ctl, subject->kind == RECORD_TRIPLET, &query);
	if (status != EX_OK)
		return status;
	if (subject->kind == RECORD_TRIPLET && !ctl_option(ctl, "sender"))
		return ctl_fail(EX_USAGE,
		                "the option --sender is missing (\"<>\" for mail "
		                "without one)");
	const struct conf *conf = ctl_conf(ctl, true);
	if (!conf || !addr_parse(query.client_address, &addr))
		return ctl->conf_status;
	query = query_normal(&query, conf, &subject->arena);
	subject->identity = identity_find(conf, &addr, query.client_name, subject->now_s,
	                                  &subject->arena)
	                            .text;
	subject->sender = mailaddr_fold_sender(query.sender, &subject->arena);
	subject->recipient = mailaddr_fold_recipient(query.recipient, &subject->arena);
	return EX_OK;
}

static int
find_key(struct ctl *ctl, bool have_key, struct subject *subject)
{
	struct key_secret secret;
	struct err err;
	if (have_key)
		return EX_OK;
	if (!history_secret(ctl->history, &secret, &err))
		return ctl_store_failed(&err);
	subject->key = subject->kind == RECORD_IDENTITY
	                       ? key_identity(&secret, subject->identity)
	                       : key_triplet(&secret, subject->identity, subject->sender,
	                                     subject->recipient);
	explicit_bzero(&secret, sizeof(secret));
	return EX_OK;
}

static bool
read_records(struct ctl *ctl, struct subject *subject, struct err *err)
{
	struct grey_rules rules = plan_rules(ctl->conf);
	struct grey_record identity;
	if (!greylisted_get(ctl->history, subject->kind, &subject->key, &subject->before,
	                    err))
		return false;
	greylisted_expire(&subject->before, &rules, subject->now_s);
	if (subject->kind == RECORD_IDENTITY)
		return true;
	if (!greylisted_get_identity(ctl->history, subject->identity, &identity, err))
		return false;
	subject->is_client_allowed =
		greylisted_is_allowed(&identity, &rules, subject->now_s);
	return true;
}

static int
find_subject(struct ctl *ctl, int argc, char **argv, struct subject *subject)
{
	struct err err;
	int status = EX_OK;
	bool by_id = argc > 1;
	if (by_id && ctl_option(ctl, "client"))
		return ctl_fail(EX_USAGE, "give an id or --client, not both");
	if (by_id && !remembered_id(slice_of(argv[1]), subject->id))
		return ctl_fail(EX_USAGE, "\"%.64s\" is no id such as 7Q2K9F", argv[1]);
	if (!by_id)
		status = of_options(ctl, subject);
	if (status == EX_USAGE)
		return command_misused(argv[0]);
	if (status != EX_OK || !history_of(ctl, &status))
		return status;
	if (by_id)
		status = of_decision(ctl, subject);
	if (status == EX_OK)
		status = find_key(ctl, by_id && subject->kind == RECORD_TRIPLET, subject);
	if (status == EX_OK && !read_records(ctl, subject, &err))
		status = ctl_store_failed(&err);
	return status;
}

/* ---- saying and logging it ---- */

/* With both addresses empty they were not kept (decisions.addresses). */
static bool
has_null_sender(const struct subject *subject)
{
	return subject->sender.n == 0 && subject->recipient.n > 0;
}

static void
log_change(const struct ctl *ctl, const char *event, const struct subject *subject)
{
	struct log_record rec;
	char key[KEY_TEXT_LEN + 1];
	key_print(&subject->key, key);
	audit_start(&rec, ctl, event);
	log_word(&rec, "record",
	         subject->kind == RECORD_IDENTITY ? "identity" : "triplet");
	log_word(&rec, "key", key);
	log_slice(&rec, "identity", subject->identity);
	if (subject->kind == RECORD_TRIPLET) {
		log_slice(&rec, "sender",
		          has_null_sender(subject) ? SLICE("<>") : subject->sender);
		log_slice(&rec, "rcpt", subject->recipient);
	}
	log_word(&rec, "before", greylisted_word(subject->before.state));
	audit_send(&rec);
}

static const struct slice not_kept = SLICE_INIT("(not kept)");

static struct slice
sender_shown(const struct subject *subject)
{
	if (subject->sender.n > 0)
		return subject->sender;
	return has_null_sender(subject) ? SLICE("<>") : not_kept;
}

static void
say_subject(const struct view *view, const struct subject *subject)
{
	view_puts(view, "  client     ");
	view_put(view, subject->identity);
	if (subject->kind == RECORD_TRIPLET) {
		view_puts(view, "\n  sender     ");
		view_put(view, sender_shown(subject));
		view_puts(view, "\n  recipient  ");
		view_put(view, subject->recipient.n > 0 ? subject->recipient : not_kept);
	}
	view_puts(view, "\n  before     ");
	greylisted_say(view, &subject->before, subject->now_s);
	view_puts(view, "\n");
}

static void
say_change(const struct ctl *ctl, const struct subject *subject, const char *said,
           const char *after)
{
	struct view view = view_of_stdout();
	char key[KEY_TEXT_LEN + 1];
	if (!ctl->json) {
		view_puts(&view, said);
		say_subject(&view, subject);
		return;
	}
	key_print(&subject->key, key);
	print_json(json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:b}", "record",
	                     subject->kind == RECORD_IDENTITY ? "identity" : "triplet",
	                     "key", key, "identity", status_text(subject->identity),
	                     "sender", status_text(subject->sender), "recipient",
	                     status_text(subject->recipient), "before",
	                     greylisted_json(&subject->before), "after", after,
	                     "client_allowed", subject->is_client_allowed));
}

/* ---- the commands ---- */

/* Limits are no matter of the triplet. */
static void
say_limits(const struct ctl *ctl, const struct subject *subject)
{
	struct view view = view_of_stdout();
	if (!ctl->json && subject->is_limited)
		view_printf(
			&view,
			"but a limit deferred it, and still applies: weirctl why %s\n",
			subject->id);
}

static int
release(struct ctl *ctl, const struct subject *subject)
{
	struct err err;
	struct grey_rules rules = plan_rules(ctl->conf);
	struct grey_record passed = subject->before;
	grey_release(&passed, subject->now_s);
	struct history_row row = {.kind = RECORD_TRIPLET,
	                          .key = subject->key,
	                          .packed = record_pack(&passed)};
	if (!history_put_records(ctl->history, 1, &row, &rules, subject->now_s, &err))
		return ctl_store_failed(&err);
	log_change(ctl, "release", subject);
	say_change(ctl, subject,
	           subject->before.state == GREY_PASSED
	                   ? "it had already passed; its next try is not greylisted\n"
	                   : "released: its next try is not greylisted\n",
	           "passed");
	say_limits(ctl, subject);
	return EX_OK;
}

static const char *
say_forgotten(const struct subject *subject, bool found)
{
	if (!found)
		return "there was nothing to forget\n";
	if (subject->kind == RECORD_IDENTITY)
		return "forgotten: weir looks at each triplet of this client again\n";
	return subject->is_client_allowed
	               ? "forgotten\n"
	               : "forgotten: its next try counts as the first\n";
}

static void
say_allowed(const struct subject *subject)
{
	struct view view = view_of_stdout();
	view_puts(&view,
	          "but the client is allowed as a whole, so the next try passes: ");
	if (*subject->id)
		view_printf(&view, "weirctl forget --identity %s\n", subject->id);
	else
		view_puts(&view, "the same with --identity\n");
}

static int
forget(struct ctl *ctl, const struct subject *subject)
{
	struct err err;
	bool found;
	if (!history_drop_record(ctl->history, subject->kind, &subject->key, &found,
	                         &err))
		return ctl_store_failed(&err);
	if (found)
		log_change(ctl, "forget", subject);
	say_change(ctl, subject, say_forgotten(subject, found), "absent");
	if (!ctl->json && subject->is_client_allowed)
		say_allowed(subject);
	return found ? EX_OK : CTL_NO;
}

/* An id names all of the triplet; an identity has but a client. */
static int
refuse_unused(const struct ctl *ctl, bool by_id, enum history_record kind)
{
	static const char *const addresses[] = {"client-name", "sender", "recipient",
	                                        NULL};
	int status = by_id ? ctl_refuse(ctl, addresses, "an id") : EX_OK;
	if (status == EX_OK && kind == RECORD_IDENTITY)
		status = ctl_refuse(ctl, addresses + 1, "--identity");
	return status;
}

static int
change(struct ctl *ctl, int argc, char **argv, enum history_record kind,
       int (*fn)(struct ctl *ctl, const struct subject *subject))
{
	struct subject subject = {.kind = kind, .now_s = clock_wall_s()};
	arena_init(&subject.arena);
	int status = refuse_unused(ctl, argc > 1, kind);
	if (status == EX_OK)
		status = find_subject(ctl, argc, argv, &subject);
	if (status == EX_OK)
		status = fn(ctl, &subject);
	arena_free(&subject.arena);
	return status;
}

int
command_release(struct ctl *ctl, int argc, char **argv)
{
	return change(ctl, argc, argv, RECORD_TRIPLET, release);
}

int
command_forget(struct ctl *ctl, int argc, char **argv)
{
	bool identity = ctl_option(ctl, "identity") != NULL;
	return change(ctl, argc, argv, identity ? RECORD_IDENTITY : RECORD_TRIPLET,
	              forget);
}
