/* foreign.c - records of another greylister, turned into weir's. */
#include "foreign.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "base/mem.h"
#include "rules/plan.h"

/* Bytes only, so that it can be compared as it lies in memory. */
struct row_name {
	uint8_t kind;
	struct key key;
};

struct row {
	struct row_name name;
	struct grey_record record;
	UT_hash_handle hh;
};

struct network_name {
	struct addr addr;
	unsigned bits;
};

struct network {
	struct network_name name;
	int64_t until_s;
	UT_hash_handle hh;
};

struct foreign {
	const struct conf *conf;
	const struct key_secret *secret;
	struct intake *intake;
	struct row *rows;
	struct network *networks; /* of clients that have passed */
	struct arena arena;       /* of one row */
};

struct foreign *
foreign_new(const struct conf *conf, const struct key_secret *secret,
            struct intake *intake)
{
	struct foreign *foreign = mem_new(struct foreign);
	foreign->conf = conf;
	foreign->secret = secret;
	foreign->intake = intake;
	arena_init(&foreign->arena);
	return foreign;
}

void
foreign_free(struct foreign **foreign)
{
	struct row *row, *next_row;
	struct network *network, *next_network;
	if (!*foreign)
		return;
	HASH_ITER(hh, (*foreign)->rows, row, next_row) {
		HASH_DEL((*foreign)->rows, row);
		free(row);
	}
	HASH_ITER(hh, (*foreign)->networks, network, next_network) {
		HASH_DEL((*foreign)->networks, network);
		free(network);
	}
	arena_free(&(*foreign)->arena);
	free(*foreign);
	*foreign = NULL;
}

/* The rows that name the same are one: the one that tells more. */
static void
add_row(struct foreign *foreign, enum history_record kind, struct key key,
        const struct grey_record *record)
{
	struct row_name name = {.kind = (uint8_t)kind, .key = key};
	struct row *row;
	HASH_FIND(hh, foreign->rows, &name, sizeof(name), row);
	if (!row) {
		row = mem_new(struct row);
		row->name = name;
		row->record = *record;
		HASH_ADD(hh, foreign->rows, name, sizeof(name), row);
		return;
	}
	foreign->intake->count[INTAKE_FOLDED]++;
	unsigned count = row->record.count;
	if (intake_prefers(record, &row->record))
		row->record = *record;
	if (row->record.count < count)
		row->record.count = count;
}

static void
add_network(struct foreign *foreign, const struct addr *client, unsigned bits,
            const struct grey_record *record)
{
	struct network_name name;
	struct network *network;
	const struct intake *intake = foreign->intake;
	if (grey_is_expired(record, &intake->rules, intake->now_s))
		return;
	memset(&name, 0, sizeof(name));
	name.addr = addr_mask(client, bits);
	name.bits = bits;
	HASH_FIND(hh, foreign->networks, &name, sizeof(name), network);
	if (!network) {
		network = mem_new(struct network);
		network->name = name;
		HASH_ADD(hh, foreign->networks, name, sizeof(name), network);
	}
	int64_t at_s = record->at_s < intake->now_s ? record->at_s : intake->now_s;
	if (network->until_s < at_s + intake->rules.lifetime_s)
		network->until_s = at_s + intake->rules.lifetime_s;
}

/* By how many bits weir knows a client without a name. */
static unsigned
wanted_bits(const struct foreign *foreign, const struct addr *client)
{
	return (unsigned)(client->family == ADDR_V4
	                          ? foreign->conf->greylist.ipv4_prefix
	                          : foreign->conf->greylist.ipv6_prefix);
}

/* What the daemons would go by for a mail of it; the arena is its own. */
static struct plan
plan_of(struct foreign *foreign, const struct addr *client, const struct query *query)
{
	struct plan plan = {.client = *client, .now_s = foreign->intake->now_s};
	plan_find_triplet(foreign->conf, query, &foreign->arena, &plan);
	return plan;
}

