/*
 * sqlite_limits.c - room in limits: leases and rates as rows, judged by the rule of limit.h.
 *
 * First every use is judged, then all are taken, so that a refusal leaves nothing behind.
 * Each function returns SQLITE_DONE or the failure.
 */
#include "base/clock.h"
#include "rules/gcra.h"
#include "sqlite_db_priv.h"

#define TAT_MAX_US (INT64_C(1) << 53) /* nothing of ours is larger */

#define NOTE_MS \
 20000 /* a note is kept for as long as policyd's lease, but so long at least */

struct moment {
	int64_t lease_ms; /* time since the boot: no step of the clock frees a slot */
	int64_t wall_us;
};

/* Who holds slots at one concurrency bound just now. */
struct slots {
	int64_t held; /* in force */
	bool mine;
	bool others;  /* the same session's, under its other name */
	int64_t dead; /* rows that have run out */
};

static struct limit_fact
fact_of(const struct slots *slots)
{
	return (struct limit_fact){.held = slots->held,
	                           .has = slots->mine || slots->others};
}

static sqlite3_stmt *
bind_key(struct sqlite_db *db, enum statement statement, const struct key *key)
{
	sqlite3_stmt *stmt = db->stmts[statement];
	sqlite3_bind_blob(stmt, 1, key->bytes, KEY_BYTES, SQLITE_STATIC);
	return stmt;
}

/*
 * The first read of a transaction decides what it sees.  The clock is read after it: else another
 * process' lease, taken in between, would seem to end too late.
 */
static struct moment
moment_of(struct sqlite_db *db, const struct limits_ask *ask)
{
	sqlite3_stmt *stmt = bind_key(db, ST_GET_RATE, &ask->note);
	if (ask->now_ms)
		return (struct moment){ask->now_ms, ask->now_ms * 1000};
	sqlite3_step(stmt);
	sqlite3_reset(stmt);
	return (struct moment){clock_boot_ms(), clock_wall_us()};
}

static void
bind_holder(sqlite3_stmt *stmt, int at, const char *holder)
{
	sqlite3_bind_text(stmt, at, holder, -1, SQLITE_STATIC);
}

static sqlite3_stmt *
bind_slots(struct sqlite_db *db, enum statement statement, const struct limits_ask *ask,
           const struct key *key, int64_t now_ms)
{
	sqlite3_stmt *stmt = bind_key(db, statement, key);
	sqlite3_bind_int64(stmt, 2, now_ms);
	sqlite3_bind_int64(stmt, 3, now_ms + ask->ttl_max_ms);
	return stmt;
}

/* Whether the statement gives a row. */
static int
step_found(sqlite3_stmt *stmt, bool *found_out)
{
	int rc = sqlite3_step(stmt);
	*found_out = rc == SQLITE_ROW;
	sqlite3_reset(stmt);
	return *found_out ? SQLITE_DONE : rc;
}

static int
find_slot(struct sqlite_db *db, const struct limits_ask *ask, const struct key *key,
          const char *holder, int64_t now_ms, bool *found_out)
{
	sqlite3_stmt *stmt = bind_slots(db, ST_FIND_SLOT, ask, key, now_ms);
	bind_holder(stmt, 4, holder);
	return step_found(stmt, found_out);
}

static int
count_slots(struct sqlite_db *db, const struct limits_ask *ask, const struct key *key,
            int64_t now_ms, struct slots *slots)
{
	sqlite3_stmt *stmt = bind_slots(db, ST_COUNT_SLOTS, ask, key, now_ms);
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		slots->held = sqlite3_column_int64(stmt, 0);
		slots->dead = sqlite3_column_int64(stmt, 1) - slots->held;
	}
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

/* Counting looks at each lease of the limit; who has a slot may do without. */
static int
get_slots(struct sqlite_db *db, const struct limits_ask *ask, const struct key *key,
          bool count, int64_t now_ms, struct slots *slots_out)
{
	*slots_out = (struct slots){0};
	int rc = find_slot(db, ask, key, ask->holder, now_ms, &slots_out->mine);
	if (rc == SQLITE_DONE && *ask->other)
		rc = find_slot(db, ask, key, ask->other, now_ms, &slots_out->others);
	if (rc == SQLITE_DONE && (count || (!slots_out->mine && !slots_out->others)))
		rc = count_slots(db, ask, key, now_ms, slots_out);
	return rc;
}

