/*
 * sqlite_term.c - a daemon's part in the life of a database file: rules/term.c on rows of the table
 * meta.
 *
 * "term" is the life's name, "term.number", "term.open" and "term.hosts" the rest of it; a daemon's
 * row has its name.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sqlite_db_priv.h"
#include "store/backend.h"

void
db_read_life(const struct sqlite_db *db, char id_out[TERM_ID_MAX + 1])
{
	struct text text = {.p = id_out, .cap = TERM_ID_MAX + 1};
	char boot[DB_BOOT_BYTES];
	struct stat file = {0};
	db_read_boot(boot);
	stat(db_path(db), &file);
	text_printf(&text, "%s:%llx:%llx", boot, (unsigned long long)file.st_dev,
	            (unsigned long long)file.st_ino);
}

int
db_read_row(struct sqlite_db *db, enum term_row *row_out)
{
	sqlite3_stmt *stmt = db->stmts[ST_GET_META];
	*row_out = TERM_OPEN;
	if (!*db->daemon)
		return SQLITE_DONE;
	sqlite3_bind_text(stmt, 1, db->daemon, -1, SQLITE_STATIC);
	int rc = sqlite3_step(stmt);
	const char *word =
		rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	*row_out = word ? term_row_of(slice_of(word)) : TERM_STRANGER;
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

static void
add_member(struct term *term, const char *name, const char *row)
{
	if (term->n == TERM_MEMBERS_MAX || strlen(name) > TERM_DAEMON_MAX)
		return;
	struct term_member *member = &term->members[term->n++];
	*member = (struct term_member){.row = term_row_of(slice_of(row))};
	memcpy(member->daemon, name, strlen(name) + 1);
}

static void
read_field(struct term *term, const char *name, const char *value)
{
	struct text id = TEXT(term->id);
	if (strcmp(name, "term") == 0)
		text_puts(&id, value);
	else if (strcmp(name, "term.number") == 0)
		term->number = strtoull(value, NULL, 10);
	else if (strcmp(name, "term.open") == 0)
		term->open = *value == '1';
	else if (strcmp(name, "term.hosts") == 0)
		term->hosts = strtoll(value, NULL, 10);
	else if (strchr(name, '/'))
		add_member(term, name, value);
}

static int
read_term(struct sqlite_db *db, struct term *term)
{
	sqlite3_stmt *stmt = db->stmts[ST_LIST_META];
	int rc;
	*term = (struct term){0};
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(stmt, 0);
		const char *value = (const char *)sqlite3_column_text(stmt, 1);
		if (name && value)
			read_field(term, name, value);
	}
	sqlite3_reset(stmt);
	return rc;
}

static int
put_meta(struct sqlite_db *db, const char *name, const char *value)
{
	sqlite3_stmt *stmt = db->stmts[ST_PUT_META];
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(stmt, 2, value, -1, SQLITE_TRANSIENT);
	return db_step(db, ST_PUT_META);
}

static int
put_number(struct sqlite_db *db, const char *name, uint64_t value)
{
	char text[24];
	struct text out = TEXT(text);
	text_printf(&out, "%llu", (unsigned long long)value);
	return put_meta(db, name, text);
}

static int
write_term(struct sqlite_db *db, const struct term *term)
{
	int rc = db_step(db, ST_DROP_ROWS);
	for (size_t i = 0; i < term->n && rc == SQLITE_DONE; i++)
		rc = put_meta(db, term->members[i].daemon,
		              term_row_word(term->members[i].row));
	if (rc == SQLITE_DONE)
		rc = put_meta(db, "term", term->id);
	if (rc == SQLITE_DONE)
		rc = put_number(db, "term.number", term->number);
	if (rc == SQLITE_DONE)
		rc = put_number(db, "term.open", term->open);
	return rc == SQLITE_DONE ? put_number(db, "term.hosts", (uint64_t)term->hosts)
	                         : rc;
}

/* '' is the beginning of every name. */
static int
drop_leases_of(struct sqlite_db *db, const char *daemon)
{
	sqlite3_bind_text(db->stmts[ST_DROP_LEASES_OF], 1, daemon, -1, SQLITE_TRANSIENT);
	return db_step(db, ST_DROP_LEASES_OF);
}

int
db_answer_term(struct sqlite_db *db, struct store_job *job, bool may_write)
{
	struct term_call *call = &job->ask.term;
	struct term before, term;
	struct term_effect effect;
	db_read_life(db, call->id);
	int rc = read_term(db, &before);
	term = before;
	term_apply(&term, call, &effect);
	bool changed = memcmp(&term, &before, sizeof(term)) != 0;
	if (rc == SQLITE_DONE && changed && !may_write)
		return SQLITE_READONLY;
	if (rc == SQLITE_DONE && may_write && (effect.drop_all || effect.drop_own))
		rc = drop_leases_of(db, effect.drop_all ? "" : call->daemon);
	if (rc == SQLITE_DONE && changed)
		rc = write_term(db, &term);
	struct text members = TEXT(job->ask.term.known);
	term_put_members(&term, &members);
	job->answer.term = (struct term_answer){
		.row = term_row(&term, call->daemon),
		.number = term.number,
		.hosts_missing = term_hosts_missing(&term),
		.members = text_slice(&members),
	};
	return rc;
}
