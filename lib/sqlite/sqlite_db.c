/* sqlite_db.c - the database file of the embedded store: opening and closing it. */
#include "sqlite_db_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/record.h"

#define APPLICATION_ID 0x77656972 /* "weir" */
#define SCHEMA_VERSION 1
#define BUSY_STEP_US   500
#define BUSY_TOTAL_US  50000

/* More than this takes its time, and is checked beside the mail's way. */
#define CHECKED_AT_START_BYTES (4 << 20)

static const char *const statements[] = {
	[ST_GET_TRIPLET] = "SELECT rec FROM triplet WHERE key = ?1",
	[ST_PUT_TRIPLET] = "INSERT OR REPLACE INTO triplet (key, rec) VALUES (?1, ?2)",
	[ST_GET_IDENTITY] = "SELECT rec FROM identity WHERE key = ?1",
	[ST_PUT_IDENTITY] = "INSERT OR REPLACE INTO identity (key, rec) VALUES (?1, ?2)",
	[ST_SWEEP_TRIPLET] =
		"SELECT key, rec FROM triplet WHERE key > ?1 ORDER BY key LIMIT ?2",
	[ST_SWEEP_IDENTITY] =
		"SELECT key, rec FROM identity WHERE key > ?1 ORDER BY key LIMIT ?2",
	[ST_DROP_TRIPLET] = "DELETE FROM triplet WHERE key = ?1 AND rec = ?2",
	[ST_DROP_IDENTITY] = "DELETE FROM identity WHERE key = ?1 AND rec = ?2",
	[ST_COUNT_SLOTS] = ("SELECT total(expires > ?2 AND expires <= ?3), count(*) "
                            "FROM lease WHERE key = ?1"),
	[ST_FIND_SLOT] =
		("SELECT 1 FROM lease WHERE key = ?1 AND expires > ?2 AND expires <= ?3 "
                 "AND holder = ?4"),
	[ST_FIND_LEASE] = "SELECT 1 FROM lease WHERE key = ?1 AND holder = ?2",
	[ST_PUT_LEASE] =
		"INSERT OR REPLACE INTO lease (key, holder, expires) VALUES (?1, ?2, ?3)",
	[ST_DROP_LEASE] = "DELETE FROM lease WHERE key = ?1 AND holder = ?2",
	[ST_DROP_DEAD_LEASES] =
		"DELETE FROM lease WHERE key = ?1 AND (expires <= ?2 OR expires > ?3)",
	[ST_GET_RATE] = "SELECT tat FROM rate WHERE key = ?1",
	[ST_PUT_RATE] = "INSERT OR REPLACE INTO rate (key, tat) VALUES (?1, ?2)",
	[ST_GET_NOTE] =
		("SELECT message, bounds FROM note WHERE key = ?1 AND expires > ?2 "
                 "AND expires <= ?3"),
	[ST_PUT_NOTE] =
		"INSERT OR REPLACE INTO note (key, message, bounds, expires) VALUES (?1, ?2, ?3, ?4)",
	[ST_DROP_NOTE] = "DELETE FROM note WHERE key = ?1",
	[ST_SWEEP_RATE] =
		"SELECT key, tat FROM rate WHERE key > ?1 ORDER BY key LIMIT ?2",
	[ST_DROP_RATE] = "DELETE FROM rate WHERE key = ?1 AND tat = ?2",
	[ST_FIND_DEAD] = ("SELECT EXISTS (SELECT 1 FROM lease WHERE expires <= ?1) OR "
                          "EXISTS (SELECT 1 FROM note WHERE expires <= ?1)"),
	[ST_SWEEP_LEASES] = "DELETE FROM lease WHERE expires <= ?1",
	[ST_SWEEP_NOTES] = "DELETE FROM note WHERE expires <= ?1",
	[ST_GET_META] = "SELECT value FROM meta WHERE name = ?1",
	[ST_LIST_META] = "SELECT name, value FROM meta",
	[ST_PUT_META] = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
	[ST_DROP_ROWS] = "DELETE FROM meta WHERE instr(name, '/') > 0",
	[ST_DROP_LEASES_OF] =
		"DELETE FROM lease WHERE substr(holder, 1, length(?1)) = ?1",
	[ST_BEGIN] = "BEGIN",
	[ST_BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
};

_Static_assert(COUNT_OF(statements) == ST_COUNT, "one text for each statement");

/* Two processes share the file: wait for the other's commit, but not for one that hangs. */
static int
on_busy(void *arg, int times)
{
	struct sqlite_db *db = arg;
	db->contended_ms = clock_mono_ms();
	if ((int64_t)times * BUSY_STEP_US >= BUSY_TOTAL_US)
		return 0;
	usleep(BUSY_STEP_US);
	return 1;
}

static int
on_wal(void *arg, sqlite3 *handle, const char *name, int pages)
{
	struct sqlite_db *db = arg;
	(void)handle, (void)name;
	db->wal_pages = pages;
	return SQLITE_OK;
}

static bool
exec(struct sqlite_db *db, const char *sql)
{
	return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* The integer a pragma gives, -1 when it gives none. */
static int64_t
pragma_value(struct sqlite_db *db, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t value = -1;
	if (sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

void
db_say_damaged(const char *path, struct err *err_out)
{
	err_set(err_out,
	        "%s is damaged: move it away to start afresh, or repair it with sqlite3's .recover",
	        path);
}

static enum db_opened
say_damaged(const char *path, struct err *err)
{
	db_say_damaged(path, err);
	return DB_REFUSED;
}

/* What kind of failure the last SQLite error is when opening. */
static enum db_opened
open_failure(struct sqlite_db *db, const char *path, struct err *err)
{
	int rc = db->handle ? sqlite3_errcode(db->handle) : SQLITE_NOMEM;
	err_set(err, "%s: %s", path,
	        db->handle ? sqlite3_errmsg(db->handle) : "out of memory");
	switch (rc) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_FULL:
	case SQLITE_IOERR: return DB_LATER;
	case SQLITE_CORRUPT: return say_damaged(path, err);
	case SQLITE_NOTADB:
		err_set(err,
		        "%s is not a weir database (not an SQLite file, or damaged): move it away to start afresh",
		        path);
		return DB_REFUSED;
	default: return DB_REFUSED;
	}
}

/* An empty file is ours to fill; anything else must carry our mark. */
static enum db_opened
check_kind(struct sqlite_db *db, const char *path, bool *fresh_out, struct err *err)
{
	/* In one transaction, since another daemon may just be making the tables. */
	exec(db, "BEGIN");
	int64_t tables = pragma_value(db, "SELECT count(*) FROM sqlite_schema");
	if (tables < 0)
		return open_failure(db, path, err);
	int64_t id = pragma_value(db, "PRAGMA application_id");
	int64_t version = pragma_value(db, "PRAGMA user_version");
	exec(db, "COMMIT");
	*fresh_out = tables == 0 && id == 0 && version == 0;
	if (*fresh_out)
		return DB_OPENED;
	if (id != APPLICATION_ID) {
		err_set(err, "%s is the database of another program: leaving it alone",
		        path);
		return DB_REFUSED;
	}
	if (version != SCHEMA_VERSION) {
		err_set(err,
		        "%s was made by another version of weir (schema %lld, this one "
		        "knows %d)",
		        path, (long long)version, SCHEMA_VERSION);
		return DB_REFUSED;
	}
	return DB_OPENED;
}

static enum db_opened
check_pages(struct sqlite_db *db, const char *path, struct err *err)
{
	sqlite3_stmt *stmt;
	bool good = false;
	if (sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &stmt, NULL) !=
	    SQLITE_OK)
		return open_failure(db, path, err);
	if (sqlite3_step(stmt) == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(stmt, 0);
		good = text && strcmp((const char *)text, "ok") == 0;
	}
	sqlite3_finalize(stmt);
	return good ? DB_OPENED : say_damaged(path, err);
}

static bool
make_tables(struct sqlite_db *db)
{
	char sql[2048];
	snprintf(
		sql, sizeof(sql),
		"BEGIN IMMEDIATE;"
		"CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT) "
		"WITHOUT ROWID;"
		"CREATE TABLE IF NOT EXISTS triplet (key BLOB PRIMARY KEY, rec INTEGER NOT NULL) "
		"WITHOUT ROWID;"
		"CREATE TABLE IF NOT EXISTS identity (key BLOB PRIMARY KEY, rec INTEGER NOT NULL) "
		"WITHOUT ROWID;"
		"CREATE TABLE IF NOT EXISTS lease (key BLOB, holder TEXT, expires INTEGER NOT NULL, "
		"PRIMARY KEY (key, holder)) WITHOUT ROWID;"
		"CREATE TABLE IF NOT EXISTS rate (key BLOB PRIMARY KEY, tat INTEGER NOT NULL) "
		"WITHOUT ROWID;"
		"CREATE TABLE IF NOT EXISTS note (key BLOB PRIMARY KEY, message INTEGER NOT NULL, "
		"bounds INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;"
		"PRAGMA application_id = %d;"
		"PRAGMA user_version = %d;"
		"COMMIT",
		APPLICATION_ID, SCHEMA_VERSION);
	return exec(db, sql);
}

/* Two daemons may start at once: the secret that is stored first is everybody's. */
static bool
load_secret(struct sqlite_db *db)
{
	sqlite3_stmt *stmt;
	struct key_secret fresh;
	char text[KEY_SECRET_TEXT_LEN + 1];
	key_secret_make(&fresh);
	key_secret_print(&fresh, text);
	if (pragma_value(db, "SELECT count(*) FROM meta WHERE name = 'secret'") == 0) {
		char sql[256];
		snprintf(sql, sizeof(sql),
		         "INSERT OR IGNORE INTO meta VALUES ('secret', '%s')", text);
		if (!exec(db, sql))
			return false;
	}
	if (sqlite3_prepare_v2(db->handle, "SELECT value FROM meta WHERE name = 'secret'",
	                       -1, &stmt, NULL) != SQLITE_OK)
		return false;
	bool good = false;
	if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0))
		good = key_secret_parse(slice_of((const char *)sqlite3_column_text(stmt,
		                                                                   0)),
		                        &db->secret);
	sqlite3_finalize(stmt);
	return good;
}