static int
put_lease(struct sqlite_db *db, const struct limits_ask *ask, const struct key *key,
          int64_t now_ms)
{
	sqlite3_stmt *stmt = bind_key(db, ST_PUT_LEASE, key);
	bind_holder(stmt, 2, ask->holder);
	sqlite3_bind_int64(stmt, 3, now_ms + ask->ttl_ms);
	return db_step(db, ST_PUT_LEASE);
}

static int
drop_lease(struct sqlite_db *db, const struct key *key, const char *holder)
{
	bind_holder(bind_key(db, ST_DROP_LEASE, key), 2, holder);
	return db_step(db, ST_DROP_LEASE);
}

/* Mostly there is none, and then no write lock is needed. */
static int
drop_found_lease(struct sqlite_db *db, const struct key *key, const char *holder)
{
	sqlite3_stmt *stmt = bind_key(db, ST_FIND_LEASE, key);
	bool found;
	bind_holder(stmt, 2, holder);
	int rc = step_found(stmt, &found);
	return rc == SQLITE_DONE && found ? drop_lease(db, key, holder) : rc;
}

static int
drop_dead_leases(struct sqlite_db *db, const struct limits_ask *ask,
                 const struct key *key, int64_t now_ms)
{
	bind_slots(db, ST_DROP_DEAD_LEASES, ask, key, now_ms);
	return db_step(db, ST_DROP_DEAD_LEASES);
}

/* Takes a slot that was found free, or goes on with the one the session has. */
static int
take_slot(struct sqlite_db *db, const struct limits_ask *ask, const struct key *key,
          const struct slots *slots, int64_t now_ms)
{
	int rc = SQLITE_DONE;
	if (slots->others && !ask->takes_over)
		return SQLITE_DONE;
	if (slots->dead > 0)
		rc = drop_dead_leases(db, ask, key, now_ms);
	if (rc == SQLITE_DONE && slots->others)
		rc = drop_lease(db, key, ask->other);
	return rc == SQLITE_DONE ? put_lease(db, ask, key, now_ms) : rc;
}

static int
get_rate(struct sqlite_db *db, const struct key *key, int64_t *tat_us_out)
{
	sqlite3_stmt *stmt = bind_key(db, ST_GET_RATE, key);
	int rc = sqlite3_step(stmt);
	*tat_us_out = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	if (*tat_us_out < 0 || *tat_us_out > TAT_MAX_US)
		*tat_us_out = 0;
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

static int
put_rate(struct sqlite_db *db, const struct key *key, int64_t tat_us)
{
	sqlite3_bind_int64(bind_key(db, ST_PUT_RATE, key), 2, tat_us);
	return db_step(db, ST_PUT_RATE);
}

/* What policyd has noted of this recipient. */
struct note {
	bool found;       /* by the milter, or of the same message */
	limit_set bounds; /* whose rates it has taken, a bit for each */
};

static int
get_note(struct sqlite_db *db, const struct limits_ask *ask, int64_t now_ms,
         struct note *note_out)
{
	*note_out = (struct note){0};
	if (!limits_have_note(ask))
		return SQLITE_DONE;
	sqlite3_stmt *stmt = bind_key(db, ST_GET_NOTE, &ask->note);
	sqlite3_bind_int64(stmt, 2, now_ms);
	sqlite3_bind_int64(stmt, 3, now_ms + ask->ttl_max_ms);
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		uint64_t message = (uint64_t)sqlite3_column_int64(stmt, 0);
		note_out->found = ask->takes_over || message == ask->message;
		if (note_out->found)
			note_out->bounds = (limit_set)sqlite3_column_int64(stmt, 1);
		rc = SQLITE_DONE;
	}
	sqlite3_reset(stmt);
	return rc;
}

static bool
is_noted(const struct limit_use *use, limit_set bounds)
{
	return use->kind != LIMIT_CONCURRENCY && bounds & LIMIT_BIT(limit_note_bit(use));
}

static int
put_note(struct sqlite_db *db, const struct limits_ask *ask, limit_set bounds,
         int64_t now_ms)
{
	sqlite3_stmt *stmt = bind_key(db, ST_PUT_NOTE, &ask->note);
	sqlite3_bind_int64(stmt, 2, (int64_t)ask->message);
	sqlite3_bind_int64(stmt, 3, (int64_t)bounds);
	sqlite3_bind_int64(stmt, 4,
	                   now_ms + (ask->ttl_ms > NOTE_MS ? ask->ttl_ms : NOTE_MS));
	return db_step(db, ST_PUT_NOTE);
}

