/* history_facts_sqlite.c - what the embedded store tells of itself, and whether it works. */
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "history_sqlite.h"

struct teller {
	history_fact_fn *fn;
	void *arg;
};

static void
tell(const struct teller *teller, const char *name, const char *text)
{
	teller->fn(teller->arg, name, slice_of(text));
}

static void
tell_integer(const struct teller *teller, const char *name, int64_t value)
{
	char buf[24];
	struct text text = TEXT(buf);
	text_int(&text, value);
	tell(teller, name, buf);
}

static void
tell_user(const struct teller *teller, const char *name, uid_t uid)
{
	struct passwd entry, *found = NULL;
	char buf[4096];
	if (getpwuid_r(uid, &entry, buf, sizeof(buf), &found) == 0 && found)
		tell(teller, name, entry.pw_name);
	else
		tell_integer(teller, name, uid);
}

static void
tell_size(const struct teller *teller, const char *name, const char *path,
          const char *tail)
{
	char full[1100];
	struct text text = TEXT(full);
	struct stat st;
	text_puts(&text, path);
	text_puts(&text, tail);
	tell_integer(teller, name, stat(full, &st) == 0 ? st.st_size : 0);
}

static void
tell_files(const struct teller *teller, const struct history_sqlite *history)
{
	struct stat st;
	struct statvfs fs;
	tell(teller, "path", history->dir);
	tell_integer(teller, "quota", history->max_size);
	tell_size(teller, "size", history->mail.path, "");
	tell_size(teller, "wal_size", history->mail.path, "-wal");
	tell_size(teller, "history_size", history->aside.path, "");
	tell_user(teller, "user", geteuid());
	if (stat(history->mail.path, &st) == 0) {
		char mode[8];
		struct text text = TEXT(mode);
		text_printf(&text, "%04o", (unsigned)st.st_mode & 07777);
		tell_user(teller, "owner", st.st_uid);
		tell(teller, "mode", mode);
	}
	if (statvfs(history->dir, &fs) == 0)
		tell_integer(teller, "free_bytes",
		             (int64_t)fs.f_bavail * (int64_t)fs.f_frsize);
}

static bool
tell_pages(const struct teller *teller, struct history_file *file, struct err *err)
{
	int64_t pages, empty, page_size;
	if (!history_integer(file, "PRAGMA page_count", 0, &pages, err) ||
	    !history_integer(file, "PRAGMA freelist_count", 0, &empty, err) ||
	    !history_integer(file, "PRAGMA page_size", 0, &page_size, err))
		return false;
	tell_integer(teller, "used", (pages - empty) * page_size);
	return true;
}

/* "ok", or the first damage of the file with its name. */
static bool
is_sound(struct history_file *file, bool deep, struct text *damage_out)
{
	struct err err;
	sqlite3_stmt *stmt = history_prepare(file,
	                                     deep ? "PRAGMA integrity_check(1)"
	                                          : "PRAGMA quick_check(1)",
	                                     &err);
	int rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;
	struct slice first = SLICE("");
	if (rc == SQLITE_ROW)
		first = history_column(stmt, 0);
	bool sound = slice_eq(first, SLICE("ok"));
	if (stmt && rc != SQLITE_ROW)
		history_file_failed(file, &err);
	if (!sound && rc == SQLITE_ROW) {
		text_printf(damage_out, "%s: ", file->path);
		text_put(damage_out, first);
	} else if (!sound) {
		text_puts(damage_out, err.text);
	}
	sqlite3_finalize(stmt);
	return sound;
}

bool
sqlite_facts(struct history *base, bool deep, history_fact_fn *fn, void *arg,
             struct err *err)
{
	const struct teller teller = {fn, arg};
	struct history_file *mail = history_mail_file(base, err);
	if (!mail || !tell_pages(&teller, mail, err))
		return false;
	struct history_file *aside = history_aside_file(base, err);
	if (!aside)
		return false;
	char damage[1024] = "";
	struct text text = TEXT(damage);
	bool sound = is_sound(mail, deep, &text) && is_sound(aside, deep, &text);
	tell_files(&teller, (const struct history_sqlite *)base);
	tell(&teller, "integrity", sound ? "ok" : damage);
	return true;
}

/* ---- whether it works */

/* A row of its own, put there, read and taken away, each in a transaction as the daemons' are. */
static bool
try_file(struct history_file *file, const char *put, const char *get, const char *drop,
         struct err *err)
{
	int64_t found;
	return history_exec(file, put, err) &&
	       history_integer(file, get, 0, &found, err) &&
	       history_exec(file, drop, err) &&
	       (found == 1 ||
	        err_set(err, "%s: what was written is not there", file->path));
}

bool
sqlite_try(struct history *base, struct err *err)
{
	struct history_file *file = history_mail_file(base, err);
	if (!file || !try_file(file, "INSERT OR REPLACE INTO meta VALUES ('try', '1')",
	                       "SELECT value FROM meta WHERE name = 'try'",
	                       "DELETE FROM meta WHERE name = 'try'", err))
		return false;
	file = history_aside_file(base, err);
	return file &&
	       try_file(file, "INSERT OR REPLACE INTO board VALUES (-1, 'try', 0, '1')",
	                "SELECT text FROM board WHERE board = -1 AND name = 'try'",
	                "DELETE FROM board WHERE board = -1 AND name = 'try'", err);
}