/* Also false of a database that was made before there were limits. */
static bool
has_all_tables(struct sqlite_db *db)
{
	return pragma_value(db,
	                    "SELECT count(*) FROM sqlite_schema WHERE name = 'note'") > 0;
}

static bool
set_up(struct sqlite_db *db, int64_t max_size)
{
	char sql[128];
	/*
	 * Triplets are spread by their hash, so nearly each new one writes a page of its own: small
	 * pages write less.  The cache is small because SQLite may walk through all of it at a
	 * commit; what it does not hold comes from the system's cache at a microsecond a page.
	 */
	if (!exec(db, "PRAGMA page_size = 1024; PRAGMA cache_size = -2048") ||
	    !exec(db, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON") ||
	    !exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL") ||
	    !exec(db, "PRAGMA journal_size_limit = 67108864") ||
	    !exec(db, "PRAGMA temp_store = MEMORY"))
		return false;
	/* Replaces SQLite's automatic checkpoint, which would hold up who commits. */
	sqlite3_wal_hook(db->handle, on_wal, db);
	int64_t page_size = pragma_value(db, "PRAGMA page_size");
	if (max_size > 0 && page_size > 0) {
		snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %lld",
		         (long long)(max_size / page_size));
		if (!exec(db, sql))
			return false;
	}
	return has_all_tables(db) || make_tables(db);
}