static int
drop_note(struct sqlite_db *db, const struct limits_ask *ask)
{
	bind_key(db, ST_DROP_NOTE, &ask->note);
	return db_step(db, ST_DROP_NOTE);
}

/* What was found out about the uses before anything is taken. */
struct judged {
	struct moment now;
	struct note note;
	struct slots slots[LIMIT_USES_MAX];
	int64_t tat_us[LIMIT_USES_MAX];
};

/* Finds out what is known of a use. */
static int
look_at(struct sqlite_db *db, const struct limits_ask *ask, size_t i,
        struct judged *judged, struct limit_fact *fact_out)
{
	const struct limit_use *use = &ask->uses[i];
	int rc;
	if (use->kind == LIMIT_CONCURRENCY) {
		rc = get_slots(db, ask, &use->key, true, judged->now.lease_ms,
		               &judged->slots[i]);
		*fact_out = fact_of(&judged->slots[i]);
		return rc;
	}
	rc = get_rate(db, &use->key, &judged->tat_us[i]);
	*fact_out = (struct limit_fact){.tat_us = judged->tat_us[i],
	                                .noted = is_noted(use, judged->note.bounds)};
	return rc;
}

static int
judge_all(struct sqlite_db *db, const struct limits_ask *ask, struct judged *judged,
          struct limits_result *result)
{
	int rc = get_note(db, ask, judged->now.lease_ms, &judged->note);
	bool is_told = judged->note.found && ask->takes_over;
	result->granted = true;
	for (size_t i = 0; i < ask->n && rc == SQLITE_DONE; i++) {
		struct limit_fact fact;
		rc = look_at(db, ask, i, judged, &fact);
		if (!limits_judge(ask, i, &fact, is_told, judged->now.wall_us, result))
			break;
	}
	return rc;
}

static int
take_use(struct sqlite_db *db, const struct limits_ask *ask, size_t i,
         const struct judged *judged)
{
	const struct limit_use *use = &ask->uses[i];
	if (use->kind == LIMIT_CONCURRENCY)
		return take_slot(db, ask, &use->key, &judged->slots[i],
		                 judged->now.lease_ms);
	if (is_noted(use, judged->note.bounds))
		return SQLITE_DONE;
	const struct conf_rate rate = limit_rate(use);
	return put_rate(db, &use->key,
	                gcra_take(judged->tat_us[i], &rate, judged->now.wall_us));
}

static int
take_all(struct sqlite_db *db, const struct limits_ask *ask, const struct judged *judged,
         limit_set taken)
{
	limit_set bounds = judged->note.bounds;
	int rc = SQLITE_DONE;
	for (size_t i = 0; i < ask->n && rc == SQLITE_DONE; i++) {
		if (!(taken & LIMIT_BIT(i)))
			continue;
		rc = take_use(db, ask, i, judged);
		if (ask->uses[i].kind != LIMIT_CONCURRENCY)
			bounds |= LIMIT_BIT(limit_note_bit(&ask->uses[i]));
	}
	if (rc != SQLITE_DONE || !limits_have_note(ask))
		return rc;
	if (!ask->takes_over)
		return put_note(db, ask, bounds, judged->now.lease_ms);
	return judged->note.found ? drop_note(db, ask) : SQLITE_DONE;
}

static int
give_back_rate(struct sqlite_db *db, const struct limit_use *use, int64_t now_us)
{
	int64_t tat_us;
	int rc = get_rate(db, &use->key, &tat_us);
	if (rc != SQLITE_DONE || tat_us == 0)
		return rc;
	const struct conf_rate rate = limit_rate(use);
	return put_rate(db, &use->key, gcra_give_back(tat_us, &rate, now_us));
}

static int
give_back(struct sqlite_db *db, const struct limits_ask *ask)
{
	int64_t now_us = moment_of(db, ask).wall_us;
	int rc = SQLITE_DONE;
	for (size_t i = 0; i < ask->n && rc == SQLITE_DONE; i++)
		rc = ask->uses[i].kind == LIMIT_CONCURRENCY
		             ? drop_lease(db, &ask->uses[i].key, ask->holder)
		             : give_back_rate(db, &ask->uses[i], now_us);
	return rc == SQLITE_DONE && limits_have_note(ask) ? drop_note(db, ask) : rc;
}

