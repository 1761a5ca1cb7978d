/* decision_line.c - a decision as a line of text, and back. */
#include "rules/decision_line.h"

#include "rules/key.h"
#include "rules/mailaddr.h"

#define FIELDS     22
#define FIELDS_OLD 19 /* without user, limit and queue id */

/* The most that is kept of each: all of them, with tabs between, fit into DECIDED_LINE_MAX. */
enum {
	WORD_MAX = 10,
	WHY_MAX = 24,
	NUMBER_MAX = 20,
	NODE_MAX = 64,
	CLIENT_MAX = 45,
	NAME_MAX_KEPT = 110,
	IDENTITY_MAX = 80,
	SENDER_MAX = 200,
	RECIPIENT_MAX = 160,
	DESTINATION_MAX = 100,
	ENTRY_MAX = 64,
	USER_MAX = 100,
	LIMIT_MAX = 120,
	QUEUE_MAX = 32,
};

_Static_assert(5 * WORD_MAX + WHY_MAX + 4 * NUMBER_MAX + NODE_MAX + CLIENT_MAX +
                               NAME_MAX_KEPT + IDENTITY_MAX + SENDER_MAX + RECIPIENT_MAX +
                               DESTINATION_MAX + ENTRY_MAX + USER_MAX + LIMIT_MAX +
                               QUEUE_MAX + KEY_TEXT_LEN + FIELDS <=
                       DECISION_LINE_MAX,
               "the longest line has room");

/* What most of them are: need neither be folded nor escaped. */
static bool
is_plain(struct slice value)
{
	for (size_t i = 0; i < value.n; i++)
		if (!ascii_plain(value.p[i]) || ascii_lower(value.p[i]) != value.p[i])
			return false;
	return true;
}

static void
put_escaped(struct text *out, struct slice value, size_t max)
{
	char lower[DECISION_LINE_MAX], buf[DECISION_LINE_MAX];
	struct text folded = TEXT(lower);
	struct text escaped = {.p = buf, .cap = max + 1};
	text_put_lower(&folded, value);
	text_put_escaped(&escaped, text_slice(&folded));
	text_put(out, text_slice(&escaped));
}

static void
put_field(struct text *out, struct slice value, size_t max)
{
	struct slice head = slice_head(value, max);
	if (is_plain(head))
		text_put(out, head);
	else
		put_escaped(out, value, max);
	text_putc(out, '\t');
}

/* What is not folded: words and numbers of our own. */
static void
put_word(struct text *out, struct slice word, size_t max)
{
	text_put(out, slice_head(word, max));
	text_putc(out, '\t');
}

static void
put_number(struct text *out, int64_t value)
{
	text_int(out, value);
	text_putc(out, '\t');
}

static void
put_address(struct text *out, struct slice address,
            enum decision_line_addresses addresses, size_t max)
{
	ptrdiff_t at = slice_rfind(address, '@');
	if (slice_eq(address, SLICE("<>")))
		put_field(out, address, max);
	else if (addresses == ADDRESSES_FULL)
		put_field(out, address, max);
	else if (addresses == ADDRESSES_DOMAIN && at >= 0)
		put_field(out, slice_from(address, (size_t)at), max);
	else
		text_putc(out, '\t');
}

/* As the MTA writes it, since its log is searched for it; none has other bytes. */
static void
put_queue(struct text *out, struct slice queue)
{
	for (size_t i = 0; i < queue.n; i++)
		if (!ascii_plain(queue.p[i]))
			queue.n = 0;
	put_word(out, queue, QUEUE_MAX);
}

