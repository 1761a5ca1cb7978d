/* policy.c - the policy protocol: bytes to facts, a verdict to bytes. */
#include "policy.h"

#include <stddef.h>

#include "base/stats.h"

#define AT(member) offsetof(struct query, member)
#define SKIPPED    SIZE_MAX

/*
 * What Postfix 2.1 to 3.12 sends, in its order, so that the row that comes next is mostly the
 * right one.
 */
static const struct attribute {
	struct slice name;
	size_t offset; /* of a slice in struct query */
} attributes[] = {
	{SLICE_INIT("request"), SKIPPED},
	{SLICE_INIT("protocol_state"), SKIPPED},
	{SLICE_INIT("protocol_name"), SKIPPED},
	{SLICE_INIT("client_address"), AT(client_address)},
	{SLICE_INIT("client_name"), AT(client_name)},
	{SLICE_INIT("client_port"), AT(client_port)},
	{SLICE_INIT("reverse_client_name"), SKIPPED},
	{SLICE_INIT("server_address"), SKIPPED},
	{SLICE_INIT("server_port"), AT(server_port)},
	{SLICE_INIT("helo_name"), SKIPPED},
	{SLICE_INIT("sender"), AT(sender)},
	{SLICE_INIT("recipient"), AT(recipient)},
	{SLICE_INIT("recipient_count"), SKIPPED},
	{SLICE_INIT("queue_id"), AT(queue_id)},
	{SLICE_INIT("instance"), AT(instance)},
	{SLICE_INIT("size"), SKIPPED},
	{SLICE_INIT("etrn_domain"), SKIPPED},
	{SLICE_INIT("stress"), SKIPPED},
	{SLICE_INIT("sasl_method"), SKIPPED},
	{SLICE_INIT("sasl_username"), AT(sasl_username)},
	{SLICE_INIT("sasl_sender"), SKIPPED},
	{SLICE_INIT("ccert_subject"), SKIPPED},
	{SLICE_INIT("ccert_issuer"), SKIPPED},
	{SLICE_INIT("ccert_fingerprint"), AT(ccert_fingerprint)},
	{SLICE_INIT("ccert_pubkey_fingerprint"), AT(ccert_pubkey_fingerprint)},
	{SLICE_INIT("encryption_protocol"), SKIPPED},
	{SLICE_INIT("encryption_cipher"), SKIPPED},
	{SLICE_INIT("encryption_keysize"), SKIPPED},
	{SLICE_INIT("policy_context"), SKIPPED},
	{SLICE_INIT("compatibility_level"), SKIPPED},
	{SLICE_INIT("mail_version"), SKIPPED},
	{SLICE_INIT("policy_test_time"), AT(test_time)},
};

static const struct {
	struct slice word;
	enum stage stage;
} stages[] = {
	{SLICE_INIT("RCPT"), STAGE_RCPT},
	{SLICE_INIT("DATA"), STAGE_DATA},
	{SLICE_INIT("END-OF-MESSAGE"), STAGE_END_OF_MESSAGE},
};

void
policy_reset(struct policy *policy, struct arena *arena)
{
	*policy = (struct policy){.arena = arena};
}

bool
policy_has_begun(const struct policy *policy)
{
	return policy->bytes > 0;
}

static enum policy_state
bad(struct policy *policy, const char *trouble)
{
	policy->trouble = trouble;
	return POLICY_BAD;
}

/* Whether the line is "NAME=..." with this row's name. */
static bool
is_line_of(const struct attribute *attribute, struct slice line)
{
	size_t n = attribute->name.n;
	return line.n > n && line.p[n] == '=' &&
	       memcmp(line.p, attribute->name.p, n) == 0;
}

/* NULL when the name is not in the table. */
static const struct attribute *
find_attribute(struct policy *policy, struct slice line)
{
	size_t row = policy->expected;
	for (size_t i = 0; i < COUNT_OF(attributes); i++, row++) {
		if (row >= COUNT_OF(attributes))
			row = 0;
		if (is_line_of(&attributes[row], line)) {
			policy->expected = (unsigned)row + 1;
			return &attributes[row];
		}
	}
	return NULL;
}