/* Counts it when it is not. */
static bool
is_known_enough(struct foreign *foreign, const struct plan *plan, unsigned bits)
{
	bool enough = plan->identity.by != IDENTITY_BY_PREFIX ||
	              bits >= wanted_bits(foreign, &plan->client);
	foreign->intake->count[INTAKE_SHORT_NETWORK] += !enough;
	return enough;
}

/*
 * SRS may have a '+' behind its tag, where others cut an extension off: what is left names nobody,
 * and mail of that sender would be looked up by who is behind the tag.
 */
static bool
is_cut(struct slice sender)
{
	return slice_starts_nocase(sender, SLICE("SRS0@")) ||
	       slice_starts_nocase(sender, SLICE("SRS1@"));
}

void
foreign_triplet(struct foreign *foreign, const struct addr *client, unsigned bits,
                struct slice sender, struct slice recipient, struct grey_record record)
{
	unsigned wanted = wanted_bits(foreign, client);
	arena_reset(&foreign->arena);
	if (record.state == GREY_PASSED)
		add_network(foreign, client, bits < wanted ? bits : wanted, &record);
	struct query query =
		query_normal(&(struct query){.sender = sender, .recipient = recipient},
	                     foreign->conf, &foreign->arena);
	struct plan plan = plan_of(foreign, client, &query);
	if (!is_known_enough(foreign, &plan, bits))
		return;
	if (is_cut(query.sender)) {
		foreign->intake->count[INTAKE_SENDER_LOST]++;
		return;
	}
	add_row(foreign, RECORD_TRIPLET,
	        key_triplet(foreign->secret, plan.identity.text, plan.sender,
	                    plan.recipient),
	        &record);
}

void
foreign_client(struct foreign *foreign, const struct addr *client, unsigned bits,
               int64_t count, int64_t last_s)
{
	unsigned wanted = wanted_bits(foreign, client);
	int64_t enough = foreign->intake->rules.allow_client_after;
	struct grey_record record = {.state = GREY_IDENTITY, .at_s = last_s};
	if (enough == 0) {
		foreign->intake->count[INTAKE_NEVER_ALLOWED]++;
		return;
	}
	record.count = (unsigned)(count < GREY_COUNT_MAX ? count : GREY_COUNT_MAX);
	if (count >= enough)
		add_network(foreign, client, bits < wanted ? bits : wanted, &record);
	arena_reset(&foreign->arena);
	struct plan plan =
		plan_of(foreign, client, &(struct query){.stage = STAGE_OTHER});
	if (is_known_enough(foreign, &plan, bits))
		add_row(foreign, RECORD_IDENTITY,
		        key_identity(foreign->secret, plan.identity.text), &record);
}

bool
foreign_take(struct foreign *foreign, struct err *err_out)
{
	struct row *row, *next;
	HASH_ITER(hh, foreign->rows, row, next) {
		if (!intake_record(foreign->intake, (enum history_record)row->name.kind,
		                   &row->name.key, row->record, err_out))
			return false;
	}
	return intake_flush(foreign->intake, err_out);
}

static int
in_order(const struct network *a, const struct network *b)
{
	if (a->name.addr.family != b->name.addr.family)
		return a->name.addr.family < b->name.addr.family ? -1 : 1;
	int override = memcmp(a->name.addr.bytes, b->name.addr.bytes,
	                      sizeof(a->name.addr.bytes));
	return override != 0 ? override : (int)a->name.bits - (int)b->name.bits;
}

static void
print_network(const struct network *network, FILE *to)
{
	char buf[ADDR_TEXT_MAX];
	struct text addr = TEXT(buf);
	struct tm day;
	time_t until = network->until_s;
	addr_print(&network->name.addr, &addr);
	if (gmtime_r(&until, &day))
		fprintf(to, "%s/%u until=%04d-%02d-%02d\n", buf, network->name.bits,
		        day.tm_year + 1900, day.tm_mon + 1, day.tm_mday);
}

int64_t
foreign_print_clients(struct foreign *foreign, FILE *to)
{
	struct network *network, *next;
	HASH_SRT(hh, foreign->networks, in_order);
	HASH_ITER(hh, foreign->networks, network, next) {
		print_network(network, to);
	}
	return HASH_COUNT(foreign->networks);
}