void
decision_line_print(const struct decision_line *decided,
                    enum decision_line_addresses addresses, struct text *out)
{
	bool whole = addresses == ADDRESSES_FULL;
	bool with_client = addresses != ADDRESSES_NONE;
	struct slice nothing = {0};
	put_word(out, decided->id, WORD_MAX);
	put_number(out, decided->at_s);
	put_word(out, decided->daemon, WORD_MAX);
	put_field(out, decided->node, NODE_MAX);
	put_word(out, decided->observed ? SLICE("observed") : decided->action, WORD_MAX);
	put_word(out, decided->why, WHY_MAX);
	put_field(out, with_client ? decided->client : nothing, CLIENT_MAX);
	put_field(out, with_client ? decided->name : nothing, NAME_MAX_KEPT);
	put_field(out, decided->identity, IDENTITY_MAX);
	put_word(out, decided->identity_by, WORD_MAX);
	put_address(out, decided->sender, addresses, SENDER_MAX);
	put_address(out, decided->recipient, addresses, RECIPIENT_MAX);
	put_field(out, decided->destination, DESTINATION_MAX);
	put_field(out,
	          whole || slice_find(decided->entry, '@') < 0 ? decided->entry : nothing,
	          ENTRY_MAX);
	put_number(out, decided->wait_s);
	put_number(out, decided->delayed_s);
	put_number(out, decided->held);
	put_word(out, decided->store, WORD_MAX);
	put_word(out, decided->triplet, KEY_TEXT_LEN);
	put_address(out, decided->user, addresses, USER_MAX);
	put_field(out, decided->limit, LIMIT_MAX);
	put_queue(out, decided->queue);
	out->p[out->n - 1] = '\n'; /* instead of the last tab */
}

static struct slice
unescape(struct slice field, struct arena *arena)
{
	if (slice_find(field, '\\') < 0)
		return field;
	struct text text = {.p = arena_take(arena, field.n + 1), .cap = field.n + 1};
	text_put_unescaped(&text, field);
	return text_slice(&text);
}

static bool
split(struct slice line, struct slice fields_out[FIELDS])
{
	size_t n = 0;
	for (size_t i = FIELDS_OLD; i < FIELDS; i++)
		fields_out[i] = (struct slice){0};
	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	while (n < FIELDS && slice_cut(&line, '\t', &fields_out[n]))
		n++;
	return (n == FIELDS || n == FIELDS_OLD) && !line.p;
}

bool
decision_line_parse(struct slice line, struct arena *arena,
                    struct decision_line *decision_line_out)
{
	struct slice fields[FIELDS];
	uint64_t at_s, wait_s, delayed_s, held;
	if (!split(line, fields) || !slice_to_u64(fields[1], INT64_MAX, &at_s) ||
	    !slice_to_u64(fields[14], INT64_MAX, &wait_s) ||
	    !slice_to_u64(fields[15], INT64_MAX, &delayed_s) ||
	    !slice_to_u64(fields[16], INT64_MAX, &held))
		return false;
	bool observed = slice_eq(fields[4], SLICE("observed"));
	*decision_line_out = (struct decision_line){
		.id = fields[0],
		.at_s = (int64_t)at_s,
		.daemon = fields[2],
		.node = unescape(fields[3], arena),
		.action = observed ? SLICE("accept") : fields[4],
		.observed = observed,
		.why = fields[5],
		.client = unescape(fields[6], arena),
		.name = unescape(fields[7], arena),
		.identity = unescape(fields[8], arena),
		.identity_by = fields[9],
		.sender = unescape(fields[10], arena),
		.recipient = unescape(fields[11], arena),
		.destination = unescape(fields[12], arena),
		.entry = unescape(fields[13], arena),
		.wait_s = (int64_t)wait_s,
		.delayed_s = (int64_t)delayed_s,
		.held = (int64_t)held,
		.store = fields[17],
		.triplet = fields[18],
		.user = unescape(fields[19], arena),
		.limit = unescape(fields[20], arena),
		.queue = fields[21],
	};
	return true;
}

/* ---- looking for some of them ---- */

