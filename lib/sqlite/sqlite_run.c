/* sqlite_run.c - answers questions from the database: rules/grey.c on its rows. */
#include "sqlite_db_priv.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/backend.h"
#include "store/record.h"

#define CONTENDED_MS 1000
#define PAUSE_US     300

/*
 * What a transaction may do.  Most need no writing at all, so they begin by reading; one that
 * finds another process writing begins anew with the write lock; and when nothing can be
 * written, what needs no writing is answered all the same.
 */
enum mode { MODE_READ_FIRST, MODE_WRITE, MODE_NO_WRITES };

static enum store_status
status_of(int rc)
{
	switch (rc) {
	case SQLITE_FULL: return STORE_FULL;
	case SQLITE_MISMATCH: return STORE_BAD_RECORD;
	default: return STORE_FAILED;
	}
}

/* SQLITE_ROW: found; SQLITE_DONE: absent, the record says so; else the failure. */
static int
get_record(struct sqlite_db *db, enum statement get, const struct key *key,
           struct grey_record *rec_out)
{
	sqlite3_stmt *stmt = db->stmts[get];
	*rec_out = (struct grey_record){.state = GREY_ABSENT};
	sqlite3_bind_blob(stmt, 1, key->bytes, KEY_BYTES, SQLITE_STATIC);
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW &&
	    (!record_unpack(sqlite3_column_int64(stmt, 0), rec_out) ||
	     (rec_out->state == GREY_IDENTITY) != (get == ST_GET_IDENTITY)))
		rc = SQLITE_MISMATCH;
	sqlite3_reset(stmt);
	return rc;
}

static int
put_record(struct sqlite_db *db, enum statement put, const struct key *key,
           const struct grey_record *rec)
{
	sqlite3_stmt *stmt = db->stmts[put];
	sqlite3_bind_blob(stmt, 1, key->bytes, KEY_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, record_pack(rec));
	return db_step(db, put);
}

/* A first try that cannot be kept would never pass; everything else can go unwritten. */
static bool
must_be_kept(enum grey_answer answer)
{
	return answer == GREY_IS_NEW || answer == GREY_IS_AGED;
}

/* Each returns SQLITE_DONE or the failure. */
static int
ask_identity(struct sqlite_db *db, const struct ask *ask, int64_t now_s, enum mode mode,
             bool *allowed_out)
{
	struct grey_record rec;
	bool write;
	int rc = get_record(db, ST_GET_IDENTITY, &ask->identity, &rec);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return rc;
	*allowed_out = grey_identity_allowed(&rec, &ask->rules, now_s, &write);
	if (write && mode != MODE_NO_WRITES)
		return put_record(db, ST_PUT_IDENTITY, &ask->identity, &rec);
	return SQLITE_DONE;
}

static int
count_for_identity(struct sqlite_db *db, const struct ask *ask, int64_t now_s)
{
	struct grey_record rec;
	int rc = get_record(db, ST_GET_IDENTITY, &ask->identity, &rec);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return rc;
	if (!grey_identity_count(&rec, &ask->rules, now_s))
		return SQLITE_DONE;
	return put_record(db, ST_PUT_IDENTITY, &ask->identity, &rec);
}

static int
ask_triplet(struct sqlite_db *db, const struct ask *ask, int64_t now_s, enum mode mode,
            struct grey_result *result_out)
{
	struct grey_record rec;
	int rc = get_record(db, ST_GET_TRIPLET, &ask->triplet, &rec);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return rc;
	*result_out = grey_triplet_observe(&rec, &ask->rules, ask->may_store, ask->mark,
	                                   ask->is_second, now_s);
	if (!result_out->write)
		return SQLITE_DONE;
	if (mode == MODE_NO_WRITES)
		return must_be_kept(result_out->answer) ? SQLITE_READONLY : SQLITE_DONE;
	rc = put_record(db, ST_PUT_TRIPLET, &ask->triplet, &rec);
	if (rc == SQLITE_DONE && result_out->answer == GREY_IS_PASSED_NOW)
		rc = count_for_identity(db, ask, now_s);
	return rc;
}

