/*
 * sqlite_place.h - a database file in its directory: whose it is, and whether it is still there.
 *
 * SQLite finds the log (-wal) and its index (-shm) by the file's name.  Those of a file that was
 * deleted or replaced while it was open must not be taken for those of the one that came after.
 */
#ifndef WEIR_SQLITE_PLACE_H
#define WEIR_SQLITE_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct sqlite_place {
	dev_t dev;
	ino_t ino;
	ino_t shm_ino;
};

/* Of a file that was just opened, and read. */
void sqlite_place_note(const char *path, struct sqlite_place *place_out);

/* Whether the file of that name is still the same. */
bool sqlite_place_holds(const char *path, const struct sqlite_place *place);

/* The file was deleted or replaced: removes what it has left beside it, if it is still there. */
void sqlite_place_leave(const char *path, const struct sqlite_place *place);

/* Removes the log and its index, whoever's they are. */
void sqlite_place_drop_rest(const char *path);

/* Neither the file nor what lies beside it is a symbolic link; else false with a text. */
bool sqlite_place_is_no_link(const char *path, struct err *err_out);

/* Says which right is missing to read or write the file, and to whom.  False: none is. */
bool sqlite_place_lacks_rights(const char *path, struct err *err);

/*
 * Makes an empty file for who owns weir.db, or the directory where there is none.  True when there
 * is one already.  What a deleted one has left beside it goes.
 */
bool sqlite_place_make(const char *dir, const char *path, struct err *err);

#endif