bool
decision_line_cut_last(struct slice *lines, struct slice *line_out)
{
	if (lines->n == 0)
		return false;
	size_t end = lines->n - (lines->p[lines->n - 1] == '\n');
	size_t start = (size_t)(slice_rfind(slice_head(*lines, end), '\n') + 1);
	*line_out = slice_head(slice_from(*lines, start), end - start);
	*lines = slice_head(*lines, start);
	return true;
}

/* Every line that matches has these bytes in it. */
static void
make_needle(struct decision_line_filter *filter)
{
	char lower[DECISION_LINE_MAX];
	struct text folded = TEXT(lower);
	struct text needle = TEXT(filter->needle);
	filter->is_net = slice_find(filter->address, '/') > 0 &&
	                 cidr_parse(filter->address, &filter->net);
	if (filter->id.n > 0)
		text_put(&needle, filter->id);
	else if (filter->is_net)
		; /* no bytes are in each of them */
	else if (filter->address.n > 0)
		text_put_lower(&folded, filter->address);
	else if (filter->queue.n > 0)
		text_put(&needle, filter->queue);
	else if (filter->user.n > 0)
		text_put_lower(&folded, filter->user);
	else if (filter->destination.n > 0)
		text_put_lower(&folded, filter->destination);
	else
		text_put(&needle, filter->why);
	text_put_escaped(&needle, text_slice(&folded));
	filter->needle_n = needle.n;
}

/* "example.com" of "a@example.com", "mail.example.com" and itself; "@example.com" of the first. */
static bool
is_of_domain(struct slice value, struct slice domain)
{
	if (domain.p[0] == '@')
		return slice_ends_nocase(value, domain);
	if (value.n <= domain.n || !slice_ends_nocase(value, domain))
		return slice_eq_nocase(value, domain);
	char before = value.p[value.n - domain.n - 1];
	return before == '@' || before == '.';
}

static bool
is_in(const struct decision_line *decided, const struct decision_line_filter *filter)
{
	struct addr addr;
	return filter->is_net && addr_parse(decided->client, &addr) &&
	       cidr_contains(&filter->net, &addr);
}

static bool
has_address(const struct decision_line *decided,
            const struct decision_line_filter *filter)
{
	struct slice address = filter->address;
	return is_in(decided, filter) || slice_eq_nocase(decided->client, address) ||
	       slice_eq_nocase(decided->identity, address) ||
	       is_of_domain(decided->name, address) ||
	       is_of_domain(decided->sender, address) ||
	       is_of_domain(decided->recipient, address) ||
	       slice_eq_nocase(decided->destination, address) ||
	       slice_eq_nocase(decided->user, address);
}

static bool
matches(const struct decision_line *decided, const struct decision_line_filter *filter)
{
	return (filter->id.n == 0 || slice_eq(decided->id, filter->id)) &&
	       (filter->address.n == 0 || has_address(decided, filter)) &&
	       (filter->destination.n == 0 ||
	        slice_eq_nocase(decided->destination, filter->destination)) &&
	       (filter->queue.n == 0 || slice_eq(decided->queue, filter->queue)) &&
	       (filter->user.n == 0 || slice_eq_nocase(decided->user, filter->user)) &&
	       (filter->why.n == 0 || slice_eq(decided->why, filter->why)) &&
	       (filter->since_s == 0 || decided->at_s >= filter->since_s) &&
	       (filter->until_s == 0 || decided->at_s <= filter->until_s);
}

bool
decision_lines_may_match(struct slice lines, struct decision_line_filter *filter)
{
	if (filter->needle_n == 0)
		make_needle(filter);
	return filter->needle_n == 0 ||
	       memmem(lines.p, lines.n, filter->needle, filter->needle_n);
}

bool
decision_line_matches(struct slice line, struct decision_line_filter *filter)
{
	struct decision_line decided;
	struct arena arena;
	if (!decision_lines_may_match(line, filter))
		return false;
	arena_init(&arena);
	bool found =
		decision_line_parse(line, &arena, &decided) && matches(&decided, filter);
	arena_free(&arena);
	return found;
}