static int
ask_greylist(struct sqlite_db *db, const struct ask *ask, int64_t clock_s, enum mode mode,
             struct grey_result *result_out)
{
	int64_t now_s = ask->now_s ? ask->now_s : clock_s;
	bool allowed = false;
	int rc = SQLITE_DONE;
	if (ask->rules.allow_client_after > 0)
		rc = ask_identity(db, ask, now_s, mode, &allowed);
	if (rc == SQLITE_DONE && allowed)
		result_out->answer = GREY_IS_CLIENT_ALLOWED;
	else if (rc == SQLITE_DONE)
		rc = ask_triplet(db, ask, now_s, mode, result_out);
	return rc;
}

static int
answer_job(struct sqlite_db *db, struct store_job *job, int64_t clock_s, enum mode mode)
{
	job->answer = (struct answer){.status = STORE_OK};
	if (job->ask.kind == ASK_GREYLIST)
		return ask_greylist(db, &job->ask, clock_s, mode, &job->answer.grey);
	if (job->ask.kind == ASK_TERM)
		return db_answer_term(db, job, mode != MODE_NO_WRITES);
	return db_answer_limits(db, &job->ask, mode != MODE_NO_WRITES,
	                        &job->answer.limits);
}

/* All jobs in one transaction; SQLITE_DONE when it is committed. */
static int
run_transaction(struct sqlite_db *db, struct store_job *jobs, enum mode mode)
{
	int64_t clock_s = clock_wall_s();
	int rc = db_step(db, mode == MODE_WRITE ? ST_BEGIN_IMMEDIATE : ST_BEGIN);
	if (rc != SQLITE_DONE)
		return rc;
	for (struct store_job *job = jobs; job && rc == SQLITE_DONE;
	     job = job->next_job) {
		rc = answer_job(db, job, clock_s, mode);
		if (rc == SQLITE_MISMATCH) { /* this job's trouble alone */
			job->answer.status = STORE_BAD_RECORD;
			rc = SQLITE_DONE;
		}
	}
	if (rc == SQLITE_DONE)
		rc = db_step(db, ST_COMMIT);
	if (rc != SQLITE_DONE && !sqlite3_get_autocommit(db->handle))
		db_step(db, ST_ROLLBACK);
	return rc;
}

/* Each job for itself, so that one bad row or missing room does not fail the others. */
static void
run_without_writes(struct sqlite_db *db, struct store_job *jobs,
                   enum store_status trouble)
{
	int64_t clock_s = clock_wall_s();
	for (struct store_job *job = jobs; job; job = job->next_job) {
		int rc = answer_job(db, job, clock_s, MODE_NO_WRITES);
		if (rc == SQLITE_READONLY)
			job->answer.status = trouble;
		else if (rc != SQLITE_DONE)
			job->answer.status = status_of(rc);
	}
}

/*
 * SQLite's lock is not fair: who writes without a pause keeps it.  While another process writes
 * as well, each leaves it a moment between its transactions.
 */
void
db_let_others_write(const struct sqlite_db *db)
{
	if (db->contended_ms && clock_mono_ms() - db->contended_ms < CONTENDED_MS)
		usleep(PAUSE_US);
}

void
db_run(struct sqlite_db *db, struct store_job *jobs)
{
	static int64_t last_ms;
	int rc = run_transaction(db, jobs, MODE_READ_FIRST);
	if (rc == SQLITE_BUSY) {
		db->contended_ms = clock_mono_ms();
		rc = run_transaction(db, jobs, MODE_WRITE);
	}
	if (rc != SQLITE_DONE) {
		if (log_ration(&last_ms, 60))
			log_error("cannot write the database: %s", sqlite3_errstr(rc));
		db->full |= rc == SQLITE_FULL;
		run_without_writes(db, jobs, status_of(rc));
	}
}