/* The recipient goes no further: what policyd, of that name, took for it is given back. */
static int
give_back_noted(struct sqlite_db *db, const struct limits_ask *ask, const char *name,
                const struct note *note, int64_t now_us)
{
	int rc = SQLITE_DONE;
	for (size_t i = 0; i < ask->n && rc == SQLITE_DONE; i++)
		if (ask->uses[i].kind == LIMIT_CONCURRENCY)
			rc = drop_found_lease(db, &ask->uses[i].key, name);
		else if (is_noted(&ask->uses[i], note->bounds))
			rc = give_back_rate(db, &ask->uses[i], now_us);
	return rc == SQLITE_DONE && note->found ? drop_note(db, ask) : rc;
}

static int
ask_limits(struct sqlite_db *db, const struct limits_ask *ask, bool may_write,
           struct limits_result *result)
{
	struct judged judged = {.now = moment_of(db, ask)};
	int rc = judge_all(db, ask, &judged, result);
	if (rc != SQLITE_DONE)
		return rc;
	if (!result->granted)
		return ask->takes_over && may_write
		               ? give_back_noted(db, ask, ask->other, &judged.note,
		                                 judged.now.wall_us)
		               : SQLITE_DONE;
	return may_write ? take_all(db, ask, &judged, result->taken) : SQLITE_READONLY;
}

/* Held already, whatever room there is. */
static int
put(struct sqlite_db *db, const struct limits_ask *ask)
{
	int64_t now_ms = moment_of(db, ask).lease_ms;
	int rc = SQLITE_DONE;
	for (size_t i = 0; i < ask->n && rc == SQLITE_DONE; i++) {
		const struct key *key = &ask->uses[i].key;
		struct slots slots = {0};
		if (*ask->other)
			rc = find_slot(db, ask, key, ask->other, now_ms, &slots.others);
		if (rc == SQLITE_DONE)
			rc = take_slot(db, ask, key, &slots, now_ms);
	}
	return rc;
}

static int
renew_use(struct sqlite_db *db, const struct limits_ask *ask, size_t i, int64_t now_ms,
          struct limits_result *result)
{
	const struct limit_use *use = &ask->uses[i];
	struct slots slots = {0};
	int rc = get_slots(db, ask, &use->key, false, now_ms, &slots);
	struct limit_fact fact = fact_of(&slots);
	if (rc != SQLITE_DONE || !limit_renews(ask, use, &fact, result))
		return rc;
	return take_slot(db, ask, &use->key, &slots, now_ms);
}

static int
renew(struct sqlite_db *db, const struct limits_ask *ask, struct limits_result *result)
{
	int64_t now_ms = moment_of(db, ask).lease_ms;
	int rc = SQLITE_DONE;
	for (size_t i = 0; i < ask->n && rc == SQLITE_DONE; i++)
		rc = renew_use(db, ask, i, now_ms, result);
	result->granted = true;
	return rc;
}

static int
return_noted(struct sqlite_db *db, const struct limits_ask *ask, const char *name)
{
	struct moment now = moment_of(db, ask);
	struct note note;
	int rc = get_note(db, ask, now.lease_ms, &note);
	return rc == SQLITE_DONE ? give_back_noted(db, ask, name, &note, now.wall_us)
	                         : rc;
}

int
db_answer_limits(struct sqlite_db *db, const struct ask *ask, bool may_write,
                 struct limits_result *result_out)
{
	*result_out = (struct limits_result){.refused = -1};
	if (ask->kind == ASK_LIMITS || ask->kind == ASK_RENEW) {
		int rc = db_read_row(db, &result_out->row);
		bool may_renew = ask->kind == ASK_RENEW && result_out->row == TERM_IN;
		result_out->not_yet = result_out->row != TERM_OPEN && !may_renew;
		if (rc != SQLITE_DONE || result_out->not_yet)
			return rc;
	}
	if (ask->kind == ASK_LIMITS)
		return ask_limits(db, &ask->limits, may_write, result_out);
	if (!may_write)
		return SQLITE_READONLY;
	switch (ask->kind) {
	case ASK_PUT: return put(db, &ask->limits);
	case ASK_RENEW: return renew(db, &ask->limits, result_out);
	case ASK_GIVE_BACK: return give_back(db, &ask->limits);
	case ASK_RETURN: return return_noted(db, &ask->limits, ask->limits.holder);
	case ASK_REFUSED: return return_noted(db, &ask->limits, ask->limits.other);
	case ASK_GREYLIST:
	case ASK_LIMITS:
	case ASK_TERM:
	case ASK_KINDS: break;
	}
	return SQLITE_MISUSE;
}