static bool
prepare_all(struct sqlite_db *db)
{
	for (int i = 0; i < ST_COUNT; i++)
		if (sqlite3_prepare_v3(db->handle, statements[i], -1,
		                       SQLITE_PREPARE_PERSISTENT, &db->stmts[i],
		                       NULL) != SQLITE_OK)
			return false;
	return true;
}

void
db_read_boot(char id_out[DB_BOOT_BYTES])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, id_out, DB_BOOT_BYTES - 1) : 0;
	if (fd >= 0)
		close(fd);
	id_out[n > 0 ? n : 0] = '\0';
	id_out[strcspn(id_out, "\n")] = '\0';
}

/* Leases of an earlier boot count from another moment.  False: another daemon is writing. */
static bool
forget_dead_leases(struct sqlite_db *db)
{
	char boot[DB_BOOT_BYTES];
	db_read_boot(boot);
	char *sql = sqlite3_mprintf(
		"DELETE FROM lease WHERE %Q <> '' AND "
		"(SELECT value FROM meta WHERE name = 'boot') IS NOT %Q;"
		"INSERT INTO meta SELECT 'boot', %Q WHERE %Q <> '' ON CONFLICT (name) DO UPDATE "
		"SET value = excluded.value WHERE value <> excluded.value",
		boot, boot, boot, boot);
	bool done = sql && exec(db, sql);
	int rc = sqlite3_errcode(db->handle);
	sqlite3_free(sql);
	if (!done && rc != SQLITE_BUSY && rc != SQLITE_LOCKED) {
		log_warning("leases of an earlier start stay until they run out: %s",
		            sqlite3_errstr(rc));
		return true;
	}
	return done;
}