static enum stage
stage_of(struct slice word)
{
	for (size_t i = 0; i < COUNT_OF(stages); i++)
		if (slice_eq(stages[i].word, word))
			return stages[i].stage;
	return STAGE_OTHER;
}

static enum policy_state
take_attribute(struct policy *policy, const struct attribute *attribute,
               struct slice value)
{
	if (attribute->offset != SKIPPED) {
		struct slice *member =
			(void *)((char *)&policy->query + attribute->offset);
		if (slice_find(value, '\0') >= 0)
			return bad(policy, "a NUL byte");
		*member = arena_copy(policy->arena, value);
	} else if (attribute == &attributes[0]) {
		if (!slice_eq(value, SLICE("smtpd_access_policy")))
			return bad(policy, "request is not smtpd_access_policy");
		policy->is_policy = true;
	} else if (attribute == &attributes[1]) {
		policy->query.stage = stage_of(value);
	}
	return POLICY_MORE;
}

static enum policy_state
take_line(struct policy *policy, struct slice line)
{
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n == 0)
		return policy->is_policy ? POLICY_DONE
		                         : bad(policy, "no request=smtpd_access_policy");
	if (++policy->attributes > POLICY_ATTRIBUTES_MAX)
		return bad(policy, "too many attributes");
	const struct attribute *attribute = find_attribute(policy, line);
	if (attribute)
		return take_attribute(policy, attribute,
		                      slice_from(line, attribute->name.n + 1));
	if (slice_find(line, '=') <= 0)
		return bad(policy, "a line is not name=value");
	stats_add(STAT_POLICY_UNKNOWN_ATTRIBUTES, 1);
	return POLICY_MORE;
}

/* Keeps the beginning of a line until the rest comes. */
static bool
hold(struct policy *policy, struct slice part)
{
	if (policy->held_n + part.n > POLICY_LINE_MAX)
		return false;
	if (!policy->held)
		policy->held = arena_take(policy->arena, POLICY_LINE_MAX);
	memcpy(policy->held + policy->held_n, part.p, part.n);
	policy->held_n += part.n;
	return true;
}

static struct slice
complete_held(struct policy *policy)
{
	struct slice line = {.p = policy->held, .n = policy->held_n};
	policy->held_n = 0;
	return line;
}

enum policy_state
policy_feed(struct policy *policy, struct slice in, size_t *used_out)
{
	enum policy_state state = POLICY_MORE;
	size_t used = 0;
	while (state == POLICY_MORE && used < in.n) {
		struct slice rest = slice_from(in, used);
		ptrdiff_t newline = slice_find(rest, '\n');
		struct slice line =
			slice_head(rest, newline < 0 ? rest.n : (size_t)newline);
		used += line.n + (newline >= 0);
		policy->bytes += line.n + (newline >= 0);
		if (line.n > POLICY_LINE_MAX ||
		    ((newline < 0 || policy->held_n > 0) && !hold(policy, line)))
			state = bad(policy, "a line is too long");
		else if (policy->bytes > POLICY_REQUEST_MAX)
			state = bad(policy, "the request is too long");
		else if (newline >= 0)
			state = take_line(policy, policy->held_n > 0
			                                  ? complete_held(policy)
			                                  : line);
	}
	*used_out = used;
	return state;
}

void
policy_print(const struct verdict *verdict, struct slice header, struct text *out)
{
	text_put(out, SLICE("action="));
	if (verdict->action == VERDICT_DEFER) {
		text_put(out, verdict->reply);
	} else if (header.n > 0) {
		text_put(out, SLICE("PREPEND "));
		text_put(out, header);
	} else {
		text_put(out, SLICE("DUNNO"));
	}
	text_put(out, SLICE("\n\n"));
}