static enum db_opened
secret_failure(struct sqlite_db *db, const char *path, struct err *err)
{
	if (sqlite3_errcode(db->handle) != SQLITE_OK)
		return open_failure(db, path, err);
	err_set(err, "%s: the secret that is stored in it is damaged", path);
	return DB_REFUSED;
}

/*
 * An empty file, which SQLite would make with fewer rights; -wal and -shm follow it.  What was left
 * there when the file alone was deleted would be taken for the new one's.
 */
static bool
make_file(const char *dir, const char *path)
{
	struct err ignored;
	if (access(path, F_OK) != 0)
		sqlite_place_make(dir, path, &ignored); /* why not is found below */
	mode_t old = umask(0117);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	umask(old);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool
is_large(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && st.st_size > CHECKED_AT_START_BYTES;
}

static enum db_opened
open_file(struct sqlite_db *db, const char *path, int64_t max_size, struct err *err)
{
	bool fresh = false;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int rc = sqlite3_open_v2(path, &db->handle, flags, NULL);
	if (rc != SQLITE_OK)
		return open_failure(db, path, err);
	/* Until it is known to be ours: closing it must not touch what a crash left beside it. */
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_extended_result_codes(db->handle, 0);
	sqlite3_busy_handler(db->handle, on_busy, db);
	enum db_opened kind = check_kind(db, path, &fresh, err);
	db->is_large = is_large(path);
	if (kind == DB_OPENED && !fresh && !db->is_large)
		kind = check_pages(db, path, err);
	if (kind != DB_OPENED)
		return kind;
	if (!set_up(db, max_size) || !prepare_all(db))
		return open_failure(db, path, err);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	if (!load_secret(db))
		return secret_failure(db, path, err);
	sqlite_place_note(path, &db->place);
	return forget_dead_leases(db) ? DB_OPENED : open_failure(db, path, err);
}

enum db_opened
db_open(const char *dir, int64_t max_size, const char *owner, struct sqlite_db **db_out,
        struct err *err_out)
{
	*db_out = NULL;
	char path[1024];
	snprintf(path, sizeof(path), "%s/weir.db", dir);
	if (access(dir, W_OK | X_OK) != 0) {
		err_set_errno(err_out, "store.path: cannot write in %s", dir);
		return DB_REFUSED;
	}
	if (!sqlite_place_is_no_link(path, err_out))
		return DB_REFUSED;
	if (!make_file(dir, path)) {
		err_set_errno(err_out, "cannot write %s", path);
		return errno == ENOSPC || errno == EDQUOT ? DB_LATER : DB_REFUSED;
	}
	struct sqlite_db *db = mem_new(struct sqlite_db);
	struct text daemon = TEXT(db->daemon);
	text_puts(&daemon, owner);
	enum db_opened kind = open_file(db, path, max_size, err_out);
	if (kind != DB_OPENED)
		db_close(&db);
	*db_out = db;
	return kind;
}

void
db_close(struct sqlite_db **db_at)
{
	struct sqlite_db *db = *db_at;
	*db_at = NULL;
	if (!db)
		return;
	for (int i = 0; i < ST_COUNT; i++)
		sqlite3_finalize(db->stmts[i]);
	sqlite3_close(db->handle);
	explicit_bzero(&db->secret, sizeof(db->secret));
	free(db);
}

const struct key_secret *
db_secret(const struct sqlite_db *db)
{
	return &db->secret;
}

const char *
db_path(const struct sqlite_db *db)
{
	return sqlite3_db_filename(db->handle, "main");
}

bool
db_is_large(const struct sqlite_db *db)
{
	return db->is_large;
}

bool
db_is_in_place(const struct sqlite_db *db)
{
	return sqlite_place_holds(db_path(db), &db->place);
}

const struct sqlite_place *
db_place(const struct sqlite_db *db)
{
	return &db->place;
}

int
db_step(struct sqlite_db *db, enum statement statement)
{
	sqlite3_stmt *stmt = db->stmts[statement];
	int rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	return rc;
}
